from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from .options import json_option, state_option


@click.command()
@state_option
@json_option
def status(state: Path, as_json: bool) -> None:
    """Print the pools, nodes and jobs of a state, as the records have them."""
    from runner import open_journal

    from ..iso8601 import format_instant
    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        nodes = [
            {
                "id": node.id,
                "poolId": node.pool_id,
                "state": str(node.state),
                "since": format_instant(node.state_time),
                "lowPriority": node.low_priority,
                "vm": node.vm_name,
            }
            for node in journal.nodes()
        ]
        pools = [
            {
                "id": pool.id,
                "state": str(pool.state),
                "allocationState": str(pool.allocation_state),
                "targetDedicatedNodes": pool.target_dedicated,
                "targetLowPriorityNodes": pool.target_low_priority,
                "currentNodes": sum(node["poolId"] == pool.id for node in nodes),
                "resizeErrors": [f"{error.code}: {error.message}" for error in pool.resize_errors],
            }
            for pool in journal.pools()
        ]
        jobs = [
            {
                "id": job.id,
                "poolId": job.pool_id,
                "state": str(job.state),
                "terminateReason": job.terminate_reason,
                "tasks": dict(Counter(str(task.result or task.state) for task in journal.tasks(job.id))),
            }
            for job in journal.jobs()
        ]
    finally:
        journal.close()
    if as_json:
        click.echo(json.dumps({"pools": pools, "nodes": nodes, "jobs": jobs}, indent=2))
        return
    for title, rows in (("pools", pools), ("nodes", nodes), ("jobs", jobs)):
        click.echo(f"{title}:" if rows else f"{title}: none")
        for row in rows:
            click.echo(f"  {_words(row)}")


def _words(row: dict[str, Any]) -> str:
    rest = [
        f"{name} {_value(value)}"
        for name, value in row.items()
        if name != "id" and value not in (None, [], {})
    ]
    return f"{row['id']}: {', '.join(rest)}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{count} {name}" for name, count in value.items())
    if isinstance(value, list):
        return "; ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
