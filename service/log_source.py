"""What one execution prints, and where that is found: kept in the records, or on a node at present."""

from __future__ import annotations

from dataclasses import dataclass

from runner import Journal, Output, OutputStore, TaskState

from .file_trees import TreeError

#: Ids named in an error message at most.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Present:
    """`ended`: nothing more is printed. `execution`: which one that is; another one prints from the beginning.
    `place` and `path`: where a controller finds the file (see RemoteTree); None: nowhere at present. `state` in words.
    """

    ended: bool
    execution: str
    state: str
    place: tuple[str, ...] | None
    path: str


class LogSource:
    """Reads the journal afresh at every question. Raises TreeError."""

    def __init__(self, journal: Journal, store: OutputStore, kind: str, parent: str, id: str, stream: str) -> None:
        """`kind`: as the owner of an Output, with its `parent` and `id`."""
        self._journal = journal
        self.store = store
        self._key = (kind, parent, id)
        self.stream = stream

    @property
    def name(self) -> str:
        kind, parent, own = self._key
        return {
            "task": f"task {own!r} of job {parent!r}",
            "starttask": f"the start task of node {own!r} of pool {parent!r}",
            "jobpreparation": f"the preparation of job {parent!r} on node {own!r}",
            "jobrelease": f"the release task of job {parent!r} on node {own!r}",
        }[kind]

    def kept(self) -> Output | None:
        return self._journal.output(*self._key, self.stream)

    def present(self) -> Present:
        kind, parent, own = self._key
        if kind == "task":
            return self._of_task(parent, own)
        return self._of_start_task(parent, own) if kind == "starttask" else self._of_job_node(kind, parent, own)

    def _of_task(self, job_id: str, task_id: str) -> Present:
        task, path = self._journal.task((job_id, task_id)), f"{self.stream}.txt"
        if task is None:
            raise TreeError(404, "TaskNotFound", self._unknown(job_id, task_id))
        place = ("jobs", job_id, "tasks", task_id)
        ended = task.state is TaskState.COMPLETED
        state = f"is {task.state}"
        if ended and task.failure is not None:
            state = f"never ran and has no {self.stream}: {task.failure.message}"
        elif task.requeue_count and task.state is not TaskState.RUNNING:
            state += f", requeued {task.requeue_count} times"
        return Present(ended, task.execution_id if task.attempt else "", state, place, path)

    def _of_start_task(self, pool_id: str, node_id: str) -> Present:
        node = next((n for n in self._journal.nodes() if (n.pool_id, n.id) == (pool_id, node_id)), None)
        if node is None:
            return Present(True, "", f"did not run: pool {pool_id!r} has no node {node_id!r}", None, "")
        start = node.start_task
        state = f"is {start.state}" if start is not None else "has not run yet"
        ended = node.vm_gone or (start is not None and start.state == "completed")
        place = ("pools", pool_id, "nodes", node_id)
        return Present(ended, "starttask", state, None if ended else place, f"startup/{self.stream}.txt")

    def _of_job_node(self, kind: str, job_id: str, node_id: str) -> Present:
        job = self._journal.job(job_id)
        if job is None:
            raise TreeError(404, "JobNotFound", self._unknown(job_id, ""))
        found = self._journal.job_node((job_id, node_id))
        preparing = kind == "jobpreparation"
        spec = job.spec.job_preparation_task if preparing else job.spec.job_release_task
        execution = None if found is None else found.preparation if preparing else found.release
        if spec is None or execution is None or found is None:
            return Present(True, "", "did not run", None, "")
        folder = spec.id or kind
        place = ("pools", found.pool_id, "nodes", node_id)
        path = f"{job.directory}/{folder}/{self.stream}.txt"
        return Present(execution.state == "completed", str(execution.attempt), f"is {execution.state}", place, path)

    def _unknown(self, job_id: str, task_id: str) -> str:
        if self._journal.job(job_id) is None:
            return f"there is no job {job_id!r}; {_known('jobs', [job.id for job in self._journal.jobs()])}"
        return f"job {job_id!r} has no task {task_id!r}; {_known('tasks', self._journal.task_queries.ids(job_id))}"


def _known(kind: str, ids: list[str]) -> str:
    if not ids:
        return f"there are no {kind}"
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{kind}: {', '.join(ids[-_NAMED:])}{more}"
