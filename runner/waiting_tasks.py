"""New tasks, and those that wait for others before they may queue for a node. Pure.

A hundred thousand tasks may wait for one. What follows from its end is drawn for some of them in each batch, so that
nothing else has to wait for all of them; after a restart it is found anew, from the records.
"""

from __future__ import annotations

from collections import deque
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
#: Tasks for which consequences are drawn at a time, once or twice in a batch; some 20 microseconds each, and as much in
#: the journal.
SLICE = 2000
#: What is to be done with a task that waits: it may start; or whether it may is to be seen anew; or it cannot start,
#: because of a task of this id.
_FREE, _ANEW = object(), object()


class WaitingTasks(TaskRecords):
    def __init__(self, ledger: Ledger, jobs: Table[str, Job]) -> None:
        super().__init__(ledger, jobs)
        self._jobs = jobs
        #: tasks that wait for a node
        self.queue = TaskQueue(self.tasks, jobs)
        self.dependencies = Dependencies(self.done_of, self.spelled)
        #: by job: ids of tasks that wait, and what is to be done with each
        self._unsettled: dict[str, deque[tuple[str, object]]] = {}

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

    def check_new(self, job_id: str, specs: Sequence[TaskSpec], *, complete: bool) -> None:
        """New tasks do not depend on themselves; if they are `complete`, all that they depend on is there or among
        them. Raises JobError."""
        if complete:
            self.dependencies.check_known(job_id, specs)
        left = self._unsettled.get(job_id)
        doubtful = left is not None and left[0][1] is _ANEW
        self.dependencies.check_cycles(job_id, specs, lambda: self._waiting_of(job_id), doubtful=doubtful)

    def are_free(self, job_id: str, specs: Iterable[TaskSpec]) -> bool:
        """New tasks wait for no other, and nothing of the job waits for any."""
        return not self.dependencies.matter(job_id) and all(spec.depends_on is None for spec in specs)

    def add_new(self, job: Job, specs: Sequence[TaskSpec], uids: Sequence[str], now: float) -> Sequence[Task]:
        """Record new tasks that are free, all together."""
        made = [self.new(job, spec, uid, now) for spec, uid in zip(specs, uids, strict=True)]
        tasks = {task.key: task for task in made}
        self.tasks.put_all(tasks)
        self.register_new(job.id, tasks)
        self.queue.push_new(job.id, tasks)
        return made

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

    def tell_missing(self, tasks: Sequence[Task], now: float) -> tuple[Task, ...]:
        """Of new tasks: what they depend on may come later, but whoever forgot it is told at once. As they are then."""
        waiting = [task for task in tasks if task.waiting]
        if not waiting:
            return tuple(tasks)
        for task in waiting:
            wanted = task.spec.depends_on if task.scheduling_error is None else None
            for task_id, cause in self.dependencies.blocked(task, wanted) if wanted is not None else ():
                self._say_why(self.tasks[task.job_id, task_id], self.dependencies.error(task.job_id, cause), now)
        return tuple(self.tasks[task.key] for task in tasks)

    def resume_waiting(self, jobs: Iterable[str]) -> None:
        """After a restart: who waits for whom, by the records as they were stored."""
        for job_id in jobs:
            waiting = self._waiting_of(job_id) if self._jobs[job_id].lives else ()
            if waiting:
                self._see_anew(job_id, waiting)
                self._settle_some(job_id, len(waiting), waiting[0].modified)

    def restated(self, job_id: str) -> None:
        """The job's state, priority, limit or pool may have changed."""
        self.stirred[job_id] = None
        self.queue.refresh(job_id)

    def forget_job(self, job_id: str) -> None:
        super().forget_job(job_id)
        self.queue.forget(job_id)
        self.dependencies.forget(job_id)
        self._unsettled.pop(job_id, None)

    @property
    def is_settled(self) -> bool:
        """Is nothing left over for the next batch?"""
        return not self._unsettled

    def settle_dependants(self, task: Task, now: float) -> None:
        """Draw the consequences of a task's end for those that depend on it."""
        free, blocked = self.dependencies.completed(task)
        if free or blocked:
            left = self._unsettled.setdefault(task.job_id, deque())
            left.extend((task_id, _FREE) for task_id in free)
            left.extend(blocked)

    def settle_waiting(self, now: float) -> None:
        """Draw the consequences of what has happened to tasks for those that wait for them; not of all, if these are
        many (see `is_settled`)."""
        for job_id in tuple(self.dependencies.stale):
            job = self._jobs.get(job_id)
            if job is not None and job.lives:
                # completed tasks that others wait for were reactivated or deleted
                self._see_anew(job_id, self._waiting_of(job_id))
            else:
                self.dependencies.forget(job_id)
        some = SLICE
        for job_id in tuple(self._unsettled):
            if some > 0:
                some -= self._settle_some(job_id, some, now)
                if job_id in self._unsettled:  # the others come first next time
                    self._unsettled[job_id] = self._unsettled.pop(job_id)

    def _see_anew(self, job_id: str, waiting: Sequence[Task]) -> None:
        """Which of these tasks may start, whatever was known before. Those come first for whom that is asked already:
        however often it is, each has its turn."""
        self.dependencies.renew(job_id)
        ids = dict.fromkeys(task_id for task_id, what in self._unsettled.get(job_id, ()) if what is _ANEW)
        ids.update(dict.fromkeys(task.id for task in waiting))
        if ids:
            self._unsettled[job_id] = deque((task_id, _ANEW) for task_id in ids)
        else:
            self._unsettled.pop(job_id, None)

    def _settle_some(self, job_id: str, most: int, now: float) -> int:
        """How many they were."""
        left = self._unsettled[job_id]
        count = 0
        while left and count < most:
            task_id, what = left.popleft()
            count += 1
            task = self.tasks.get((job_id, task_id))
            if task is None or not task.waiting:
                continue  # it was ended meanwhile
            if what is _ANEW:
                self._settle_anew(task, now)
            elif what is _FREE:
                self._free(task, now)
            else:
                self._say_why(task, self.dependencies.error(job_id, str(what)), now)
        if not left:
            self._unsettled.pop(job_id, None)
        return count

    def _settle_anew(self, task: Task, now: float) -> None:
        wanted = task.spec.depends_on
        if wanted is None or not self.dependencies.wait(task, wanted):
            self._free(task, now)
            return
        blocked = self.dependencies.blocked(task, wanted)
        for task_id, cause in blocked:  # tasks that were looked at before may have waited for this one
            self._say_why(self.tasks[task.job_id, task_id], self.dependencies.error(task.job_id, cause), now)
        if not blocked:
            self._say_why(task, None, now)

    def _free(self, task: Task, now: float) -> None:
        """Nothing that the task depends on stands in its way."""
        error = task.scheduling_error
        if error is not None and error.code in _OURS:
            error = None
        self.dependencies.freed(task)
        self.queue.push(self.put(task, evolve(task, now, waiting=False, scheduling_error=error)))

    def _say_why(self, task: Task, error: FailureInfo | None, now: float) -> None:
        """Why the task cannot start; None: it may, when others have ended."""
        present = task.scheduling_error
        if error != present and (present is None or present.code in _OURS):
            self.put(task, evolve(task, now, scheduling_error=error))
