"""Whether tasks depend only on tasks that are there, and none on itself. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Set
from typing import NamedTuple

from pools import folded

from .dependency_graph import DependencyGraph, number_of
from .number_walk import Walk
from .task_spec import TaskDependencies, TaskIdRange


class Missing(NamedTuple):
    """An id that there is no task of. `within`: the range that it is part of, if it does not stand by itself."""

    task_id: str
    within: TaskIdRange | None = None

    def __str__(self) -> str:
        within = self.within
        return f"no task {self.task_id!r}" + (f", of the range {within.start} to {within.end}" if within else "")


class KnownTasks:
    def __init__(self, known: Callable[[str], bool]) -> None:
        """`known`: is there a task of this id, however it is spelled?"""
        self._known = known
        self._walk = Walk(lambda number: known(str(number)))

    def forget(self, task_id: str) -> None:
        """There may be no task of this id any more."""
        number = number_of(task_id)
        if number is not None:
            self._walk.fails(number)

    def missing(self, wanted: TaskDependencies) -> Missing | None:
        """The first id that there is no task of."""
        for parent in wanted.task_ids:
            if not self._known(parent):
                return Missing(parent)
        for each in wanted.task_id_ranges:
            gap = self._walk.next(each.start, each.end)
            if gap <= each.end:
                return Missing(str(gap), each)
        return None


def find_cycle(tasks: Set[str], depending: Mapping[str, TaskDependencies]) -> list[str]:
    """Ids, each depending on the next and the last on the first; empty if there is no such circle. `tasks`: all among
    which there may be one; `depending`: what some of them depend on; others that they name count for nothing."""
    known = _Ranks(tasks)
    wants = {known.by_id[folded(task_id)]: known.among(wanted) for task_id, wanted in depending.items()}
    left = set(known.ids)
    graph = DependencyGraph(lambda rank: rank not in left)
    ready = [rank for rank in known.ids if rank not in wants]
    ready += [rank for rank, wanted in wants.items() if not graph.add(rank, wanted)]
    while ready:
        rank = ready.pop()
        left.discard(rank)
        ready += graph.satisfy(rank)
    at = next(iter(graph.waiting), None)
    path: dict[str, None] = {}
    while at is not None and at not in path:
        path[at] = None
        at = graph.first_open(wants[at])
    ranks = list(path)
    return [known.ids[rank] for rank in ranks[ranks.index(at) :]] if at is not None else []


class _Ranks:
    """Tasks, where those whose ids are numbers are numbered without gaps: no range is longer than there are tasks."""

    def __init__(self, tasks: Set[str]) -> None:
        numbers = {number: task_id for task_id in tasks if (number := number_of(task_id)) is not None}
        self._numbers = sorted(numbers)
        #: by what they are called here
        self.ids = {folded(task_id): task_id for task_id in tasks if number_of(task_id) is None}
        self.ids |= {str(at): numbers[number] for at, number in enumerate(self._numbers)}
        #: what they are called here
        self.by_id = {folded(task_id): rank for rank, task_id in self.ids.items()}

    def among(self, wanted: TaskDependencies) -> TaskDependencies:
        """The same in these ranks."""
        found = (self.by_id.get(folded(parent)) for parent in wanted.task_ids)
        ranges = (
            TaskIdRange(start=bisect_left(self._numbers, each.start), end=bisect_right(self._numbers, each.end) - 1)
            for each in wanted.task_id_ranges
        )
        return TaskDependencies(
            task_ids=tuple(rank for rank in found if rank is not None),
            task_id_ranges=tuple(each for each in ranges if each.start <= each.end),
        )


def cycle_text(cycle: list[str], named: int = 10) -> str:
    """The circle in words; the middle of a long one is left out."""
    names = [repr(each) for each in (*cycle, cycle[0])]
    if len(names) > named + 1:
        names[named // 2 : -named // 2] = [f"... {len(names) - named} more ..."]
    return f"the tasks depend on each other in a circle: {' -> '.join(names)}"
