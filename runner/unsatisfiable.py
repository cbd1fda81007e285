"""Work that cannot be done as things are: said at once, taken back when things change. Pure.

Of a pool that has no node and will get none it is said on the jobs; of a task that no node of its pool has slots for,
on the task, which does not count for the pool's formula then.
"""

from __future__ import annotations

from pools import Context, FailureInfo, NodeState, Pool, PoolState, evolve

from .failure import failure
from .job_machine import JobMachine
from .model import Job
from .states import TaskState
from .task_model import Task

#: What is said on a task (Batch REST API: task scheduling error codes) and on a job.
NO_ROOM = "TaskSchedulingConstraintFailed"
NO_NODES = "PoolHasNoNodes"

_TAKES_TASKS = (NodeState.IDLE, NodeState.RUNNING)


def obstacle(pool: Pool, usable: int) -> FailureInfo | None:
    """Why no task can run in the pool; `usable`: nodes of it that could take one now."""
    if usable:
        return None
    if pool.state is PoolState.DELETING:
        return failure(NO_NODES, f"pool {pool.id!r} is being deleted", poolId=pool.id)
    if pool.broken_since is not None:
        text = f"pool {pool.id!r} has stopped, because its nodes failed again and again; see why, then resume it"
        return failure(NO_NODES, text, poolId=pool.id)
    if not (pool.spec.enable_auto_scale or pool.target_dedicated or pool.target_low_priority):
        text = f"pool {pool.id!r} has no node, its target is 0 and it has no formula; resize it"
        return failure(NO_NODES, text, poolId=pool.id)
    return None


class Unsatisfiable:
    def __init__(self, ctx: Context, jobs: JobMachine) -> None:
        self._ctx = ctx
        self._jobs = jobs
        #: what the tasks of each job were last measured by: task slots of the pool's nodes, and how many there will be
        self._measured: dict[str, tuple[int, int | None]] = {}

    def settle(self, now: float) -> None:
        """Say and take back what has changed."""
        obstacles: dict[str, FailureInfo | None] = {}
        open_jobs = self._jobs.tasks.open_jobs()
        for job_id in open_jobs:
            job = self._jobs.jobs.get(job_id)
            if job is None or not job.takes_tasks:
                continue
            if job.pool_id not in obstacles:
                obstacles[job.pool_id] = self._obstacle(job.pool_id)
            self._say_on_job(job, obstacles[job.pool_id], now)
            self._measure(job, now)
        if len(self._measured) > len(open_jobs):
            self._measured = {job_id: self._measured[job_id] for job_id in open_jobs if job_id in self._measured}

    def _obstacle(self, pool_id: str) -> FailureInfo | None:
        pool = self._ctx.pools.get(pool_id)
        if pool is None:
            return failure(NO_NODES, f"there is no pool {pool_id!r}", poolId=pool_id)
        if pool_id in self._ctx.draining:
            return None
        return obstacle(pool, sum(node.state in _TAKES_TASKS for node in self._ctx.nodes_of(pool_id)))

    def _say_on_job(self, job: Job, error: FailureInfo | None, now: float) -> None:
        present = job.scheduling_error
        if error != present and (present is None or present.code == NO_NODES):
            self._jobs.jobs.put(job.id, evolve(job, now, scheduling_error=error))

    def _measure(self, job: Job, now: float) -> None:
        """Tasks are checked when they come; a job may have come to another pool since."""
        pool = self._ctx.pools.get(job.pool_id)
        if pool is None:
            return
        nodes = None if pool.spec.enable_auto_scale else pool.target_dedicated + pool.target_low_priority
        measure = pool.spec.task_slots_per_node, nodes or None  # without any it is said on the job
        if measure == self._measured.get(job.id):
            return
        self._measured[job.id] = measure
        for task in self._jobs.tasks.open_of(job.id):
            if task.state is TaskState.ACTIVE:
                self._say_on_task(task, *measure, job.pool_id, now)

    def _say_on_task(self, task: Task, slots: int, nodes: int | None, pool_id: str, now: float) -> None:
        """`nodes` None: there may be as many as it takes."""
        error, present = None, task.scheduling_error
        if task.slots > slots:
            text = f"it needs {task.slots} task slots, and the nodes of pool {pool_id!r} have {slots}"
            error = failure(NO_ROOM, text, requiredSlots=task.slots, taskSlotsPerNode=slots)
        elif nodes is not None and task.size > nodes:
            text = f"it needs {task.size} nodes at once, and pool {pool_id!r} is to have {nodes}; resize the pool"
            error = failure(NO_ROOM, text, numberOfInstances=task.size, targetNodes=nodes)
        if error != present and (present is None or present.code == NO_ROOM):
            self._jobs.tasks.put(task, evolve(task, now, scheduling_error=error))
