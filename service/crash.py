"""A crash at a counted place, for the tests that kill the controller.

`EBBTIDE_CRASH_AT=commit:7`: after the seventh commit. `effect:12`: before the twelfth command goes out.
`CreateVm:2`: before the second command of that name does.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping


def crash_point(environment: Mapping[str, str]) -> Callable[[str], None]:
    """A checkpoint for the engine; kills this process (SIGKILL) the n-th time it passes the named place."""
    text = environment.get("EBBTIDE_CRASH_AT")
    if not text:
        return lambda place: None
    wanted, _, number = text.partition(":")
    left = int(number)

    def checkpoint(place: str) -> None:
        nonlocal left
        if place == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint
