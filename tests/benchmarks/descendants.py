"""Every process that this one started, however far away, so that a benchmark can prove that none is left."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from providers.processes import ProcessId, all_processes

_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 60.0


class Strays(Exception):
    """Processes that were not there before, or are no longer there: what was measured beside them is void."""


def adopt_orphans() -> None:
    """From now on what is orphaned below this process becomes its child, and stays countable."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def descendants() -> set[ProcessId]:
    """The living ones; zombies do nothing any more."""
    children: dict[int, list[ProcessId]] = {}
    for row in all_processes():
        children.setdefault(row.parent, []).append(row.id)
    found: set[ProcessId] = set()
    todo = [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found.update(below)
        todo += [process.pid for process in below]
    return found


@contextmanager
def none_left(whose: str) -> Iterator[None]:
    """What is started in here must have ended soon after; what was there before must still be there.

    Raises Strays.
    """
    before = descendants()
    yield
    end = time.monotonic() + _PATIENCE
    while (now := descendants()) != before:
        if time.monotonic() > end:
            more = ", ".join(f"{p.pid} {_command(p.pid)}" for p in sorted(now - before)) or "none"
            gone = ", ".join(str(p.pid) for p in sorted(before - now)) or "none"
            raise Strays(f"{whose}: {len(before)} processes before; new ones: {more}; ended ones: {gone}")
        time.sleep(0.01)


def end_all() -> None:
    """End what is still there, after a benchmark that was broken off."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in descendants():
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
        end = time.monotonic() + _PATIENCE
        while descendants() and time.monotonic() < end:
            time.sleep(0.01)


def _command(pid: int) -> str:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").strip())
    except OSError:
        return "(ended)"
