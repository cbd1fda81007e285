from __future__ import annotations

import json
import re
import shutil
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..hints import pasteable
from .ids import job_ids
from .options import json_option, state_option

if TYPE_CHECKING:
    from runner import Job, Journal

    from ..waits import Waits

#: States of nodes whose reason says more than why they were ordered.
_TELLING = frozenset(
    ("leavingpool", "offline", "preempted", "rebooting", "reimaging", "starttaskfailed", "unusable")
)
#: What is told in sentences.
_TEXTS = ("reason", "schedulingError", "waits")
#: A space at which no line ends.
_FIXED = "\xa0"
#: Columns of what is no terminal: programs look for whole sentences.
_ENDLESS = 1 << 20


@click.command()
@click.option("--job", "job_id", metavar="JOB", shell_complete=job_ids, help="Only this job, and its tasks.")
@click.option(
    "--task-state",
    "task_states",
    multiple=True,
    type=click.Choice(("active", "preparing", "running", "succeeded", "failed")),
    help="List the tasks in this state; may be given several times.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="Nodes, jobs and tasks listed at most (with --json: tasks).",
)
@state_option
@json_option
def status(job_id: str | None, task_states: tuple[str, ...], limit: int, state: Path, as_json: bool) -> None:
    """Print the pools, nodes and jobs of a state, as the records have them."""
    from pools import Cost, node_cost, options_of, options_of_job
    from runner import open_journal

    from ..clock import now
    from ..costs import cost_json, used
    from ..iso8601 import format_instant
    from ..report import error_text
    from ..state import StateDirectory
    from ..task_status import costs_by_job, counts_json, task_json, task_line
    from ..waits import Waits

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        time, node_records, pool_records = now(), journal.nodes(), journal.pools()
        nodes = [
            {
                "id": node.id,
                "poolId": node.pool_id,
                "state": str(node.state),
                "since": format_instant(node.state_time),
                "lowPriority": node.low_priority,
                "vm": node.vm_name,
                "size": node.size or None,
                "zone": node.zone or (node.vm.zone if node.vm is not None else None),
                "pricePerHour": node.price_per_hour,
                **cost_json(node_cost(node, time)),
                "standIn": node.fallback or None,
                "reclaimAt": _instant(node.reclaim_at),
                "silentSince": _instant(node.silent_since),
                "reason": node.reason if node.state in _TELLING else None,
            }
            for node in node_records
        ]
        pools = [
            {
                "id": pool.id,
                "state": str(pool.state),
                "provider": pool.provider,
                "vmSize": pool.spec.vm_size,
                "allocationState": str(pool.allocation_state),
                "targetDedicatedNodes": pool.target_dedicated,
                "targetLowPriorityNodes": pool.target_low_priority,
                "currentNodes": sum(node["poolId"] == pool.id for node in nodes),
                "circuitBreakerOpenSince": _instant(pool.broken_since),
                "failedNode": pool.broken_node,
                "fallbackSince": _instant(pool.fallback_since),
                **cost_json(used(pool, [node for node in node_records if node.pool_id == pool.id], time).cost),
                "budget": options_of(pool.spec.metadata).budget,
                "resizeErrors": [f"{error.code}: {error.message}" for error in pool.resize_errors],
            }
            for pool in pool_records
        ]
        job_records = [job for job in journal.jobs() if job_id in (None, job.id)]
        if job_id is not None and not job_records:
            raise click.ClickException(f"there is no job {job_id!r}; `ebbtide status` lists the jobs")
        counts = journal.task_queries.counts()
        known = {node.id: node for node in node_records}, {pool.id: pool for pool in pool_records}
        costs = costs_by_job(journal, *known, time)
        waits = Waits(job_records, pool_records, node_records, counts, journal.job_nodes)
        tasks = None
        if job_id is not None or task_states:
            tasks = [(each, waits.reason(each)) for each in journal.task_queries.find(job_id, task_states, limit)]
        jobs = [
            {
                "id": job.id,
                "poolId": job.pool_id,
                "state": str(job.state),
                "terminateReason": job.terminate_reason,
                "tasks": counts_json(counts.get(job.id, {})),
                **cost_json(costs.get(job.id, Cost())),
                "budget": options_of_job(job.spec.metadata).budget,
                "schedulingError": error_text(job),
                "waits": _first(journal, waits, job, counts.get(job.id, {})) if place >= 0 else None,
            }
            for place, job in enumerate(job_records, limit - len(job_records))
        ]
    finally:
        journal.close()
    if as_json:
        found: dict[str, Any] = {"pools": pools, "nodes": nodes, "jobs": jobs}
        if tasks is not None:
            found["tasks"] = [task_json(*each) for each in tasks]
        click.echo(json.dumps(found, indent=2))
        return
    for title, rows in (("pools", pools), ("nodes", nodes), ("jobs", jobs)):
        click.echo(f"{title}:" if rows else f"{title}: none")
        if len(rows) > limit and title != "pools":
            states = ", ".join(f"{count} {name}" for name, count in Counter(row["state"] for row in rows).items())
            click.echo(f"  {len(rows)} in all: {states}; the last {limit}:")
            rows = rows[-limit:]
        for row in rows:
            click.echo("\n".join(_lines(row, state)))
    if tasks is not None:
        of_jobs = [counts.get(job.id, {}) for job in job_records]
        asked = sum(count for each in of_jobs for name, count in each.items() if not task_states or name in task_states)
        click.echo(_heading(len(tasks), asked))
        for each in tasks:
            click.echo("\n".join(_wrapped(task_line(*each), "  ")))


def _first(journal: Journal, waits: Waits, job: Job, counts: Mapping[str, int]) -> str | None:
    """Of a job of which nothing runs: what its first task waits for."""
    some_run = counts.get("running") or counts.get("preparing")
    if not counts.get("active") or some_run or job.blocked or job.held or not job.lives:
        return None
    found = journal.task_queries.find(job.id, ("active",), 1)
    text = waits.reason(found[0]) if found else None
    if found and text is None and found[0].scheduling_error is not None:
        text = found[0].scheduling_error.message
    return f"task {found[0].id}: {text}" if text is not None else None


def _heading(shown: int, asked: int) -> str:
    if not shown:
        return "tasks: none"
    return f"tasks, the first {shown} of {asked} (--limit N shows more):" if shown < asked else "tasks:"


def _instant(time: float | None) -> str | None:
    from ..iso8601 import format_instant

    return format_instant(time) if time is not None else None


def _lines(row: dict[str, Any], state: Path) -> list[str]:
    """One paragraph, and one for each long text, as wide as the terminal."""
    from pools import Cost

    from ..costs import told

    row = {name: value for name, value in row.items() if value not in (None, [], {})}
    cost = Cost(row.pop("cost", 0.0), row.pop("unpricedNodeSeconds"))
    texts = [*row.pop("resizeErrors", []), *(f"{name}: {row.pop(name)}" for name in _TEXTS if name in row)]
    words = [f"{name} {_value(value)}" for name, value in row.items() if name != "id"]
    first = ", ".join(word.replace(" ", _FIXED) for word in (*words, f"cost {told(cost)}"))
    lines = _wrapped(f"{row['id']}: {first}", "  ")
    for text in texts:
        # what is to be copied stays in one piece
        lines += _wrapped(re.sub("`[^`]*`", lambda code: code[0].replace(" ", _FIXED), pasteable(text, state)), "    ")
    return [line.replace(_FIXED, " ") for line in lines]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        shutil.get_terminal_size((_ENDLESS, 0)).columns,
        initial_indent=indent,
        subsequent_indent=indent + "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{count} {name}" for name, count in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
