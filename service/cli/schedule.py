from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from .controller_words import tell
from .options import json_option, state_option

if TYPE_CHECKING:
    from runner import JobSchedule


@click.group()
def schedule() -> None:
    """Job schedules: what there is, and what can be asked of them."""


@schedule.command("list")
@state_option
@json_option
def list_(state: Path, as_json: bool) -> None:
    """Show the job schedules of a state with their next run."""
    from runner import open_journal

    from ..columns import columns
    from ..iso8601 import format_instant
    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        found = journal.job_schedules()
    finally:
        journal.close()

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
    rows = [("schedule", "state", "next run", "recent job", "jobs")]
    for each in found:
        due = _next(each, instant(each.next_run_time))
        rows.append((each.id, str(each.state), due, each.recent_job_id or "-", str(each.jobs_created)))
    for line in columns(rows):
        click.echo(line)


def _next(schedule: JobSchedule, time: str | None) -> str:
    if schedule.run_requested or schedule.waiting:
        return "when the recent job is completed"
    return time or "-"


def _action(name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @click.argument("schedule_id", metavar="ID")
    @state_option
    def act(schedule_id: str, state: Path) -> None:
        tell(state, f"/schedules/{quote(schedule_id, safe='')}/{name}")

    return act


for _name, _text in (
    ("run", "Make a job now, whatever the times of the schedule say."),
    ("disable", "Make no further job until it is enabled again."),
    ("enable", "Make jobs again, from the next run on."),
    ("terminate", "End its present job; then it is completed."),
    ("delete", "Remove it with all its jobs, their tasks and outputs."),
):
    schedule.add_command(_action(_name, _text))
