"""Ending every process that carries a marker, with all its descendants, however fast they multiply."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from .processes import (
    ProcessId,
    ProcessRow,
    Zombie,
    environment_of,
    is_alive,
    look_at,
    marker_in,
)

_DOUBTS = 50  # looks in a row that may be inconclusive, on a machine where others come and go all the time
_LONGEST_PAUSE = 0.05  # seconds between two looks at what was killed; the first pause is a millisecond
_BLANK_LOOKS = 8  # times that an empty environment may be an exec that is not finished
_KERNEL = 2  # the parent of the kernel's own threads, which have no environment


class StubbornProcessesError(Exception):
    """Processes did not end although they were killed, or may not be killed by this user."""


def end_all(belongs: Callable[[str], bool], within: float = 10.0) -> int:
    """Kill every process whose marker satisfies `belongs`, and all their descendants, except this one.

    They are stopped first, until nothing new is found: what is stopped cannot fork, so that a descendant
    without the marker (`env -i`) is still found by its parent. Then they are killed, and all is looked
    through again, until they are gone. Returns how many were killed. Raises StubbornProcessesError after
    `within` seconds, but not before all were killed and looked at several times: the machine may have stood still.
    """
    deadline = time.monotonic() + within
    killed: set[ProcessId] = set()
    pause = 0.001
    # A killed process loses its memory, and its environment with it, before its files are closed: while the
    # kernel takes that apart it is known by its identity alone, and holds its ports and locks.
    while family := _stop_family(belongs, deadline) | {process for process in killed if is_alive(process)}:
        for process in family:
            _send(process, signal.SIGKILL)
        killed |= family
        if pause == _LONGEST_PAUSE and time.monotonic() > deadline:
            pids = ", ".join(str(process.pid) for process in sorted(family))
            raise StubbornProcessesError(f"processes {pids} do not end; end them by hand (kill -9)")
        time.sleep(pause)  # a killed process needs a moment to go, and nobody tells us that it has gone
        pause = min(pause * 2, _LONGEST_PAUSE)
    return len(killed)


def _stop_family(belongs: Callable[[str], bool], deadline: float) -> set[ProcessId]:
    """Stop all that belong; what is returned is all of them."""
    search = _Search(belongs)
    stopped: set[ProcessId] = set()
    doubts = 0
    while doubts < _DOUBTS:
        new = search.look() - stopped
        for process in new:
            _send(process, signal.SIGSTOP)
        stopped |= new
        if new:
            doubts = 0
            if time.monotonic() > deadline:
                break
        elif search.in_doubt:
            doubts += 1
            time.sleep(0.0005)  # let those in the middle of something come out of it
        else:
            break
    return stopped


class _Search:
    """Looks at /proc again and again. Strangers are looked at once, so that a later look takes less time than
    the shortest-lived process: members of a chain, each of which forks the next and ends, are caught too.
    """

    def __init__(self, belongs: Callable[[str], bool]) -> None:
        self._belongs = belongs
        self._strangers: set[int] = set()
        self._blank: dict[ProcessId, int] = {}  # how often its environment was empty
        self.in_doubt = False  # something was there that could not be judged; its child may have been missed

    def look(self) -> set[ProcessId]:
        """The marked processes and their descendants, without this process."""
        self.in_doubt = False
        rows: dict[int, ProcessRow] = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit() and (pid := int(entry)) not in self._strangers:
                self._note(pid, rows)
        family: set[int] = set()
        frontier = [pid for pid in rows if self._is_marked(rows[pid])]
        children: dict[int, list[int]] = {}
        for pid, row in rows.items():
            children.setdefault(row.parent, []).append(pid)
        while frontier:
            pid = frontier.pop()
            if pid not in family:
                family.add(pid)
                frontier.extend(children.get(pid, ()))
        self._strangers.update(pid for pid in rows.keys() - family if not self._is_blank(rows[pid]))
        return {rows[pid].id for pid in family if pid != os.getpid()}

    def _note(self, pid: int, rows: dict[int, ProcessRow]) -> None:
        found = look_at(pid)
        if isinstance(found, ProcessRow):
            rows[pid] = found
            return
        self.in_doubt = True  # it has ended since, perhaps after it forked one more
        if isinstance(found, Zombie):
            self._strangers.add(pid)  # it may stay for long, and forks no more

    def _is_marked(self, row: ProcessRow) -> bool:
        environment = environment_of(row.id.pid)
        if environment == b"" and row.parent != _KERNEL:  # truly empty, or in the middle of an exec?
            self._blank[row.id] = self._blank.get(row.id, 0) + 1
            self.in_doubt |= self._is_blank(row)
            return False
        self._blank.pop(row.id, None)
        name = marker_in(environment or b"")
        return name is not None and self._belongs(name)

    def _is_blank(self, row: ProcessRow) -> bool:
        """It may yet turn out to be marked."""
        return 0 < self._blank.get(row.id, 0) < _BLANK_LOOKS


def _send(process: ProcessId, number: int) -> None:
    """Signal a process, if it is still that one."""
    try:
        if is_alive(process):
            os.kill(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # gone, or not ours to end: the next look tells which
