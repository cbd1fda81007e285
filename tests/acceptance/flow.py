"""A flow: steps through an official client, in order, each of which tells what it found.

Runs in the environment of that client, which has nothing of ours, so this uses the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Literal, TypeVar

T = TypeVar("T")

#: Local nodes are processes of the user who runs all this; only those of root run tasks as another user.
AS_ROOT = os.geteuid() == 0
ELEVATION, SCOPE = ("admin", "task") if AS_ROOT else ("nonadmin", "pool")

#: Seconds that a flow waits for anything; few once a step has failed, so that the rest still gets its turn.
_PATIENCE, _HURRY = 120.0, 5.0


class Flow:
    """`endpoint`, `account`, `key`: as in the environment that `ebbtide serve` prints."""

    def __init__(self) -> None:
        self.endpoint = os.environ.get("AZURE_BATCH_ENDPOINT", "")
        self.account = os.environ.get("AZURE_BATCH_ACCOUNT", "")
        self.key = os.environ.get("AZURE_BATCH_ACCESS_KEY", "")
        #: What the client is to add to its User-Agent, so that the server's record tells whose request it was.
        self.agent = f"flow/{os.environ.get('FLOW', '-')}"
        self._steps: list[Callable[[], None]] = []
        self._patience = _PATIENCE

    def step(self, function: Callable[[], None]) -> Callable[[], None]:
        self._steps.append(function)
        return function

    def wait(self, what: str, ask: Callable[[], T | Literal[False] | None], every: float = 0.2) -> T:
        """The first answer that is true. Raises AssertionError with the last one if there is none in time."""
        end = time.monotonic() + self._patience
        while not (found := ask()):
            assert time.monotonic() < end, f"waited {self._patience:g} s in vain for {what}; last: {found!r}"
            time.sleep(every)
        return found

    def run(self) -> None:
        """Every step, each told as one line of JSON; ends the process, with 1 if any failed."""
        failed = False
        for step in self._steps:
            began = time.monotonic()
            told: dict[str, Any] = {"step": step.__name__, "failure": None}
            try:
                step()
            except Exception as error:  # noqa: BLE001 - whatever the client raises is the finding
                told["failure"] = _told(error)
                failed, self._patience = True, _HURRY
            told["seconds"] = round(time.monotonic() - began, 2)
            print(json.dumps(told), flush=True)
        sys.exit(int(failed))


def _told(error: Exception) -> str:
    """Where in the flow it came from, without the inside of the client."""
    frames = [each for each in traceback.extract_tb(error.__traceback__)[1:] if "/acceptance/" in each.filename]
    return "".join([*traceback.format_list(frames), *traceback.format_exception_only(error)])
