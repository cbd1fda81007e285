"""What hangs on the ends of tasks: who may start, who never will as things are. Pure.

What is known here is built from records alone: a task that depends on others says so in its record (`waiting`) until it
may start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pools import FailureInfo

from .dependency_checks import KnownTasks, cycle_text, find_cycle
from .dependency_graph import DependencyGraph
from .failure import failure
from .job_errors import JobError
from .number_walk import Walk
from .task_model import Done, Task, TaskKey
from .task_spec import TaskDependencies, TaskSpec

FAILED, MISSING = "DependencyFailed", "MissingDependency"


class Dependencies:
    def __init__(
        self,
        done_of: Callable[[str], Mapping[str, int]],
        exists: Callable[[TaskKey], bool],
    ) -> None:
        """`done_of`: how the completed tasks of a job ended, by id; `exists`: is there such a task?"""
        self._done_of = done_of
        self._exists = exists
        self._graphs: dict[str, DependencyGraph] = {}
        #: jobs whose graph must be built anew, because what was true is not
        self.stale: dict[str, None] = {}

    def _graph(self, job_id: str) -> DependencyGraph:
        graph = self._graphs.get(job_id)
        if graph is None:
            graph = self._graphs[job_id] = DependencyGraph(self._satisfied(job_id))
            graph.block(self._failed(job_id))
        return graph

    def _satisfied(self, job_id: str) -> Callable[[str], bool]:
        done = self._done_of(job_id)
        return lambda task_id: bool(done.get(task_id, 0) & Done.SATISFIES)

    # -- what happens ----------------------------------------------------------------------------------------

    def add(self, task: Task, wanted: TaskDependencies) -> tuple[bool, FailureInfo | None]:
        """Must the new task wait, and will it for ever?"""
        graph = self._graph(task.job_id)
        if not graph.add(task.id, wanted):
            return False, None
        cause = graph.blocked(wanted)
        if cause is None:
            return True, None
        graph.block([task.id])
        return True, self.error(task.job_id, cause)

    def known(self, task: Task) -> None:
        """There is a task of this id (again)."""
        graph = self._graphs.get(task.job_id)
        if graph is not None and graph.blocks(task.id) and task.id not in graph:
            self.stale[task.job_id] = None

    def completed(self, task: Task) -> tuple[list[str], list[tuple[str, str]]]:
        """Tasks that may start now, and (task, because of which id) those that never will."""
        graph = self._graphs.get(task.job_id)
        if graph is None:
            return [], []
        graph.remove(task.id)
        return (graph.satisfy(task.id), []) if task.satisfies else ([], graph.block([task.id]))

    def undone(self, task: Task) -> None:
        """The task is completed no more, or there no more."""
        graph = self._graphs.get(task.job_id)
        if graph is not None:
            graph.remove(task.id)
            self.stale[task.job_id] = None

    def forget(self, job_id: str) -> None:
        self._graphs.pop(job_id, None)
        self.stale.pop(job_id, None)

    def rebuild(self, job_id: str, waiting: Iterable[Task]) -> tuple[list[Task], dict[str, FailureInfo]]:
        """Of the tasks that wait: those that may start after all, and why others never will, by id."""
        self.forget(job_id)
        graph = self._graphs[job_id] = DependencyGraph(self._satisfied(job_id))
        there = Walk(lambda number: self._exists((job_id, str(number))))
        free: list[Task] = []
        missing: list[str] = []
        for task in waiting:
            wanted = task.spec.depends_on
            if wanted is None or not graph.add(task.id, wanted):
                free.append(task)
                continue
            missing += [parent for parent in wanted.task_ids if not self._exists((job_id, parent))]
            gaps = ((there.next(each.start, each.end), each.end) for each in wanted.task_id_ranges)
            missing += [str(gap) for gap, end in gaps if gap <= end]
        blocked = graph.block([*self._failed(job_id), *missing])
        return free, {task_id: self.error(job_id, cause) for task_id, cause in blocked}

    def _failed(self, job_id: str) -> list[str]:
        """Completed tasks that let no other start."""
        return [task_id for task_id, flags in self._done_of(job_id).items() if not flags & Done.SATISFIES]

    def error(self, job_id: str, cause: str) -> FailureInfo:
        """Of a task that cannot start because of the task `cause`."""
        if not self._exists((job_id, cause)):
            return failure(MISSING, f"it depends on task {cause!r}, which is not there any more", taskId=cause)
        how = "has failed" if cause in self._done_of(job_id) else "cannot start either"
        return failure(FAILED, f"it depends on task {cause!r}, which {how}", taskId=cause)

    # -- what may be added -----------------------------------------------------------------------------------

    def check(self, job_id: str, specs: Sequence[TaskSpec], waiting: Callable[[], Iterable[Task]]) -> None:
        """New tasks depend on tasks that are there or come with them, and not on themselves. `waiting`: the job's tasks
        that wait for others. Raises JobError."""
        depending = [(spec.id, spec.depends_on) for spec in specs if spec.depends_on is not None]
        if not depending:
            return
        new = {spec.id for spec in specs}
        self._check_known(job_id, new, depending)
        graph = self._graphs.get(job_id)
        if graph is not None and any(map(graph.blocks, new)):
            # some may wait for one of that id, which was deleted
            depending += [(task.id, wanted) for task in waiting() if (wanted := task.spec.depends_on) is not None]
            new.update(task_id for task_id, _ in depending)
        cycle = find_cycle(new, dict(depending))
        if cycle:
            raise JobError("InvalidPropertyValue", f"task {cycle[0]!r}: dependsOn: {cycle_text(cycle)}")

    def _check_known(
        self, job_id: str, new: set[str], depending: Iterable[tuple[str, TaskDependencies]]
    ) -> None:
        tasks = KnownTasks(lambda task_id: task_id in new or self._exists((job_id, task_id)))
        for task_id, wanted in depending:
            missing = tasks.missing(wanted)
            if missing is not None:
                text = f"job {job_id!r} has no task {missing!r}; add it before this one or in the same request"
                raise JobError("InvalidPropertyValue", f"task {task_id!r}: dependsOn: {text}")
