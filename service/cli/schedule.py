from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import carry_out, confirm, not_found, request_options, yes_option
from .ids import schedule_ids
from .listing import meant, records, show, table
from .options import json_option, state_option

if TYPE_CHECKING:
    from runner import Event, JobSchedule

#: What is said if no controller runs.
_NODES = "nodes hear of it when the next `ebbtide run` does"


@click.group()
def schedule() -> None:
    """Job schedules: what there is, and what can be asked of them."""


@schedule.command("list")
@state_option
@json_option
def list_(state: Path, as_json: bool) -> None:
    """Show the job schedules of a state with their next run."""
    from ..iso8601 import format_instant

    with records(state) as journal:
        found = journal.job_schedules()
        present = {job.id for job in journal.jobs() if job.end_time is None}

    def instant(time: float | None) -> str | None:
        return None if time is None else format_instant(time)

    if as_json:
        told = [
            {
                "id": each.id,
                "state": str(each.state),
                "nextRunTime": instant(each.next_run_time),
                "lastRunTime": instant(each.last_run_time),
                "waiting": each.waiting or each.run_requested,
                "recentJob": each.recent_job_id,
                "jobs": each.jobs_created,
            }
            for each in found
        ]
        click.echo(json.dumps(told, indent=2))
        return
    rows = [
        (each.id, each.state, _next(each, instant(each.next_run_time), present), each.recent_job_id, each.jobs_created)
        for each in found
    ]
    table(("schedule", "state", "next run", "recent job", "jobs"), rows)


def _next(schedule: JobSchedule, time: str | None, present: Collection[str]) -> str | None:
    """`present`: jobs that are not completed."""
    if not (schedule.run_requested or schedule.waiting):
        return time
    if schedule.recent_job_id in present:
        return "when the recent job is completed"
    return "as soon as a controller works"


@schedule.command("show")
@click.argument("schedule_id", metavar="ID", shell_complete=schedule_ids)
@state_option
@json_option
def show_(schedule_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a job schedule, in the properties of the Batch REST API."""
    from ..rest_views import Links, schedule_view

    with records(state) as journal:
        schedules = {each.id: each for each in journal.job_schedules()}
        found = schedules.get(meant(schedule_id, schedules))
    if found is None:
        text = f"there is no job schedule {schedule_id!r}; `ebbtide schedule list` lists them"
        not_found("JobScheduleNotFound", text, as_json)
    show(schedule_view(found, Links()), as_json)


several = click.argument("schedule_id", metavar="ID...", nargs=-1, required=True, shell_complete=schedule_ids)


@schedule.command()
@several
@request_options
def run(schedule_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Make a job now, whatever the times of the schedules say."""
    from runner import RunJobSchedule

    later = "the next `ebbtide run` makes the job"
    _ask(RunJobSchedule, schedule_id, (state, config, as_json), "has a job to make", later)


@schedule.command()
@several
@request_options
def disable(schedule_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Make no further job until they are enabled again."""
    from runner import DisableJobSchedule

    _ask(DisableJobSchedule, schedule_id, (state, config, as_json), "disabled")


@schedule.command()
@several
@request_options
def enable(schedule_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Make jobs again, from the next run on."""
    from runner import EnableJobSchedule

    _ask(EnableJobSchedule, schedule_id, (state, config, as_json), "enabled", "jobs are made by the next `ebbtide run`")


@schedule.command()
@several
@request_options
def terminate(schedule_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """End their present jobs; then they are completed."""
    from runner import TerminateJobSchedule

    _ask(TerminateJobSchedule, schedule_id, (state, config, as_json), "terminated", _NODES)


@schedule.command()
@several
@yes_option
@request_options
def delete(schedule_id: tuple[str, ...], yes: bool, state: Path, config: Path | None, as_json: bool) -> None:
    """Remove them with all their jobs, the tasks of these and their outputs."""
    from runner import DeleteJobSchedule

    confirm("job schedule {}, with all jobs, tasks and outputs", schedule_id, yes)
    _ask(DeleteJobSchedule, schedule_id, (state, config, as_json), "deleted", _NODES)


def _ask(
    make: Callable[[str], Event],
    schedule_id: tuple[str, ...],
    way: tuple[Path, Path | None, bool],
    told: str,
    later: str | None = None,
) -> None:
    carry_out(*way, ((each, make(each)) for each in schedule_id), f"job schedule {{}}: {told}", later)
