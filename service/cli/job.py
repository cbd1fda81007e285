from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import carry_out, confirm, request_options, yes_option
from .ids import job_ids, schedule_ids
from .listing import oldest_first, query_of, show, show_list
from .source import list_options, objects, source_options

if TYPE_CHECKING:
    from ..rest_objects import Objects, View

#: What is told of a job's tasks, as long as there are any.
_COUNTED = ("succeeded", "failed", "running", "active")


@click.group()
def job() -> None:
    """Jobs: what there is, and what can be asked of them."""


several = click.argument("job_id", metavar="JOB...", nargs=-1, required=True, shell_complete=job_ids)


@job.command("list")
@click.option("--schedule", metavar="ID", shell_complete=schedule_ids, help="Only those of this job schedule.")
@list_options
def list_(schedule: str | None, filter_: str | None, select: str | None, state: Path, as_json: bool) -> None:
    """Show the jobs, oldest first."""
    place = ("jobs",) if schedule is None else ("jobschedules", schedule, "jobs")
    with objects(state, as_json) as found:
        jobs = oldest_first(found.each(*place, query=query_of(filter_, select)))
        heads = ("job", "state", "pool", "tasks", "reason")
        show_list(jobs, as_json, select, heads, lambda view: _row(view, found))


def _row(job: View, found: Objects) -> tuple[object, ...]:
    execution = job["executionInfo"]
    error = execution.get("schedulingError")
    reason = execution.get("terminateReason") or (f"{error['code']}: {error['message']}" if error else None)
    return job["id"], job["state"], execution.get("poolId"), _tasks(job, found), reason


def _tasks(job: View, found: Objects) -> str | None:
    """How many are in which state; None: it has gone meanwhile."""
    from ..rest_objects import RequestRefused

    try:
        counts = found.one("jobs", job["id"], "taskcounts")["taskCounts"]
    except RequestRefused as exc:
        if exc.code == "JobNotFound":
            return None
        raise
    return ", ".join(f"{counts[name]:,} {name}" for name in _COUNTED if counts[name])


@job.command("show")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@source_options
def show_(job_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a job, in the properties of the Batch REST API, and how many tasks it has."""
    with objects(state, as_json) as found:
        show({**found.one("jobs", job_id), **found.one("jobs", job_id, "taskcounts")}, as_json)


@job.command()
@several
@click.option(
    "--tasks",
    type=click.Choice(["requeue", "terminate", "wait"]),
    default="requeue",
    show_default=True,
    help="What becomes of those that run.",
)
@request_options
def disable(job_id: tuple[str, ...], tasks: str, state: Path, config: Path | None, as_json: bool) -> None:
    """Start no further task of the jobs until they are enabled again."""
    from runner import DisableJob

    carry_out(state, config, as_json, ((each, DisableJob(each, tasks)) for each in job_id), "job {}: disabled")


@job.command()
@several
@request_options
def enable(job_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Let tasks of the jobs start again."""
    from runner import EnableJob

    carry_out(state, config, as_json, ((each, EnableJob(each)) for each in job_id), "job {}: enabled")


@job.command()
@several
@click.option("--reason", default="UserTerminate", show_default=True, help="Kept as the job's `terminateReason`.")
@request_options
def terminate(job_id: tuple[str, ...], reason: str, state: Path, config: Path | None, as_json: bool) -> None:
    """End the jobs: what runs of them is ended, what waits never starts."""
    from runner import TerminateJob

    carry_out(state, config, as_json, ((each, TerminateJob(each, reason)) for each in job_id), "job {}: terminated")


@job.command()
@several
@yes_option
@request_options
def delete(job_id: tuple[str, ...], yes: bool, state: Path, config: Path | None, as_json: bool) -> None:
    """End the jobs, and forget them with their tasks and outputs."""
    from runner import DeleteJob

    confirm("job {}, with tasks and outputs", job_id, yes)
    carry_out(state, config, as_json, ((each, DeleteJob(each)) for each in job_id), "job {}: deleted")
