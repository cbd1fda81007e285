from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import carry_out, confirm, request_options, yes_option
from .ids import schedule_ids
from .listing import oldest_first, query_of, records, show, show_list
from .source import list_options, objects, server_address, source_options

if TYPE_CHECKING:
    from runner import Event

    from ..rest_objects import View

#: What is said if no controller runs.
_NODES = "nodes hear of it when the next `ebbtide run` does"


@click.group()
def schedule() -> None:
    """Job schedules: what there is, and what can be asked of them."""


@schedule.command("list")
@list_options
def list_(filter_: str | None, select: str | None, state: Path, as_json: bool) -> None:
    """Show the job schedules with their next run."""
    with objects(state, as_json) as found:
        schedules = oldest_first(found.each("jobschedules", query=query_of(filter_, select)))
    waits = _waits(state) if server_address() is None else {}
    heads = ("schedule", "state", "next run", "recent job")
    show_list(schedules, as_json, select, heads, lambda view: _row(view, waits))


def _row(schedule: View, waits: Mapping[str, str]) -> tuple[object, ...]:
    execution = schedule.get("executionInfo", {})
    when = waits.get(schedule["id"]) or execution.get("nextRunTime")
    return schedule["id"], schedule["state"], when, execution.get("recentJob", {}).get("id")


def _waits(state: Path) -> dict[str, str]:
    """Of those that have a job to make, what they wait for: the records alone tell."""
    with records(state) as journal:
        present = {job.id for job in journal.jobs() if job.end_time is None}
        waiting = [each for each in journal.job_schedules() if each.run_requested or each.waiting]
    present_one, none = "when the recent job is completed", "as soon as a controller works"
    return {each.id: present_one if each.recent_job_id in present else none for each in waiting}


@schedule.command("show")
@click.argument("schedule_id", metavar="ID", shell_complete=schedule_ids)
@source_options
def show_(schedule_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a job schedule, in the properties of the Batch REST API."""
    with objects(state, as_json) as found:
        show(found.one("jobschedules", schedule_id), as_json)


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
