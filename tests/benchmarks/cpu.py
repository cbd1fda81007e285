"""How much processor time processes and threads have taken, as /proc tells it."""

from __future__ import annotations

import os
import resource
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .descendants import descendants

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Seconds in the program and in the kernel."""

    user: float = 0.0
    system: float = 0.0

    @property
    def both(self) -> float:
        return self.user + self.system

    def __add__(self, other: Cpu) -> Cpu:
        return Cpu(self.user + other.user, self.system + other.system)

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(self.user - other.user, self.system - other.system)


def _fields(path: str) -> list[int]:
    text = Path(path).read_text()
    return [int(field) for field in text[text.rindex(")") + 4 :].split()]


def of_process(pid: int) -> Cpu:
    """Of all its threads."""
    fields = _fields(f"/proc/{pid}/stat")
    return Cpu(fields[10] / _TICK, fields[11] / _TICK)


def of_children(pid: int) -> Cpu:
    """Of the children that it has waited for."""
    fields = _fields(f"/proc/{pid}/stat")
    return Cpu(fields[12] / _TICK, fields[13] / _TICK)


def _of_all() -> Cpu:
    """Of this process, its children that have ended, and all its living descendants with theirs."""
    total = Cpu()
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += Cpu(usage.ru_utime, usage.ru_stime)
    for process in descendants():
        with suppress(FileNotFoundError, ProcessLookupError):
            total += of_process(process.pid) + of_children(process.pid)
    return total


@dataclass(frozen=True)
class Measured:
    """Seconds on the clock, and of processors."""

    seconds: float
    cpu: Cpu


class Stopwatch:
    """Runs from its making to `stop`. Processes that worked must have been waited for by then, or live on."""

    def __init__(self) -> None:
        self._cpu = _of_all()
        self._start = time.perf_counter()

    def stop(self) -> Measured:
        seconds = time.perf_counter() - self._start
        return Measured(seconds, _of_all() - self._cpu)


def of_thread(tid: int) -> Cpu:
    """Of one thread of this process."""
    fields = _fields(f"/proc/self/task/{tid}/stat")
    return Cpu(fields[10] / _TICK, fields[11] / _TICK)
