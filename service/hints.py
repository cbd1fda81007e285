"""Commands that texts propose, so that they can be pasted.

A text names a command between backquotes as it is for the usual state: `ebbtide status`. Whoever writes it, maybe long
before it is read, need not know where the state is; where it is shown, that is known.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

#: Where the state is, if nobody says.
DEFAULT_STATE = ".ebbtide"
#: Those that ask or change a state, but for `run`, which texts name without its workload.
OF_A_STATE = (
    "status", "logs", "files", "job", "task", "schedule", "pool", "node", "app", "account", "storage", "down", "gc",
)  # fmt: skip

_COMMAND = re.compile(rf"`(ebbtide (?:{'|'.join(OF_A_STATE)})\b(?![^`]*--state)[^`]*)`")


def pasteable(text: str, state: Path | None) -> str:
    """The text, with this state in each of its commands that needs one. None: it is not known."""
    if state is None or state == Path(DEFAULT_STATE):
        return text
    where = shlex.quote(str(state))
    return _COMMAND.sub(lambda found: f"`{found[1]} --state {where}`", text)
