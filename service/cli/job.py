from __future__ import annotations

from pathlib import Path

import click

from .asking import carry_out, confirm, not_found, request_options, yes_option
from .ids import job_ids
from .listing import find_job, records, show, table
from .options import json_option, state_option


@click.group()
def job() -> None:
    """Jobs: what there is, and what can be asked of them."""


several = click.argument("job_id", metavar="JOB...", nargs=-1, required=True, shell_complete=job_ids)


@job.command("list")
@state_option
@json_option
def list_(state: Path, as_json: bool) -> None:
    """Show the jobs of a state, oldest first."""
    from ..report import error_text
    from ..rest_views import Links, job_view

    with records(state) as journal:
        jobs, counts = journal.jobs(), journal.task_queries.counts()
    if as_json:
        show([job_view(each, Links()) for each in jobs], True)
        return
    rows = [
        (each.id, each.state, each.pool_id, _told(counts.get(each.id, {})), each.terminate_reason or error_text(each))
        for each in jobs
    ]
    table(("job", "state", "pool", "tasks", "reason"), rows)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in counts.items())


@job.command("show")
@click.argument("job_id", metavar="JOB", shell_complete=job_ids)
@state_option
@json_option
def show_(job_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a job, in the properties of the Batch REST API, and how many tasks it has."""
    from ..rest_views import Links, job_view, task_counts_view

    with records(state) as journal:
        found = find_job(journal, job_id)
        counts = journal.task_queries.counts().get(found.id, {}) if found is not None else {}
        slots = journal.task_queries.slots(found.id) if found is not None else {}
    if found is None:
        not_found("JobNotFound", f"there is no job {job_id!r}; `ebbtide job list` lists them", as_json)
    show({**job_view(found, Links()), **task_counts_view(counts, slots)}, as_json)


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
