"""The table at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..rates import Rate, money
from ..report import Report
from .tally import Tally

#: Steps of a pool's history shown at most.
_STEPS = 12
#: Failed tasks named at most.
_FAILED = 10


def summary(report: Report, tally: Tally) -> str:
    rows = [("pool", "nodes over time", "peak", "node-seconds", "price", "rate per node-hour")]
    for pool in report.pools:
        amount = report.used(pool)
        rows.append(
            (
                pool.id,
                _steps(tally.steps.get(pool.id, [(tally.start, 0)]), tally.start),
                str(pool.usage.peak_nodes),
                f"{amount.seconds:.1f}",
                money(amount.cost),
                _rate(report.rates.get(pool.spec.vm_size, Rate())),
            )
        )
    states = Counter(str(job.state) for job in report.jobs)
    jobs = ", ".join(f"{count} {state}" for state, count in states.items()) or "none"
    return "\n".join(["", *_table(rows), "", f"jobs:  {jobs}", f"tasks: {_tasks(report)}", *_failed(report)])


def _steps(steps: Sequence[tuple[float, int]], start: float) -> str:
    """`0 -> 1 (3.0s) -> 0 (12.4s)`: how many nodes from when on."""
    told = [str(steps[0][1]), *(f"{count} ({max(0.0, when - start):.1f}s)" for when, count in steps[1:])]
    if len(told) > _STEPS:
        told = [*told[: _STEPS // 2], f"... {len(told) - _STEPS} more ...", *told[-_STEPS // 2 :]]
    return " -> ".join(told)


def _rate(rate: Rate) -> str:
    known = (("dedicated", rate.dedicated), ("low-priority", rate.low_priority))
    return ", ".join(f"{kind} {price:g}" for kind, price in known if price is not None) or "unknown"


def _tasks(report: Report) -> str:
    results = Counter(str(task.result or task.state) for task in report.tasks)
    names = {"success": "succeeded", "failure": "failed"}
    text = ", ".join(f"{count} {names.get(result, result)}" for result, count in results.items()) or "none"
    again = sum(task.requeue_count for task in report.tasks), sum(task.retry_count for task in report.tasks)
    extra = [f"{count} {word}" for count, word in zip(again, ("requeued", "retried"), strict=True) if count]
    return f"{text} ({', '.join(extra)})" if extra else text


def _failed(report: Report) -> list[str]:
    failed = report.failed
    lines = [f"  {task.job_id} {task.id}: {_why(task)}" for task in failed[:_FAILED]]
    return [*lines, f"  and {len(failed) - _FAILED} more"] if len(failed) > _FAILED else lines


def _why(task: object) -> str:
    failure = getattr(task, "failure", None)
    return failure.message if failure is not None else "failed"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
