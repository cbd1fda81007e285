"""Which tasks of one job wait for which others. Pure.

A task waits until each of its conditions is met: one for each id that it depends on, and one for each range. A range
hangs on the first of its ids that is not satisfied, and moves on when that is; ranges that hang on the same id lie in
one heap, by their ends. So neither a range of a million ids nor a hundred thousand ranges that overlap cost more than
their tasks.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count

from pools import folded

from .number_walk import Ranges, Walk
from .task_spec import TaskDependencies


def number_of(task_id: str) -> int | None:
    """The number that a range knows the id by, if it is one."""
    if not (task_id.isascii() and task_id.isdecimal()):
        return None
    return int(task_id) if task_id[0] != "0" or task_id == "0" else None


class _Wait:
    """A task that waits; `left`: conditions that are not met; `cause`: the id because of which none ever will be."""

    __slots__ = ("cause", "id", "left")

    def __init__(self, task_id: str) -> None:
        self.id = task_id
        self.left = 0
        self.cause: str | None = None


class DependencyGraph:
    def __init__(self, satisfied: Callable[[str], bool]) -> None:
        """`satisfied`: has the task of this id, however it is spelled, ended in a way that lets others start? What is
        true stays true, but for what `undo` tells of."""
        self._satisfied = satisfied
        self._walk = Walk(lambda number: satisfied(str(number)))
        self._waits: dict[str, _Wait] = {}
        #: by the id that they wait for, in lower case
        self._by_id: dict[str, list[_Wait]] = {}
        #: by the number on which they hang: the greatest end, and a heap of (end, counter, wait)
        self._hanging: dict[int, tuple[int, list[tuple[int, int, _Wait]]]] = {}
        self._counter = count()
        self._ranges: Ranges[_Wait] = Ranges()
        #: ids that will not be satisfied, in lower case, and the numbers among them in order
        self._blocking: set[str] = set()
        self._blocking_numbers: list[int] = []

    def __contains__(self, task_id: str) -> bool:
        """Does the task wait?"""
        return task_id in self._waits

    @property
    def waiting(self) -> Iterable[str]:
        return self._waits

    def blocks(self, task_id: str) -> bool:
        """Will it never be satisfied, as things are?"""
        return folded(task_id) in self._blocking

    def add(self, task_id: str, wanted: TaskDependencies) -> bool:
        """Must the task wait? Then it stands in here until `satisfy` returns it."""
        wait = _Wait(task_id)
        for parent in dict.fromkeys(map(folded, wanted.task_ids)):
            if not self._satisfied(parent):
                self._on_id(wait, parent)
        for each in wanted.task_id_ranges:
            first = self._walk.next(each.start, each.end)
            if first == each.end:
                self._on_id(wait, str(first))
            elif first < each.end:
                wait.left += 1
                self._hang(first, each.end, [(each.end, next(self._counter), wait)])
                self._ranges.add(first, each.end, wait)
        if wait.left:
            self._waits[task_id] = wait
        return bool(wait.left)

    def _on_id(self, wait: _Wait, parent: str) -> None:
        wait.left += 1
        self._by_id.setdefault(parent, []).append(wait)

    def _hang(self, number: int, end: int, heap: list[tuple[int, int, _Wait]]) -> None:
        there = self._hanging.get(number)
        if there is not None:
            if len(there[1]) > len(heap):
                heap, there = there[1], (max(end, there[0]), heap)
            for entry in there[1]:
                heapq.heappush(heap, entry)
            end = max(end, there[0])
        self._hanging[number] = (end, heap)

    def satisfy(self, task_id: str) -> list[str]:
        """The task has ended in a way that lets others start: which tasks wait no more."""
        released: list[str] = []
        for wait in self._by_id.pop(folded(task_id), ()):
            self._met(wait, released)
        number = number_of(task_id)
        hanging = self._hanging.pop(number, None) if number is not None else None
        if hanging is not None and number is not None:
            end, heap = hanging
            further = self._walk.next(number + 1, end)
            while heap and heap[0][0] < further:
                self._met(heapq.heappop(heap)[2], released)
            if heap:
                self._hang(further, end, heap)
        return released

    def _met(self, wait: _Wait, released: list[str]) -> None:
        wait.left -= 1
        if not wait.left and self._waits.get(wait.id) is wait:
            del self._waits[wait.id]
            released.append(wait.id)

    def block(self, causes: Iterable[str]) -> list[tuple[str, str]]:
        """These will not be satisfied: (task, id that blocks it) of each task that can start no more, also because such
        a one cannot."""
        found: list[tuple[str, str]] = []
        todo = deque(causes)
        while todo:
            cause = todo.popleft()
            plain = folded(cause)
            if plain in self._blocking:
                continue
            self._blocking.add(plain)
            hit = list(self._by_id.get(plain, ()))
            number = number_of(cause)
            if number is not None:
                insort(self._blocking_numbers, number)
                hit += self._ranges.take(number)
            for wait in hit:
                if wait.cause is None and self._waits.get(wait.id) is wait:
                    wait.cause = cause
                    found.append((wait.id, cause))
                    todo.append(wait.id)
        return found

    def blocked(self, wanted: TaskDependencies) -> str | None:
        """An id because of which a task with these dependencies cannot start."""
        for parent in wanted.task_ids:
            if folded(parent) in self._blocking:
                return parent
        for each in wanted.task_id_ranges:
            at = bisect_left(self._blocking_numbers, each.start)
            if at < len(self._blocking_numbers) and self._blocking_numbers[at] <= each.end:
                return str(self._blocking_numbers[at])
        return None

    def remove(self, task_id: str) -> None:
        """The task waits no more, whatever it waited for."""
        self._waits.pop(task_id, None)

    def undo(self, task_id: str) -> None:
        """The task, for which no other waits, has not ended any more, however it had, or is not there any more."""
        number = number_of(task_id)
        if number is not None:
            self._walk.fails(number)
        if self.blocks(task_id):
            self._blocking.remove(folded(task_id))
            if number is not None:
                del self._blocking_numbers[bisect_left(self._blocking_numbers, number)]

    def first_open(self, wanted: TaskDependencies) -> str | None:
        """An id that a task with these dependencies waits for."""
        for parent in wanted.task_ids:
            if not self._satisfied(parent):
                return parent
        for each in wanted.task_id_ranges:
            first = self._walk.next(each.start, each.end)
            if first <= each.end:
                return str(first)
        return None
