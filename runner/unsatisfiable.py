"""Work that cannot be done as things are: said at once, taken back when things change. Pure.

What stands in the way of all tasks of a job is said on the job: its pool has no node and will get none, or its
preparation task has failed wherever it was tried. What stands in the way of one is said on the task: no node has slots
enough, it needs more nodes at once, or dedicated ones. None of these counts for the pool's formula, or keeps nodes.

A formula may bring what is missing, so it has some evaluations of time first, while there are nodes that do not help.
What is missing because of preparations that have failed is not awaited of new nodes either, as long as nobody asks for
something else: else they would be made, and fail, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from pools import Context, FailureInfo, Pool, evolve

from .failure import failure
from .job_machine import JobMachine
from .job_preparation import JobPreparation
from .lacks import OF_JOB, Lacks, wait_of
from .model import NO_POOL, UNPREPARED, Job
from .outlook import Outlook, obstacle, outlook
from .states import TaskState
from .task_model import Task

#: What is said on a task (Batch REST API: task scheduling error codes).
NO_ROOM = "TaskSchedulingConstraintFailed"


class Unsatisfiable:
    def __init__(
        self,
        ctx: Context,
        jobs: JobMachine,
        barred: Callable[[Pool, float], str | None],
        preparation: JobPreparation,
    ) -> None:
        """`barred`: why no node may be created in a pool."""
        self._ctx = ctx
        self._jobs = jobs
        self._barred = barred
        self._preparation = preparation
        self._jobs_known: dict[str, _Known] = {}
        #: jobs to look at, and those to leave alone until they, or their pools, are stirred: these are most of many
        self._unsettled: dict[str, None] = {}
        self._settled = _Settled()
        self._outlooks: dict[str, tuple[Callable[[], Outlook], FailureInfo | None] | None] = {}
        jobs.on_closed.append(self._forget)  # the next job of that id may come in the same batch

    def _forget(self, job: Job, now: float) -> None:
        self._jobs_known.pop(job.id, None)
        self._settled.discard(job.id)

    def settle(self, now: float) -> None:
        """Say and take back what has changed."""
        self._outlooks = {}
        tasks = self._jobs.tasks
        self._unsettled |= tasks.stirred
        self._unsettled |= dict.fromkeys(self._settled.stirred(self._ctx))
        tasks.stirred.clear()
        for job_id in tuple(self._unsettled):
            job = self._jobs.jobs.get(job_id)
            self._settled.discard(job_id)
            if job is None or not job.lives or not tasks.open_tasks(job_id):
                del self._unsettled[job_id]
                self._jobs_known.pop(job_id, None)
            elif job.held:
                self._pause(job)
            elif not job.takes_tasks:  # who lets it go on wants to see it tried again
                self._preparation.forgive(job_id)
                self._jobs_known.pop(job_id, None)
            elif job.pool_id not in self._ctx.draining:
                self._settle(job, now)

    def _settle(self, job: Job, now: float) -> None:
        pool = self._ctx.pools.get(job.pool_id)
        found = self._look(job.pool_id, pool, now)
        if pool is None or found is None:
            gone = failure(NO_POOL, f"there is no pool {job.pool_id!r}", poolId=job.pool_id)
            self._pause(job)
            self._say_on_job(job, gone, now)
            return
        look, error = found
        waits = self._jobs.tasks.open_tasks(job.id) > self._jobs.tasks.queue.placed_count(job.id)
        if not waits:
            error = None  # there is nothing that it could stand in the way of
        elif error is None and job.spec.job_preparation_task is not None:
            error = self._unprepared(job, pool, look(), now)
        if error is not None or not waits:
            self._pause(job)
        self._say_on_job(job, error, now)
        if error is None:
            self._measure(job, pool, look, now)
            if self._is_settled(job, pool):
                del self._unsettled[job.id]
                self._settled.add(job.id, pool)

    def _is_settled(self, job: Job, pool: Pool) -> bool:
        """There are nodes, and every one may take every task of the job."""
        choosy = job.spec.job_preparation_task is not None or self._jobs.tasks.has_choosy(job.id)
        return not choosy and not self._known(job).lacks and self._ctx.counted(pool.id).usable > 0

    def _look(
        self, pool_id: str, pool: Pool | None, now: float
    ) -> tuple[Callable[[], Outlook], FailureInfo | None] | None:
        """What all jobs of the pool have in common, looked at once; at its nodes one by one only if somebody asks."""
        if pool_id not in self._outlooks:
            found = None
            if pool is not None:
                barred = self._barred(pool, now)
                look = _Look(self._ctx, pool, barred is None)
                hopeful = self._ctx.counted(pool_id).usable or self._ctx.roster(pool_id).coming or sum(look().coming)
                found = look, obstacle(pool, hopeful, barred)
            self._outlooks[pool_id] = found
        return self._outlooks[pool_id]

    # -- jobs ------------------------------------------------------------------------------------------------

    def _say_on_job(self, job: Job, error: FailureInfo | None, now: float) -> None:
        if error == job.scheduling_error or (error is None and not job.blocked):
            return
        changed = evolve(job, now, scheduling_error=error)
        if changed.blocked == job.blocked:
            self._jobs.jobs.put(job.id, changed)
            return
        self._jobs.tasks.restate(changed)
        self._jobs.tasks.costs.touched.add(job.id)  # what its budget has to say may stand there again
        self._ctx.dirty.add(job.pool_id)

    def _unprepared(self, job: Job, pool: Pool, view: Outlook, now: float) -> FailureInfo | None:
        """Has the job's preparation failed wherever it was tried, with no hope of others?"""
        task = job.spec.job_preparation_task
        if task is None or not task.wait_for_success:
            return None
        count, limit = self._preparation.failures(job.id), self._ctx.settings.breaker_after
        if view.formula and 0 < limit <= count and not self._preparation.is_prepared(job.id):
            lack, where = None, f"{count} times in a row"
            present = job.scheduling_error
        else:
            lack = self._known(job).lacks.look(OF_JOB, 1, self._present(job, view), pool, view, now, dedicated=False)
            if lack is None:
                return None
            where = f"on every node of pool {pool.id!r}, and no other is to come"
            present = lack.error
        if present is not None and present.code == UNPREPARED:
            return present  # the nodes that it speaks of may have gone since
        last = self._preparation.last_failure(job.id)
        if last is None and not view.usable:
            return None
        why = f"; the last time: {last}" if last is not None else ""
        text = f"its preparation task failed {where}{why}. New nodes try it again when its cause is mended and the job "
        error = failure(UNPREPARED, text + "is disabled and enabled, or in the next `ebbtide run`", poolId=pool.id)
        if lack is not None:
            lack.error = error
        return error

    # -- tasks -----------------------------------------------------------------------------------------------

    def _measure(self, job: Job, pool: Pool, look: Callable[[], Outlook], now: float) -> None:
        """Tasks are checked when they come; a job may have come to another pool since, or that may have changed."""
        tasks, slots, known = self._jobs.tasks, pool.spec.task_slots_per_node, self._known(job)
        if known.measure != (pool.id, slots):
            known.measure = (pool.id, slots)
            for task in tasks.open_of(job.id):
                if task.state is TaskState.ACTIVE:
                    self._say_on_task(task, _too_wide(task, slots, pool.id), now)
        choosy = tasks.choosy_tasks(job.id)
        asking = [task for task in choosy if task.state is TaskState.ACTIVE and not task.node_id and not task.waiting]
        if known.lacks:
            known.lacks.keep({OF_JOB, *map(wait_of, asking)})
        if not asking:
            return
        view = look()
        present = self._present(job, view)
        for task in asking:
            error = _too_wide(task, slots, pool.id) or self._too_few(task, job, present, pool, view, now)
            self._say_on_task(task, error, now)

    def _too_few(self, task: Task, job: Job, present: int, pool: Pool, view: Outlook, now: float) -> FailureInfo | None:
        """Are there too few nodes that may take it, with no hope of others?"""
        dedicated, needed = needs_dedicated(task, job), task.size or 1
        if dedicated:
            present = self._present(job, view, dedicated=True)
        lack = self._known(job).lacks.look(wait_of(task), needed, present, pool, view, now, dedicated=dedicated)
        if lack is None:
            return None
        if lack.error is None:  # later the nodes may have gone that it speaks of
            lack.error = self._no_room(job, needed, pool, view, dedicated=dedicated)
        return lack.error

    def _no_room(self, job: Job, needed: int, pool: Pool, view: Outlook, *, dedicated: bool) -> FailureInfo:
        if dedicated:
            text = f"it may not run on a low-priority node, and pool {pool.id!r} has no dedicated one"
            return failure(NO_ROOM, f"{text}; resize the pool, or give the task allowLowPriorityNode: true")
        count = len(view.usable) + sum(view.coming) + view.awaited()
        text = f"it needs {needed} nodes at once, and pool {pool.id!r} is to have {count}"
        refusing = sum(self._preparation.refuses(job.id, node_id) for node_id in view.usable)
        if refusing:
            text += f", on {refusing} of which its job's preparation task has failed"
        return failure(NO_ROOM, f"{text}; resize the pool", numberOfInstances=needed, targetNodes=count)

    def _say_on_task(self, task: Task, error: FailureInfo | None, now: float) -> None:
        present = task.scheduling_error
        if error != present and task.node_id is None and (present is None or present.code == NO_ROOM):
            self._jobs.tasks.put(task, evolve(task, now, scheduling_error=error))
            self._ctx.dirty.add(self._jobs.jobs[task.job_id].pool_id)

    # -- both ------------------------------------------------------------------------------------------------

    def _known(self, job: Job) -> _Known:
        known = self._jobs_known.get(job.id)
        if known is None:
            known = self._jobs_known[job.id] = _Known(Lacks(self._ctx.timers))
        return known

    def _pause(self, job: Job) -> None:
        """Nothing of the job counts for its pool's formula at present."""
        if job.id in self._jobs_known:
            self._jobs_known[job.id].lacks.pause()

    def _present(self, job: Job, view: Outlook, *, dedicated: bool = False) -> int:
        """Nodes that are there, or on their way, and may take tasks of the job."""
        return view.present(lambda node_id: self._preparation.refuses(job.id, node_id), dedicated=dedicated)


class _Look:
    """At the nodes of a pool, once."""

    __slots__ = ("_ctx", "_found", "_grows", "_pool")

    def __init__(self, ctx: Context, pool: Pool, grows: bool) -> None:
        self._ctx, self._pool, self._grows = ctx, pool, grows
        self._found: Outlook | None = None

    def __call__(self) -> Outlook:
        if self._found is None:
            self._found = outlook(self._pool, self._ctx.nodes_of(self._pool.id), grows=self._grows)
        return self._found


class _Settled:
    """Jobs of which nothing is to be said as long as they stay as they are, and their pools have nodes of that size."""

    __slots__ = ("_by_pool", "_pools")

    def __init__(self) -> None:
        self._pools: dict[str, str] = {}
        self._by_pool: dict[str, tuple[int, dict[str, None]]] = {}

    def add(self, job_id: str, pool: Pool) -> None:
        self._pools[job_id] = pool.id
        self._by_pool.setdefault(pool.id, (pool.spec.task_slots_per_node, {}))[1][job_id] = None

    def discard(self, job_id: str) -> None:
        pool_id = self._pools.pop(job_id, None)
        if pool_id is not None:
            jobs = self._by_pool[pool_id][1]
            del jobs[job_id]
            if not jobs:
                del self._by_pool[pool_id]

    def stirred(self, ctx: Context) -> list[str]:
        """Those whose pools have not."""
        found = list[str]()
        for pool_id, (slots, jobs) in self._by_pool.items():
            pool = ctx.pools.get(pool_id)
            if pool is None or pool.spec.task_slots_per_node != slots or not ctx.counted(pool_id).usable:
                found += jobs
        return found


@dataclass(slots=True)
class _Known:
    """Of a job and its tasks."""

    lacks: Lacks
    #: what its tasks were last measured by
    measure: Hashable = None


def needs_dedicated(task: Task, job: Job) -> bool:
    """May the task run on no low-priority node?"""
    manager = job.spec.job_manager_task
    return task.is_job_manager and manager is not None and not manager.allow_low_priority_node


def _too_wide(task: Task, slots: int, pool_id: str) -> FailureInfo | None:
    if task.slots <= slots:
        return None
    text = f"it needs {task.slots} task slots, and the nodes of pool {pool_id!r} have {slots}"
    return failure(NO_ROOM, text, requiredSlots=task.slots, taskSlotsPerNode=slots)
