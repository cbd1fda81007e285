"""New tasks, and those that wait for others before they may queue for a node. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pools import FailureInfo, Ledger, Table, evolve

from . import dependencies
from .dependencies import Dependencies
from .model import Job
from .task_model import Task
from .task_queue import TaskQueue
from .task_records import TaskRecords
from .task_spec import TaskSpec, packed

_OURS = frozenset((dependencies.FAILED, dependencies.MISSING))


class WaitingTasks(TaskRecords):
    def __init__(self, ledger: Ledger, jobs: Table[str, Job]) -> None:
        super().__init__(ledger, jobs)
        self._jobs = jobs
        #: tasks that wait for a node
        self.queue = TaskQueue(self.tasks, jobs)
        self.dependencies = Dependencies(self.done_of, self.exists)

    def new(
        self, job: Job, spec: TaskSpec, uid: str, now: float, *, is_job_manager: bool = False, exclusive: bool = False
    ) -> Task:
        """The record of a new task."""
        wanted = spec.depends_on
        return Task(
            created=now,
            modified=now,
            state_time=now,
            job_id=job.id,
            id=spec.id,
            uid=uid,
            sequence=self.next_sequence(),
            raw_spec=packed(spec),
            slots=spec.required_slots,
            is_job_manager=is_job_manager,
            exclusive=exclusive,
            affinity=spec.affinity_info.affinity_id if spec.affinity_info is not None else None,
            waiting=wanted is not None and bool(wanted.task_ids or wanted.task_id_ranges),
            conditional=spec.exit_conditions is not None,
            size=spec.multi_instance_settings.number_of_instances if spec.multi_instance_settings is not None else 0,
        )

    def check_new(self, job_id: str, specs: Sequence[TaskSpec]) -> None:
        """What new tasks depend on is there, and not they themselves. Raises JobError."""
        self.dependencies.check(job_id, specs, lambda: self._waiting_of(job_id))

    def _waiting_of(self, job_id: str) -> list[Task]:
        return [task for task in self.open_of(job_id) if task.waiting]

    def enqueue(self, task: Task) -> None:
        """The task is to run: it queues for a node as soon as those have ended that it depends on."""
        self.dependencies.known(task)
        wanted = task.spec.depends_on if task.waiting else None
        if wanted is None:
            self.queue.push(task)
            return
        waits, error = self.dependencies.add(task, wanted)
        if not waits:
            self.queue.push(self.put(task, evolve(task, task.modified, waiting=False)))
        elif error is not None:
            self.put(task, evolve(task, task.modified, scheduling_error=error))

    def resume_waiting(self, jobs: Iterable[str]) -> None:
        """After a restart: who waits for whom, by the records as they were stored."""
        for job_id in jobs:
            waiting = self._waiting_of(job_id) if self._jobs[job_id].lives else ()
            if waiting:
                self._recount(job_id, waiting, waiting[0].modified)

    def forget_job(self, job_id: str) -> None:
        super().forget_job(job_id)
        self.dependencies.forget(job_id)

    def settle_dependants(self, task: Task, now: float) -> None:
        """Draw the consequences of a task's end for those that depend on it."""
        free, blocked = self.dependencies.completed(task)
        for task_id in free:
            self._free(self.tasks[task.job_id, task_id], now)
        for task_id, cause in blocked:
            self._say_why(self.tasks[task.job_id, task_id], self.dependencies.error(task.job_id, cause), now)

    def settle_waiting(self, now: float) -> None:
        """Completed tasks were reactivated or deleted: what depends on them is seen anew."""
        for job_id in tuple(self.dependencies.stale):
            job = self._jobs.get(job_id)
            if job is not None and job.lives:
                self._recount(job_id, self._waiting_of(job_id), now)
            else:
                self.dependencies.forget(job_id)

    def _recount(self, job_id: str, waiting: Sequence[Task], now: float) -> None:
        free, why = self.dependencies.rebuild(job_id, waiting)
        for task in free:
            self._free(task, now)
        for task in waiting:
            present = self.tasks[task.key]
            if present.waiting:
                self._say_why(present, why.get(task.id), now)

    def _free(self, task: Task, now: float) -> None:
        """Nothing that the task depends on stands in its way."""
        error = task.scheduling_error
        if error is not None and error.code in _OURS:
            error = None
        self.queue.push(self.put(task, evolve(task, now, waiting=False, scheduling_error=error)))

    def _say_why(self, task: Task, error: FailureInfo | None, now: float) -> None:
        """Why the task cannot start; None: it may, when others have ended."""
        present = task.scheduling_error
        if error != present and (present is None or present.code in _OURS):
            self.put(task, evolve(task, now, scheduling_error=error))
