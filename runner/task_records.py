"""The tasks in memory: those that are not completed, and of the others, who are in the store alone, what tasks to come
hang on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from pools import Ledger, Spellings, Table, TaskCounts, are_folded, folded

from .gone_ids import GoneIds
from .model import Job
from .states import TaskState
from .task_model import Done, Task, TaskKey
from .task_tally import DoneTotals, TaskTally


class TaskRecords:
    def __init__(self, ledger: Ledger, jobs: Table[str, Job]) -> None:
        #: the completed ones leave at the end of the batch in which they complete
        self.tasks: Table[TaskKey, Task] = Table(ledger, "tasks")
        self.gone = GoneIds(ledger)
        self._jobs = jobs
        self._ledger = ledger
        self._by_uid: dict[str, TaskKey] = {}
        self._open: dict[str, dict[TaskKey, None]] = {}
        self._choosy: dict[str, dict[TaskKey, None]] = {}
        self._done: dict[str, dict[str, int]] = {}
        self._leaving: dict[TaskKey, None] = {}
        #: gone in this batch, and still in the store
        self._gone: set[TaskKey] = set()
        #: jobs that tasks have come to, or that stand otherwise than before, since somebody has looked
        self.stirred: dict[str, None] = {}
        #: by job, of ids in memory that are not in lower case
        self._spellings: dict[str, Spellings] = {}
        self._tally = TaskTally(jobs)
        self._sequence = 0

    # -- what stands where -----------------------------------------------------------------------------------

    def load_records(self, tasks: dict[TaskKey, Task], done: dict[str, dict[str, int]], sequence: int) -> None:
        """Take over the stored tasks that are not completed, and what is remembered of the others. `sequence`: the
        greatest of all."""
        self.tasks.load(tasks)
        self._done = done
        self._sequence = sequence
        for job_id, ended in done.items():
            for task_id in ended:
                self._spell((job_id, task_id))

    def _spell(self, key: TaskKey) -> None:
        """There is a task of this id."""
        job_id, task_id = key
        if folded(task_id) != task_id:
            found = self._spellings.get(job_id)
            if found is None:
                found = self._spellings[job_id] = Spellings(partial(self._is_known, job_id))
            found.add(task_id)

    def _unspell(self, key: TaskKey) -> None:
        """There is none any more, as far as memory goes."""
        if key[0] in self._spellings:
            self._spellings[key[0]].discard(key[1])

    def _is_known(self, job_id: str, task_id: str) -> bool:
        return (job_id, task_id) in self.tasks or task_id in self._done.get(job_id, ())

    def register(self, task: Task) -> None:
        """A task that is not completed is there."""
        self._by_uid[task.uid] = task.key
        self._spell(task.key)
        self._opened(task)
        self._sequence = max(self._sequence, task.sequence)
        self._tally.add(task, +1)

    def register_new(self, job_id: str, tasks: Mapping[TaskKey, Task]) -> None:
        """Tasks of the job that have just been made are there."""
        self._by_uid.update({task.uid: key for key, task in tasks.items()})
        self._open.setdefault(job_id, {}).update(dict.fromkeys(tasks))
        self.stirred[job_id] = None
        for key, task in tasks.items():
            if task.size or task.is_job_manager:
                self._choosy.setdefault(job_id, {})[key] = None
        if not are_folded([key[1] for key in tasks]):
            for key in tasks:
                self._spell(key)
        self._tally.add_new(job_id, tasks.values())

    def known_done(self, job_id: str, totals: DoneTotals) -> None:
        """What the job's completed tasks came to, as they were loaded."""
        self._tally.add_done(job_id, totals)

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def taken(self, job_id: str, task_ids: Sequence[str]) -> str | None:
        """The first of these ids of new tasks that there is a task of already, or that stands there twice, as it is
        spelled there."""
        if job_id not in self._spellings and self._are_free(job_id, task_ids):
            return None
        seen: dict[str, str] = {}
        tasks, done, others = self.tasks, self._done.get(job_id, ()), job_id in self._spellings
        for task_id in task_ids:
            plain = folded(task_id)
            if plain in seen:
                return seen[plain]
            if others or plain != task_id or task_id in done or (job_id, task_id) in tasks:
                key = self.spelled((job_id, task_id))
                if key is not None:
                    return key[1]
            seen[plain] = task_id
        return None

    def _are_free(self, job_id: str, task_ids: Sequence[str]) -> bool:
        """All of them are in lower case, as those of the job are, and none is taken; False says nothing."""
        wanted = {(job_id, task_id) for task_id in task_ids}
        return (
            len(wanted) == len(task_ids)
            and self.tasks.has_none(wanted)
            and (not (done := self._done.get(job_id)) or done.keys().isdisjoint(task_ids))
            and are_folded(task_ids)
        )

    def put(self, old: Task, new: Task) -> Task:
        """Record the task's next version."""
        self._tally.move(old, new)
        if new.state is not old.state and TaskState.COMPLETED in (new.state, old.state):
            self._move(new)
        return self.tasks.put(new.key, new)

    def _move(self, task: Task) -> None:
        """Between those that are completed and the others."""
        ended = self._done.setdefault(task.job_id, {})
        unfinished = self._open.setdefault(task.job_id, {})
        if task.done is None:
            ended.pop(task.id, None)
            self._opened(task)
        else:
            unfinished.pop(task.key, None)
            self._choosy.get(task.job_id, {}).pop(task.key, None)
            ended[task.id] = task.done
            self._leaving[task.key] = None

    def _opened(self, task: Task) -> None:
        self._open.setdefault(task.job_id, {})[task.key] = None
        self.stirred[task.job_id] = None
        if task.size or task.is_job_manager:
            self._choosy.setdefault(task.job_id, {})[task.key] = None

    def let_go(self) -> None:
        """The batch is over: completed tasks are in the store, and leave memory."""
        for key in self._leaving:
            task = self.tasks.get(key)
            if task is not None and task.state is TaskState.COMPLETED:
                self.tasks.let_go(key)
                del self._by_uid[task.uid]
                if not self._is_known(*key):
                    self._unspell(key)
        self._leaving.clear()
        self._gone.clear()

    def recall(self, task: Task) -> None:
        """Have a completed task in memory until the end of this batch: something is asked of it."""
        if task.key in self._gone:
            return
        self.tasks.hold(task.key, task)
        self._by_uid[task.uid] = task.key
        self._spell(task.key)
        self._leaving[task.key] = None

    def drop(self, task: Task, now: float) -> None:
        """The task goes, from the store too; what is left is its id."""
        self._tally.add(task, -1)
        self._open.get(task.job_id, {}).pop(task.key, None)
        self._choosy.get(task.job_id, {}).pop(task.key, None)
        self._done.get(task.job_id, {}).pop(task.id, None)
        self._leaving.pop(task.key, None)
        self._gone.add(task.key)
        del self._by_uid[task.uid]
        self._unspell(task.key)
        self.tasks.remove(task.key)
        if self._jobs[task.job_id].declared:
            self.gone.deleted(task.key, now)

    def forget_job(self, job_id: str) -> None:
        """The job is over: nothing hangs on its tasks any more."""
        for task_id in self._done.pop(job_id, ()):
            if (job_id, task_id) not in self.tasks:
                self._unspell((job_id, task_id))

    def remove_job(self, job_id: str) -> None:
        """The job goes, with all its tasks; none of them is at a node."""
        for task in self.open_of(job_id):
            self._tally.add(task, -1)
        # the completed ones that are in memory go too: what comes in this batch may be of another job of that id
        leaving = [key for key in self._leaving if key[0] == job_id]
        for key in {*self._open.get(job_id, ()), *leaving}:
            del self._by_uid[self.tasks[key].uid]
            self.tasks.let_go(key)
            self._leaving.pop(key, None)
        self._tally.forget(job_id)
        self._open.pop(job_id, None)
        self._choosy.pop(job_id, None)
        self._ledger.purge(self.tasks.name, job_id)
        self.gone.purge(job_id)
        self.forget_job(job_id)
        self._spellings.pop(job_id, None)

    # -- questions -------------------------------------------------------------------------------------------

    def done(self, key: TaskKey) -> Done | None:
        """How the task of a job that is not over has ended; None: it has not, or there is none."""
        flags = self._done.get(key[0], {}).get(key[1])
        return None if flags is None else Done(flags)

    def done_of(self, job_id: str) -> dict[str, int]:
        """How the job's completed tasks ended, by id (see Done); kept up to date."""
        return self._done.setdefault(job_id, {})

    def open_jobs(self) -> list[str]:
        """Jobs with tasks that are not completed."""
        return [job_id for job_id, keys in self._open.items() if keys]

    def exists(self, key: TaskKey) -> bool:
        """Is there such a task in a job that is not over, however its id is spelled?"""
        return self.spelled(key) is not None

    def spelled(self, key: TaskKey) -> TaskKey | None:
        """The key of the task of a job that is not over, or that is in memory, of whose id this is a spelling; None:
        there is none."""
        job_id, task_id = key
        if self._is_known(job_id, task_id):
            return key
        if job_id in self._spellings:
            found = self._spellings[job_id].find(task_id)
            return None if found is None else (job_id, found)
        plain = folded(task_id)
        return (job_id, plain) if plain != task_id and self._is_known(job_id, plain) else None

    def open_of(self, job_id: str) -> list[Task]:
        """The job's tasks that are not completed, oldest first."""
        return [self.tasks[key] for key in self._open.get(job_id, ())]

    def open_tasks(self, job_id: str) -> int:
        """Tasks of the job that are not completed."""
        return self._tally.open_tasks(job_id)

    def ready_tasks(self, job_id: str) -> int:
        """Tasks of the job that run, or may start: what waits for others goes on only when these end."""
        return self._tally.ready_tasks(job_id)

    def choosy_tasks(self, job_id: str) -> list[Task]:
        """Those of its open tasks that not every node of the pool may take, or not alone: multi-instance tasks, and the
        job manager task."""
        return [self.tasks[key] for key in self._choosy.get(job_id, ())]

    def has_choosy(self, job_id: str) -> bool:
        """Is there any of those?"""
        return bool(self._choosy.get(job_id))

    def placed_tasks(self, job_id: str) -> list[Task]:
        return [task for task in self.open_of(job_id) if task.node_id is not None]

    def counts(self, pool_id: str) -> TaskCounts:
        return self._tally.of_pool(pool_id)

    def task_of(self, execution_id: str) -> Task | None:
        """The task in memory that the execution belongs to, whether it is the present one or not."""
        key = self._by_uid.get(execution_id.rpartition("-")[0])
        return self.tasks.get(key) if key is not None else None
