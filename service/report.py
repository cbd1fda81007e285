"""What `ebbtide run` has done: the object that `--json` prints, the table for people, the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TextIO

from pools import AutoScaleRun, Cost, Node, Pool, node_cost, options_of, options_of_job
from runner import Job, Task

from .costs import Used, cost_json, idle_cost, used
from .iso8601 import format_instant
from .work import Work, is_allowed, work_of


@dataclass(frozen=True)
class Report:
    jobs: Sequence[Job]
    #: all tasks, oldest first, afresh at each call: too many to be held
    tasks: Callable[[], Iterable[Task]]
    pools: Sequence[Pool]
    nodes: Sequence[Node]
    autoscale_runs: Sequence[AutoScaleRun]
    now: float
    #: pools that were deleted in this run, as they were at last
    departed: Sequence[Pool] = ()

    @property
    def all_pools(self) -> tuple[Pool, ...]:
        return (*self.pools, *self.departed)

    @cached_property
    def work(self) -> Work:
        nodes, pools = {node.id: node for node in self.nodes}, {pool.id: pool for pool in self.pools}
        return work_of(self.tasks(), nodes, pools, self.now)

    @property
    def succeeded(self) -> bool:
        """Is all done, and as it was planned?"""
        return not set(self.work.results) - {"success", "failure"} and not self.failed_count

    @property
    def failed_count(self) -> int:
        """Tasks that have failed, but for those that did as their exit conditions allow."""
        return self.work.results["failure"] - self.work.allowed_count

    def used(self, pool: Pool) -> Used:
        return used(pool, self._nodes_of(pool), self.now)

    def idle(self, pool: Pool) -> float | None:
        """What the pool has cost beside its tasks; None: unknown."""
        if sum(each.id == pool.id for each in self.all_pools) > 1:
            return None  # which tasks ran in which of them?
        jobs = (self.job_cost(job) for job in self.jobs if job.pool_id == pool.id)
        return idle_cost(self.used(pool).cost, jobs)

    def job_cost(self, job: Job) -> Cost:
        deleted = Cost(job.deleted_cost, job.deleted_unpriced_seconds)
        return self.work.costs.get(job.id, Cost()) + deleted

    def _nodes_of(self, pool: Pool) -> list[Node]:
        gone = any(pool is each for each in self.departed)
        return [] if gone else [node for node in self.nodes if node.pool_id == pool.id]

    def to_json(self) -> dict[str, Any]:
        return {**self._head(), "tasks": [_task(task) for task in self.tasks()], **self._tail()}

    def _head(self) -> dict[str, Any]:
        return {"jobs": [self._job(job) for job in self.jobs]}

    def _tail(self) -> dict[str, Any]:
        return {
            "pools": [self._pool(pool) for pool in self.all_pools],
            "autoScaleRuns": [run_to_json(run) for run in self.autoscale_runs],
        }

    def write(self, to: TextIO) -> None:
        """The same as JSON, task by task."""
        rest = {**self._head(), "tasks": [], **self._tail()}
        tasks = (json.dumps(_task(task)) for task in self.tasks())
        for number, (name, values) in enumerate(rest.items()):
            to.write("{\n" if not number else ",\n")
            to.write(f"  {json.dumps(name)}: ")
            if name == "tasks":
                _write_list(tasks, to)
            else:
                to.write(json.dumps(values, indent=2).replace("\n", "\n  "))
        to.write("\n}\n")
        to.flush()

    def _pool(self, pool: Pool) -> dict[str, Any]:
        nodes, amount, idle = self._nodes_of(pool), self.used(pool), self.idle(pool)
        return {
            "id": pool.id,
            "deleted": any(pool is each for each in self.departed),
            "currentDedicatedNodes": sum(not node.low_priority for node in nodes),
            "currentLowPriorityNodes": sum(node.low_priority for node in nodes),
            "peakNodes": pool.usage.peak_nodes,
            "nodeSeconds": round(amount.seconds, 3),
            **cost_json(amount.cost),
            "idleCost": None if idle is None else round(idle, 9),
            "budget": options_of(pool.spec.metadata).budget,
            "nodes": [self._node(node) for node in nodes if not node.vm_gone],
        }

    def _node(self, node: Node) -> dict[str, Any]:
        return {"id": node.id, "pricePerHour": node.price_per_hour, **cost_json(node_cost(node, self.now))}

    def _job(self, job: Job) -> dict[str, Any]:
        return {
            "id": job.id,
            "state": job.state,
            "terminateReason": job.terminate_reason,
            **cost_json(self.job_cost(job)),
            "budget": options_of_job(job.spec.metadata).budget,
            "schedulingError": error_text(job),
        }


def _write_list(items: Iterable[str], to: TextIO) -> None:
    """A line for each."""
    count = 0
    for count, item in enumerate(items, 1):
        to.write(f"[\n    {item}" if count == 1 else f",\n    {item}")
    to.write("\n  ]" if count else "[]")


def error_text(job: Job) -> str | None:
    """What stands in the way of the job's tasks."""
    error = job.scheduling_error
    return f"{error.code}: {error.message}" if error is not None else None


def _task(task: Task) -> dict[str, Any]:
    return {
        "jobId": task.job_id,
        "id": task.id,
        "state": task.state,
        "result": task.result,
        "exitCode": task.exit_code,
        "retryCount": task.retry_count,
        "requeueCount": task.requeue_count,
        "nodeId": task.last_node_id or task.node_id,
        **({"failureAllowed": True} if task.result == "failure" and is_allowed(task) else {}),
    }


def run_to_json(run: AutoScaleRun) -> dict[str, Any]:
    """As the Batch REST API answers it, with the pool."""
    error = None
    if run.error is not None:
        values = [{"name": value.name, "value": value.value} for value in run.error.values]
        error = {"code": run.error.code, "message": run.error.message, "values": values}
    return {
        "poolId": run.pool_id,
        "timestamp": format_instant(run.timestamp),
        "results": run.results,
        "error": error,
    }
