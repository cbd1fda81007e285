"""What became of all tasks, in numbers: found in one pass, of which nothing but the first failures is held."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pools import Cost, Node, Pool
from runner import Task, allows, task_cost

#: Tasks of each kind that are kept.
FAILURES = 20


@dataclass
class Work:
    #: tasks by result; by state, if they have none
    results: Counter[str] = field(default_factory=Counter)
    #: by job: what its executions have taken of nodes
    costs: dict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    #: the first ones, oldest first
    failed: list[Task] = field(default_factory=list)
    #: the same of failures that are as their exit conditions allow; and how many there are
    allowed: list[Task] = field(default_factory=list)
    allowed_count: int = 0
    #: the first ones that cannot start as things are; and how many there are
    hindered: list[Task] = field(default_factory=list)
    hindered_count: int = 0
    #: how often tasks were started again: because a node was lost, because they had failed
    requeued: int = 0
    retried: int = 0


def work_of(tasks: Iterable[Task], nodes: Mapping[str, Node], pools: Mapping[str, Pool], now: float) -> Work:
    """Executions that run are counted until `now`."""
    work = Work()
    for task in tasks:
        work.results[str(task.result or task.state)] += 1
        work.requeued += task.requeue_count
        work.retried += task.retry_count
        node = nodes.get(task.node_id or "")
        pool = pools.get(node.pool_id) if node is not None else None
        slots = pool.spec.task_slots_per_node if pool is not None else 1
        work.costs[task.job_id] += task_cost(task, node, slots, now)
        if task.result == "failure":
            planned = is_allowed(task)
            work.allowed_count += planned
            _keep(work.allowed if planned else work.failed, task)
        elif task.state == "active" and task.scheduling_error is not None:
            work.hindered_count += 1
            _keep(work.hindered, task)
    return work


def is_allowed(task: Task) -> bool:
    """Did it fail as its exit conditions allow?"""
    return task.conditional and allows(task.spec.exit_conditions, task.exit_code, task.failure)


def _keep(tasks: list[Task], task: Task) -> None:
    if len(tasks) < FAILURES:
        tasks.append(task)
