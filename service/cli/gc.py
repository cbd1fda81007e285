from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import config_option, json_option, read_settings, state_option

if TYPE_CHECKING:
    from ..retention import Waste
    from ..settings import Settings
    from ..state import StateDirectory


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell; works beside a running controller.")
@click.option("--vacuum", is_flag=True, help="Give free room of the database back to the disk; no controller may run.")
@state_option
@config_option
@json_option
def gc(dry_run: bool, vacuum: bool, state: Path, config: Path | None, as_json: bool) -> None:
    """Forget what need not be kept any longer.

    Jobs that were completed longer ago than the setting jobRetention go with their tasks and outputs; samples,
    autoscale runs and boot times that are older than sampleRetention; files that no record names. Work that is not
    over stays, and so does the newest job of a schedule. A running controller does this every hour; it is asked to do
    it now.
    """
    from ..state import StateDirectory, StateInUse

    if dry_run and vacuum:
        raise click.UsageError("--vacuum changes the database, --dry-run changes nothing: give one of the two")
    settings, directory = read_settings(config), StateDirectory(state)
    directory.require()
    asked = None
    if dry_run:
        waste = _alone(directory, settings, dry_run=True, vacuum=False)
    else:
        try:
            with directory.lock("or give this command without --vacuum, which asks it"):
                waste = _alone(directory, settings, dry_run=False, vacuum=vacuum)
        except StateInUse as exc:
            if vacuum:
                raise
            waste, asked = _ask(directory, exc), exc.pid
    _show(waste, dry_run=dry_run, asked=asked, as_json=as_json)
    if waste.store_error is not None:
        raise click.ClickException(f"checkpoints are left for the next time: {waste.store_error}")


def _alone(directory: StateDirectory, settings: Settings, *, dry_run: bool, vacuum: bool) -> Waste:
    import msgspec

    from runner import open_journal

    from ..clock import now
    from ..object_stores import open_store
    from ..retention import Retention

    journal = open_journal(directory.database_url, upgrade=not dry_run)
    try:
        store = open_store(directory, settings.object_store)
        retention, moment = Retention(directory, settings, journal, store), now()
        waste = retention.find(moment)
        if not dry_run:
            waste = retention.remove(waste, moment)
        if vacuum:
            journal.vacuum()
            waste = msgspec.structs.replace(waste, database=journal.forgetting.size())
        return waste
    finally:
        journal.close()


def _ask(directory: StateDirectory, in_use: Exception) -> Waste:
    """Of the running controller, with its own settings."""
    import httpx
    import msgspec

    from ..controller_socket import client
    from ..retention import Waste

    try:
        with client(directory.path, timeout=3600.0) as controller:
            answer = controller.post("/gc")
    except httpx.HTTPError as exc:
        raise click.ClickException(f"{in_use} It could not be asked: {exc}") from None
    if answer.status_code != 200:
        raise click.ClickException(f"the running controller could not do it: {answer.text}")
    return msgspec.json.decode(answer.content, type=Waste)


def _show(waste: Waste, *, dry_run: bool, asked: str | None, as_json: bool) -> None:
    import msgspec

    from ..columns import columns
    from ..iso8601 import format_instant

    if as_json:
        report = {"dryRun": dry_run, "by": "controller" if asked is not None else "command", "bytes": waste.bytes}
        built = report | msgspec.to_builtins(waste)
        click.echo(msgspec.json.format(msgspec.json.encode(built), indent=2))
        return
    if asked is not None:
        click.echo(f"done by the controller that works on this state (pid {asked}), with its settings", err=True)
    if waste.jobs:
        rows = [("job", "completed", "tasks", "outputs", "bytes")]
        rows += [
            (job.id, format_instant(job.end_time), str(job.tasks), str(job.outputs), str(job.bytes))
            for job in waste.jobs
        ]
        for line in columns(rows):
            click.echo(line)
    for title, files in (
        ("outputs without a record", waste.outputs),
        ("packages without a record", waste.packages),
        ("checkpoints of jobs that are over", waste.checkpoints),
    ):
        if files:
            click.echo(f"{title}: {_count(len(files), 'file')}, {_count(sum(file.bytes for file in files), 'byte')}")
    for table, count in waste.measured.items():
        if count:
            click.echo(f"{table.replace('_', ' ')}: {count}")
    if not (waste.jobs or waste.outputs or waste.packages or waste.checkpoints or any(waste.measured.values())):
        click.echo("there is nothing to forget")
    else:
        done = "would go" if dry_run else "gone"
        size = _count(waste.bytes, "byte")
        click.echo(f"{done}: {_count(len(waste.jobs), 'job')}, {size} of files and outputs")
    database = waste.database
    click.echo(f"database: {database.total} bytes, of which {database.free} are free for what comes (--vacuum)")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
