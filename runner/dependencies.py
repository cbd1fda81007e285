"""What hangs on the ends of tasks: who may start, who never will as things are. Pure.

What is known here is built from records alone: a task that depends on others says so in its record (`waiting`) until it
may start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pools import FailureInfo, folded

from .dependency_checks import KnownTasks, cycle_text, find_cycle
from .dependency_graph import DependencyGraph
from .failure import failure
from .job_errors import JobError
from .task_model import Done, Task, TaskKey
from .task_spec import TaskDependencies, TaskSpec
from .wanted_ids import WantedIds

FAILED, MISSING = "DependencyFailed", "MissingDependency"


class Dependencies:
    def __init__(
        self,
        done_of: Callable[[str], Mapping[str, int]],
        spelled: Callable[[TaskKey], TaskKey | None],
    ) -> None:
        """`done_of`: how the completed tasks of a job ended, by id; `spelled`: the key of the task that is meant,
        however its id is spelled; None: there is none."""
        self._done_of = done_of
        self._spelled = spelled
        self._graphs: dict[str, DependencyGraph] = {}
        self._known: dict[str, KnownTasks] = {}
        #: what tasks name that wait, until they are told that they may start
        self._wanted: dict[str, WantedIds] = {}
        #: jobs with a range that is not all there: only the first gap of it blocks
        self._gaps: set[str] = set()
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

        def satisfied(task_id: str) -> bool:
            ended = done.get(task_id)
            if ended is None and (key := self._spelled((job_id, task_id))) is not None:
                ended = done.get(key[1])
            return bool((ended or 0) & Done.SATISFIES)

        return satisfied

    def _exists(self, key: TaskKey) -> bool:
        return self._spelled(key) is not None

    # -- what happens ----------------------------------------------------------------------------------------

    def add(self, task: Task, wanted: TaskDependencies) -> tuple[bool, FailureInfo | None]:
        """Must the new task wait, and will it for ever?"""
        graph = self._graph(task.job_id)
        if not graph.add(task.id, wanted):
            return False, None
        self._count(task, wanted)
        cause = graph.blocked(wanted)
        if cause is None:
            return True, None
        graph.block([task.id])
        return True, self.error(task.job_id, cause)

    def wait(self, task: Task, wanted: TaskDependencies) -> bool:
        """Must the task, which is not new, wait?"""
        waits = self._graph(task.job_id).add(task.id, wanted)
        if waits:
            self._count(task, wanted)
        return waits

    def _count(self, task: Task, wanted: TaskDependencies) -> None:
        self._wanted.setdefault(task.job_id, WantedIds()).add(task.id, wanted)

    def freed(self, task: Task) -> None:
        """The task waits no more: what goes that it had waited for makes no difference to it."""
        counted = self._wanted.get(task.job_id)
        if counted is not None and counted.counts(task.id):
            counted.remove(task.id, task.spec.depends_on or TaskDependencies())

    def blocked(self, task: Task, wanted: TaskDependencies) -> list[tuple[str, str]]:
        """(Task, because of which id) of each task that never will start, now that `task` is among those that wait."""
        graph = self._graph(task.job_id)
        cause = graph.blocked(wanted)
        if cause is not None:
            return [(task.id, cause), *graph.block([task.id])]
        missing = self._known_of(task.job_id).missing(wanted)
        if missing is None:
            return []
        if missing.within is not None:
            self._gaps.add(task.job_id)
        return graph.block([missing.task_id])

    def _known_of(self, job_id: str) -> KnownTasks:
        """(It remembers what is there; see `undone`.)"""
        known = self._known.get(job_id)
        if known is None:
            known = self._known[job_id] = KnownTasks(lambda task_id: self._exists((job_id, task_id)))
        return known

    def matter(self, job_id: str) -> bool:
        """Does, or did, a task of the job wait for another?"""
        return job_id in self._graphs

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
        self.freed(task)
        return (graph.satisfy(task.id), []) if task.satisfies else ([], graph.block([task.id]))

    def undone(self, task: Task) -> None:
        """The task is completed no more, or there no more: that matters if others wait for it."""
        graph = self._graphs.get(task.job_id)
        if graph is None:
            return
        graph.remove(task.id)
        self.freed(task)
        if task.id in self._wanted.get(task.job_id, ()):
            self.stale[task.job_id] = None
            return
        graph.undo(task.id)
        if task.job_id in self._known:
            self._known[task.job_id].forget(task.id)

    def forget(self, job_id: str) -> None:
        self._graphs.pop(job_id, None)
        self._known.pop(job_id, None)
        self._wanted.pop(job_id, None)
        self._gaps.discard(job_id)
        self.stale.pop(job_id, None)

    def renew(self, job_id: str) -> None:
        """Begin anew: of all tasks that wait it is to be asked again."""
        self.forget(job_id)
        self._graph(job_id)

    def _failed(self, job_id: str) -> list[str]:
        """Completed tasks that let no other start."""
        return [task_id for task_id, flags in self._done_of(job_id).items() if not flags & Done.SATISFIES]

    def error(self, job_id: str, cause: str) -> FailureInfo:
        """Of a task that cannot start because of the task `cause`."""
        key = self._spelled((job_id, cause))
        if key is None:
            return failure(MISSING, f"it depends on task {cause!r}, which is not there", taskId=cause)
        cause = key[1]
        flags = self._done_of(job_id).get(cause)
        if flags is None:
            how = "cannot start either"
        else:
            how = "lets no other start (see its exitConditions)" if flags & Done.SUCCEEDED else "has failed"
        return failure(FAILED, f"it depends on task {cause!r}, which {how}", taskId=cause)

    # -- what may be added -----------------------------------------------------------------------------------

    def check_known(self, job_id: str, specs: Sequence[TaskSpec]) -> None:
        """New tasks depend on tasks that are there or come with them. Raises JobError."""
        depending = [(spec.id, spec.depends_on) for spec in specs if spec.depends_on is not None]
        coming = {folded(spec.id) for spec in specs} if depending else set()
        tasks = KnownTasks(lambda task_id: folded(task_id) in coming or self._exists((job_id, task_id)))
        for task_id, wanted in depending:
            missing = tasks.missing(wanted)
            if missing is not None:
                text = f"job {job_id!r} has {missing}; add it before this one or in the same request"
                raise JobError("InvalidPropertyValue", f"task {task_id!r}: dependsOn: {text}")

    def check_cycles(
        self, job_id: str, specs: Sequence[TaskSpec], waiting: Callable[[], Iterable[Task]], *, doubtful: bool = False
    ) -> None:
        """New tasks do not depend on themselves. `waiting`: the job's tasks that wait for others; `doubtful`: what they
        wait for is being seen anew. Raises JobError."""
        depending = [(spec.id, spec.depends_on) for spec in specs if spec.depends_on is not None]
        if not depending:
            return
        new = {spec.id for spec in specs}
        graph = self._graphs.get(job_id)
        if doubtful or job_id in self._gaps or (graph is not None and any(map(graph.blocks, new))):
            # some may wait for one of that id, which was deleted or not there yet
            depending += [(task.id, wanted) for task in waiting() if (wanted := task.spec.depends_on) is not None]
            new.update(task_id for task_id, _ in depending)
        cycle = find_cycle(new, dict(depending))
        if cycle:
            raise JobError("InvalidPropertyValue", f"task {cycle[0]!r}: dependsOn: {cycle_text(cycle)}")
