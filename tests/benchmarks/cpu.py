"""How much processor time processes and threads have taken, as /proc tells it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Seconds in the program and in the kernel."""

    user: float = 0.0
    system: float = 0.0

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


def of_thread(tid: int) -> Cpu:
    """Of one thread of this process."""
    fields = _fields(f"/proc/self/task/{tid}/stat")
    return Cpu(fields[10] / _TICK, fields[11] / _TICK)
