"""The table at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pools import options_of, options_of_job
from runner import Task

from ..columns import columns
from ..costs import told
from ..money import money
from ..report import Report, error_text
from .tally import Tally

#: Steps of a pool's history shown at most.
_STEPS = 12
#: Jobs whose cost is told at most, and jobs of which is told what stands in their way.
_JOBS = 10
#: Failed tasks named at most.
_FAILED = 20


def summary(report: Report, tally: Tally) -> str:
    rows = [("pool", "nodes over time", "peak", "node-seconds", "cost", "idle", "budget")]
    for pool in report.all_pools:
        amount = report.used(pool)
        rows.append(
            (
                pool.id,
                _steps(tally.steps.get(pool.id, [(tally.start, 0)]), tally.start),
                str(pool.usage.peak_nodes),
                f"{amount.seconds:.1f}",
                told(amount.cost),
                money(report.idle(pool)),
                _budget(options_of(pool.spec.metadata).budget),
            )
        )
    states = Counter(str(job.state) for job in report.jobs)
    jobs = ", ".join(f"{count} {state}" for state, count in states.items()) or "none"
    tables = ["", *columns(rows), "", *_job_costs(report)]
    return "\n".join([*tables, f"jobs:  {jobs}", *_budgets(report), f"tasks: {_tasks(report)}", *_failed(report)])


def _job_costs(report: Report) -> list[str]:
    """The dearest jobs, if any has cost something or has a budget."""
    rows = []
    for job in report.jobs:
        cost, budget = report.job_cost(job), options_of_job(job.spec.metadata).budget
        if cost.known or cost.unpriced or budget is not None:
            rows.append((cost.known, (job.id, str(job.state), told(cost), _budget(budget))))
    rows.sort(key=lambda row: -row[0])
    lines = columns([("job", "state", "cost", "budget"), *(cells for _, cells in rows[:_JOBS])]) if rows else []
    rest = [f"and {len(rows) - _JOBS} more"] if len(rows) > _JOBS else []
    return [*lines, *rest, ""] if rows else []


def _budget(budget: float | None) -> str:
    return "-" if budget is None else money(budget)


def _budgets(report: Report) -> list[str]:
    """What budgets have to say, and what else stands in the way of jobs."""
    pools = [
        f"  pool {pool.id}: {error.code}: {error.message}"
        for pool in report.pools
        for error in pool.resize_errors
        if error.code.startswith("Budget")
    ]
    jobs = [f"  job {job.id}: {text}" for job in report.jobs if (text := error_text(job)) is not None]
    more = len(jobs) - _JOBS
    return [*pools, *jobs[:_JOBS], *([f"  and {more:,} more jobs: `ebbtide status` tells why"] if more > 0 else [])]


def _steps(steps: Sequence[tuple[float, int]], start: float) -> str:
    """`0 -> 1 (3.0s) -> 0 (12.4s)`: how many nodes from when on."""
    told = [str(steps[0][1]), *(f"{count} ({max(0.0, when - start):.1f}s)" for when, count in steps[1:])]
    if len(told) > _STEPS:
        told = [*told[: _STEPS // 2], f"... {len(told) - _STEPS} more ...", *told[-_STEPS // 2 :]]
    return " -> ".join(told)


def _tasks(report: Report) -> str:
    work = report.work
    names = {"success": "succeeded", "failure": "failed"}
    text = ", ".join(f"{count:,} {names.get(result, result)}" for result, count in work.results.items()) or "none"
    if work.allowed_count:
        failed, allowed = work.results["failure"], work.allowed_count
        words = "as its exit conditions allow" if allowed == 1 else "as their exit conditions allow"
        words = f" {words}" if allowed == failed else f", {allowed:,} of them {words}"
        text = text.replace(" failed", f" failed{words}", 1)
    extra = [f"{count:,} {word}" for count, word in ((work.requeued, "requeued"), (work.retried, "retried")) if count]
    return f"{text} ({', '.join(extra)})" if extra else text


def _failed(report: Report) -> list[str]:
    work = report.work
    failed = [*work.failed, *work.allowed]
    return [
        *_listed(failed, report.failed_count + work.allowed_count, "failed"),
        *_listed(work.hindered, work.hindered_count, "active"),
    ]


def _listed(tasks: Sequence[Task], count: int, state: str) -> list[str]:
    """The first of so many tasks."""
    lines = [f"  {task.job_id} {task.id}: {_why(task)}" for task in tasks[:_FAILED]]
    more = count - len(lines)
    return [*lines, f"  and {more:,} more: `ebbtide status --task-state {state}` lists them"] if more else lines


def _why(task: Task) -> str:
    if task.scheduling_error is not None:
        return f"cannot start: {task.scheduling_error.message}"
    return task.failure.message if task.failure is not None else "failed"
