"""Processes as /proc shows them: who is alive, and who carries our marker.

Standard library only, and small: the node process imports this before anything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

MARKER = "EBBTIDE_NODE"
"""Environment variable of every process that belongs to a local node; its value is the VM name."""

_GONE = b"ZXx"  # zombie, dead: nobody may ever wait for it, and its main thread runs no more


class ProcessId(NamedTuple):
    """A process for certain: process ids are used again, but not with the same start time (clock ticks since
    boot).
    """

    pid: int
    start: int


class ProcessRow(NamedTuple):
    id: ProcessId
    parent: int
    group: int


def boot_id() -> str:
    """Tells two boots of a machine apart: process ids and start times repeat after one."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:  # not in every container; then only the start time protects
        return ""


class Zombie:
    """A process that has ended and that its parent has not yet waited for."""


ZOMBIE = Zombie()


def look_at(pid: int) -> ProcessRow | Zombie | None:
    """What is at `pid`; None for nothing."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        return None
    if fields[0] in _GONE and int(fields[17]) < 2:  # a process lives as long as any of its threads
        return ZOMBIE
    return ProcessRow(ProcessId(pid, int(fields[19])), int(fields[1]), int(fields[2]))


def look_up(pid: int) -> ProcessRow | None:
    """The process `pid`, or None if there is none or it is a zombie."""
    found = look_at(pid)
    return found if isinstance(found, ProcessRow) else None


def is_alive(process: ProcessId) -> bool:
    row = look_up(process.pid)
    return row is not None and row.id == process


def all_processes() -> Iterator[ProcessRow]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (row := look_up(int(entry))) is not None:
            yield row


def marker_of(pid: int) -> str | None:
    """The VM name that `pid` was started with; None without one, or if its environment may not be read."""
    return marker_in(environment_of(pid) or b"")


def environment_of(pid: int) -> bytes | None:
    """As it was at the start; None if it may not be read, empty also in the middle of an exec."""
    try:
        return _read(f"/proc/{pid}/environ") or _environment_of_threads(pid)
    except OSError:  # another user's; or gone, or its main thread is (which then looks like another user's)
        return _environment_of_threads(pid) or None


def _environment_of_threads(pid: int) -> bytes:
    """Of a process whose main thread has ended before the others: only these still show it."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return b""
    for thread in threads if len(threads) > 1 else ():
        try:
            if environment := _read(f"/proc/{pid}/task/{thread}/environ"):
                return environment
        except OSError:  # noqa: PERF203 - each has to be tried
            pass  # this one has ended; another may live
    return b""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def marker_in(environment: bytes) -> str | None:
    key = MARKER.encode() + b"="
    for item in environment.split(b"\0"):
        if item.startswith(key):
            return os.fsdecode(item[len(key) :])
    return None
