"""What one execution prints, and where that is found: kept in the records, or on a node at present."""

from __future__ import annotations

from dataclasses import dataclass

from pools import Attempt
from runner import Instance, Job, Journal, Output, OutputStore, Task, TaskState

from .file_trees import TreeError
from .nearest import named

PREPARATION, RELEASE = "jobpreparation", "jobrelease"


@dataclass(frozen=True, slots=True)
class Present:
    """The present or last attempt. `ended`: nothing more is printed. `execution`: which one that is, with the number of
    the attempt behind the last dash; another one prints from the beginning. `place` and `path`: where a controller
    finds the file (see RemoteTree); None: nowhere at present. `state` in words. `earlier`: attempts before it."""

    ended: bool
    execution: str
    state: str
    place: tuple[str, ...] | None = None
    path: str = ""
    last: Attempt | None = None
    earlier: tuple[Attempt, ...] = ()

    @property
    def attempt(self) -> int:
        return attempt_of(self.execution)


def attempt_of(execution: str) -> int:
    """0: it has not begun."""
    number = execution.rpartition("-")[2].partition(".")[0]
    return int(number) if number.isdecimal() else 0


def _recorded(journal: Journal, kind: str, parent: str, id: str) -> tuple[str, str]:
    """Parent and id as they are spelled in the records, if they are there."""
    job = journal.job(parent) if kind in ("task", PREPARATION, RELEASE) else None
    if job is None or kind != "task":
        return (parent if job is None else job.id, id)
    own, slash, number = id.rpartition("/") if journal.task((job.id, id)) is None else (id, "", "")
    task = journal.task((job.id, own))
    return (job.id, id if task is None else f"{task.id}{slash}{number}")


class LogSource:
    """Reads the journal afresh at every question. Raises TreeError."""

    def __init__(self, journal: Journal, store: OutputStore, kind: str, parent: str, id: str, stream: str) -> None:
        """`kind`: as the owner of an Output, with its `parent` and `id`."""
        self._journal = journal
        self.store = store
        self._key = (kind, *_recorded(journal, kind, parent, id))
        self.stream = stream

    @property
    def name(self) -> str:
        kind, parent, own = self._key
        return {
            "task": f"task {own!r} of job {parent!r}",
            "starttask": f"the start task of node {own!r} of pool {parent!r}",
            PREPARATION: f"the preparation of job {parent!r} on node {own!r}",
            RELEASE: f"the release task of job {parent!r} on node {own!r}",
        }[kind]

    def kept(self, attempt: int | None = None) -> Output | None:
        """Of an attempt; None: of the last one that has left any."""
        return self._journal.output(*self._key, self.stream, attempt)

    def sizes(self) -> dict[int, dict[str, int]]:
        """Bytes printed, by attempt and stream, of what is kept."""
        return self._journal.output_sizes(*self._key)

    def present(self) -> Present:
        kind, parent, own = self._key
        if kind == "task":
            return self._of_task(parent, own)
        return self._of_start_task(parent, own) if kind == "starttask" else self._of_job_node(kind, parent, own)

    def _of_task(self, job_id: str, task_id: str) -> Present:
        job, task = self._journal.job(job_id), self._journal.task((job_id, task_id))
        if job is not None and task is None and "/" in task_id:
            found = self._of_subtask(job, *task_id.rsplit("/", 1))
            if found is not None:
                return found
        if job is None or task is None:
            raise TreeError(404, "TaskNotFound", self._unknown(job_id, task_id))
        ended = task.state is TaskState.COMPLETED
        state = f"is {task.state}"
        if ended and task.failure is not None:
            state = f"has no {self.stream}: {task.failure.message}"
        elif task.requeue_count and task.state is not TaskState.RUNNING:
            state += f", requeued {task.requeue_count} time{'' if task.requeue_count == 1 else 's'}"
        # before it runs, the folder on its node may be that of an attempt before
        place = ("jobs", job_id, "tasks", task_id) if task.state is TaskState.RUNNING else None
        execution = task.execution_id if task.attempt else ""
        return Present(ended, execution, state, place, f"{self.stream}.txt", _last(task), task.earlier)

    def _of_subtask(self, job: Job, task_id: str, number: str) -> Present | None:
        """Of another instance than the primary of a multi-instance task; None: there is no such."""
        task = self._journal.task((job.id, task_id))
        if task is None or not number.isdecimal() or not 0 < int(number) < task.size:
            return None
        of = int(number)
        instance = task.instances[of] if task.instances else None
        state = f"is {task.state if instance is None else instance.state}"
        place = None
        if instance is not None and instance.state == "running":
            place = ("pools", job.pool_id, "nodes", instance.node_id)
        return Present(
            task.state is TaskState.COMPLETED,
            task.execution_of(of) if task.attempt else "",
            state,
            place,
            f"{job.directory}/{task_id}/{self.stream}.txt",
            _last(task, instance),
            task.earlier,
        )

    def _of_start_task(self, pool_id: str, node_id: str) -> Present:
        node = next((n for n in self._journal.nodes() if (n.pool_id, n.id) == (pool_id, node_id)), None)
        if node is None:
            return Present(True, "", f"did not run: pool {pool_id!r} has no node {node_id!r}")
        start = node.start_task
        if start is None:
            return Present(node.vm_gone, "", "has not run yet")
        ended = node.vm_gone or start.state == "completed"
        last = Attempt(
            number=node.start_task_attempt,
            node_id=node_id,
            start_time=start.start_time,
            end_time=start.end_time,
            exit_code=start.exit_code,
            reason=str(start.result or start.state),
        )
        place = None if ended else ("pools", pool_id, "nodes", node_id)
        execution = f"start-{node.start_task_attempt}"
        path = f"startup/{self.stream}.txt"
        return Present(ended, execution, f"is {start.state}", place, path, last, start.earlier)

    def _of_job_node(self, kind: str, job_id: str, node_id: str) -> Present:
        job = self._journal.job(job_id)
        if job is None:
            raise TreeError(404, "JobNotFound", self._unknown(job_id, ""))
        found = self._journal.job_node((job_id, node_id))
        preparing = kind == PREPARATION
        spec = job.spec.job_preparation_task if preparing else job.spec.job_release_task
        execution = None if found is None else found.preparation if preparing else found.release
        if spec is None or execution is None or found is None:
            nodes = [each.node_id for each in self._journal.job_nodes(job_id)]
            return Present(True, "", f"did not run; {named('nodes', nodes, node_id)}")
        last = Attempt(
            number=execution.attempt,
            node_id=node_id,
            start_time=execution.start_time,
            end_time=execution.end_time,
            exit_code=execution.exit_code,
            reason=str(execution.result or execution.state),
        )
        path = f"{job.directory}/{spec.id or kind}/{self.stream}.txt"
        place = ("pools", found.pool_id, "nodes", node_id) if execution.start_time is not None else None
        ended, which = execution.state == "completed", f"{kind}-{execution.attempt}"
        return Present(ended, which, f"is {execution.state}", place, path, last, execution.earlier)

    def _unknown(self, job_id: str, task_id: str) -> str:
        if self._journal.job(job_id) is None:
            return f"there is no job {job_id!r}; {named('jobs', [job.id for job in self._journal.jobs()], job_id)}"
        ids = self._journal.task_queries.ids(job_id)
        return f"job {job_id!r} has no task {task_id!r}; {named('tasks', ids, task_id)}"


def _last(task: Task, instance: Instance | None = None) -> Attempt | None:
    """The task's present or last attempt, or what an instance does in it; None: there is none."""
    if not task.attempt or (task.earlier and task.earlier[-1].number == task.attempt):
        return None
    of = task if instance is None else instance
    return Attempt(
        number=task.attempt,
        node_id=(task.node_id or task.last_node_id) if instance is None else instance.node_id,
        start_time=of.start_time,
        end_time=of.end_time,
        exit_code=of.exit_code,
        reason=str(of.result or of.state) if of.failure is None else of.failure.message,
    )
