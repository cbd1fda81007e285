"""The scheduler's pass over what most tasks are: they wish for nothing, and every node of their pool may take them.
Pure.

It places what the whole pass would, in the same order and at the same nodes, and stops before the first task that is
not like this. A pool of ten thousand busy nodes is not looked at for each task that waits.
"""

from __future__ import annotations

from collections.abc import Generator

from pools import Context, Pool

from .commands import StartExecution
from .execution import Executions
from .job_machine import JobMachine
from .model import Job
from .task_model import Task


def place_plain(
    ctx: Context, jobs: JobMachine, executions: Executions, pool: Pool, now: float
) -> Generator[StartExecution, None, bool]:
    """Yields start commands. Returns whether that is all: nothing that waits could be placed."""
    tasks, queue = jobs.tasks, jobs.tasks.queue
    if queue.has_parked(pool.id):
        return False
    pack = pool.spec.task_scheduling_policy.node_fill_type == "pack"
    while (task := queue.first(pool.id)) is not None:
        job = jobs.jobs[task.job_id]
        if not _is_plain(task, job):
            return False
        node = tasks.open_nodes.best(pool.id, task.slots, pack)
        if node is None:
            return _all_wait(jobs, task, job, pool)
        task = tasks.place(task, node, True, now)
        yield from executions.begin(task, ctx.nodes[node.node_id], now)
    return True


def _is_plain(task: Task, job: Job) -> bool:
    wishes = task.size or task.exclusive or task.is_job_manager or task.affinity is not None
    # nodes are only refused by jobs whose preparation has failed there
    return not wishes and job.spec.job_preparation_task is None


def _all_wait(jobs: JobMachine, task: Task, job: Job, pool: Pool) -> bool:
    """Does all that waits do so as long as this first one does? It has a claim to every node then: it will fit there,
    it makes none free, and is not short enough to be sent ahead."""
    tasks = jobs.tasks
    if not tasks.open_nodes.all_have(pool.id, task.slots) or (task.slots == 1 and tasks.durations.ahead(job.id)):
        return False
    there = map(jobs.jobs.__getitem__, tasks.queue.jobs_at_nodes())
    return not any(each.spec.allow_task_preemption and each.spec.priority < job.spec.priority for each in there)
