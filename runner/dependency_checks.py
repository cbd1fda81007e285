"""Whether tasks depend only on tasks that are there, and none on itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from .dependency_graph import DependencyGraph
from .number_walk import Walk
from .task_spec import TaskDependencies


class KnownTasks:
    def __init__(self, known: Callable[[str], bool]) -> None:
        """`known`: is there a task of this id?"""
        self._known = known
        self._walk = Walk(lambda number: known(str(number)))

    def missing(self, wanted: TaskDependencies) -> str | None:
        """The first id that there is no task of."""
        for parent in wanted.task_ids:
            if not self._known(parent):
                return parent
        for each in wanted.task_id_ranges:
            gap = self._walk.next(each.start, each.end)
            if gap <= each.end:
                return str(gap)
        return None


def find_cycle(tasks: Set[str], depending: Mapping[str, TaskDependencies]) -> list[str]:
    """Ids, each depending on the next and the last on the first; empty if there is no such circle. `tasks`: all among
    which there may be one; `depending`: what some of them depend on."""
    left = set(tasks)
    graph = DependencyGraph(lambda task_id: task_id not in left)
    ready = [task_id for task_id in tasks if task_id not in depending]
    ready += [task_id for task_id, wanted in depending.items() if not graph.add(task_id, wanted)]
    while ready:
        task_id = ready.pop()
        left.discard(task_id)
        ready += graph.satisfy(task_id)
    at = next(iter(graph.waiting), None)
    path: dict[str, None] = {}
    while at is not None and at not in path:
        path[at] = None
        at = graph.first_open(depending[at])
    ids = list(path)
    return ids[ids.index(at) :] if at is not None else []


def cycle_text(cycle: list[str], named: int = 10) -> str:
    """The circle in words; the middle of a long one is left out."""
    names = [repr(each) for each in (*cycle, cycle[0])]
    if len(names) > named + 1:
        names[named // 2 : -named // 2] = [f"... {len(names) - named} more ..."]
    return f"the tasks depend on each other in a circle: {' -> '.join(names)}"
