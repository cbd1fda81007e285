"""Tasks as `ebbtide status` tells them: counts and costs of all by SQL, single ones only when they are asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from pools import Cost, FailureInfo, Node, Pool
from runner import DoneTotals, Journal, Task

from .costs import job_costs
from .iso8601 import format_instant

#: More run at no time.
_RUNNING = 1_000_000
#: What states are called there that are none of the Batch REST API.
_NAMES = {"succeeded": "success", "failed": "failure"}


def counts_json(counts: Mapping[str, int]) -> dict[str, int]:
    """By result, or by state if there is none."""
    return {_NAMES.get(state, state): count for state, count in counts.items() if count}


def costs_by_job(
    journal: Journal, nodes: Mapping[str, Node], pools: Mapping[str, Pool], now: float
) -> dict[str, Cost]:
    """What the jobs' executions have taken of nodes, with those that run until `now`."""
    queries = journal.task_queries
    found: dict[str, Cost] = defaultdict(Cost)
    sums: Sequence[Mapping[str, DoneTotals]] = (queries.totals(), queries.open_totals())
    for some in sums:
        for job_id, totals in some.items():
            found[job_id] += Cost(totals.cost, totals.unpriced_seconds)
    for job in journal.jobs():
        found[job.id] += Cost(job.deleted_cost, job.deleted_unpriced_seconds)
    running = queries.find(states=("running",), limit=_RUNNING)
    present = (replace(task, cost=0.0, unpriced_seconds=0.0) for task in running)
    for job_id, cost in job_costs(present, nodes, pools, now).items():
        found[job_id] += cost
    return found


def _told(failure: FailureInfo | None) -> str | None:
    return f"{failure.code}: {failure.message}" if failure is not None else None


def task_json(task: Task, waits: str | None = None) -> dict[str, Any]:
    """`waits`: see Waits.reason."""
    return {
        "jobId": task.job_id,
        "id": task.id,
        "state": str(task.state),
        "since": format_instant(task.state_time),
        "result": task.result,
        "exitCode": task.exit_code,
        **({"containerInfo": {"containerId": task.container_id}} if task.container_id is not None else {}),
        "nodeId": task.node_id or task.last_node_id,
        "retryCount": task.retry_count,
        "requeueCount": task.requeue_count,
        "lastRequeueReason": task.last_requeue_reason or None,
        "failure": _told(task.failure),
        **({"warning": task.warning} if task.warning else {}),
        "schedulingError": _told(task.scheduling_error),
        "waits": waits,
        "hint": task.hint,
    }


def task_line(task: Task, waits: str | None = None) -> str:
    """One line for people. `waits`: see Waits.reason."""
    told = task_json(task, waits)
    words = [f"{told['result'] or told['state']} since {told['since']}"]
    if told["exitCode"] is not None:
        words.append(f"exit code {told['exitCode']}")
    if told["nodeId"] is not None:
        words.append(f"on {told['nodeId']}")
    for name in ("retried", "requeued"):
        count = task.retry_count if name == "retried" else task.requeue_count
        if count:
            why = f" (the last time: {task.last_requeue_reason})" if name == "requeued" else ""
            words.append(f"{name} {count} time{'' if count == 1 else 's'}{why if task.last_requeue_reason else ''}")
    if told["failure"] is not None:
        words.append(str(told["failure"]))
    if task.warning:
        words.append(f"warning: {task.warning}")
    if told["schedulingError"] is not None:
        words.append(str(told["schedulingError"]))
    if waits is not None:
        words.append(waits)
    if told["hint"] is not None:
        words.append(f"hint: {told['hint']}")
    return f"{task.job_id} {task.id}: {', '.join(words)}"
