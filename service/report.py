"""What `ebbtide run` has done: the object that `--json` prints, the table for people, the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pools import AutoScaleRun, Node, Pool
from runner import Job, Task

from .iso8601 import format_instant
from .rates import Rate, Rates, Used, used


@dataclass(frozen=True)
class Report:
    jobs: Sequence[Job]
    tasks: Sequence[Task]
    pools: Sequence[Pool]
    nodes: Sequence[Node]
    autoscale_runs: Sequence[AutoScaleRun]
    rates: Rates
    now: float

    @property
    def succeeded(self) -> bool:
        return all(task.result == "success" for task in self.tasks)

    @property
    def failed(self) -> list[Task]:
        return [task for task in self.tasks if task.result == "failure"]

    def used(self, pool: Pool) -> Used:
        return used(pool, self._nodes_of(pool), self.rates.get(pool.spec.vm_size, Rate()), self.now)

    def _nodes_of(self, pool: Pool) -> Iterable[Node]:
        return (node for node in self.nodes if node.pool_id == pool.id)

    def to_json(self) -> dict[str, Any]:
        return {
            "jobs": [_job(job) for job in self.jobs],
            "tasks": [_task(task) for task in self.tasks],
            "pools": [self._pool(pool) for pool in self.pools],
            "autoScaleRuns": [run_to_json(run) for run in self.autoscale_runs],
        }

    def _pool(self, pool: Pool) -> dict[str, Any]:
        nodes = list(self._nodes_of(pool))
        amount = self.used(pool)
        return {
            "id": pool.id,
            "currentDedicatedNodes": sum(not node.low_priority for node in nodes),
            "currentLowPriorityNodes": sum(node.low_priority for node in nodes),
            "peakNodes": pool.usage.peak_nodes,
            "nodeSeconds": round(amount.seconds, 3),
            "cost": None if amount.cost is None else round(amount.cost, 9),
        }


def _job(job: Job) -> dict[str, Any]:
    return {"id": job.id, "state": job.state, "terminateReason": job.terminate_reason}


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
