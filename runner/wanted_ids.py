"""Which ids those tasks of a job name that wait for others: what becomes of any other one is nothing to them. Pure."""

from __future__ import annotations

from collections import Counter

from pools import folded

from .dependency_graph import number_of
from .task_spec import TaskDependencies


class WantedIds:
    def __init__(self) -> None:
        self._tasks: set[str] = set()
        #: how many of the tasks name it: ids in lower case, and ranges
        self._ids: Counter[str] = Counter()
        self._ranges: Counter[tuple[int, int]] = Counter()

    def counts(self, task_id: str) -> bool:
        """Is the task one of those whose wishes count?"""
        return task_id in self._tasks

    def __contains__(self, task_id: str) -> bool:
        """Does any of them depend on a task of this id?"""
        if folded(task_id) in self._ids:
            return True
        number = number_of(task_id)
        return number is not None and any(start <= number <= end for start, end in self._ranges)

    def add(self, task_id: str, wanted: TaskDependencies) -> None:
        """The task waits."""
        if task_id not in self._tasks:
            self._tasks.add(task_id)
            self._ids.update(map(folded, wanted.task_ids))
            self._ranges.update((each.start, each.end) for each in wanted.task_id_ranges)

    def remove(self, task_id: str, wanted: TaskDependencies) -> None:
        """The task, which counts, waits no more."""
        self._tasks.remove(task_id)
        for parent in map(folded, wanted.task_ids):
            self._ids[parent] -= 1
            if not self._ids[parent]:
                del self._ids[parent]
        for each in wanted.task_id_ranges:
            self._ranges[each.start, each.end] -= 1
            if not self._ranges[each.start, each.end]:
                del self._ranges[each.start, each.end]
