from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import config_option, json_option, read_settings, state_option

if TYPE_CHECKING:
    from pools import AutoScaleRun

    from ..settings import Settings
    from ..state import StateDirectory


@click.group()
def pool() -> None:
    """Look at a pool."""


@pool.command()
@click.argument("pool_id", metavar="POOL")
@click.option("--apply", is_flag=True, help="Set the targets too; the next `ebbtide run` acts on them.")
@state_option
@config_option
@json_option
def evaluate(pool_id: str, apply: bool, state: Path, config: Path | None, as_json: bool) -> None:
    """Run the pool's formula now, on the recorded samples. Exit code 1 if its evaluation fails."""
    from ..report import run_to_json
    from ..state import StateDirectory

    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.require()
    if apply:
        with directory.lock():
            run = _evaluate(directory, settings, pool_id, apply=True)
    else:
        run = _evaluate(directory, settings, pool_id, apply=False)
    if as_json:
        click.echo(json.dumps(run_to_json(run), indent=2))
    else:
        for assignment in filter(None, run.results.split(";")):
            click.echo(assignment)
    if run.error is not None:
        details = "".join(f"\n  {value.name}: {value.value}" for value in run.error.values)
        raise click.ClickException(f"{run.error.code}: {run.error.message}{details}")
    if apply:
        click.echo("applied; the next `ebbtide run` with this state acts on it", err=True)


def _evaluate(directory: StateDirectory, settings: Settings, pool_id: str, *, apply: bool) -> AutoScaleRun:
    from pools import RandomIds
    from runner import AutoScaleNow, Core, CoreSettings, open_journal

    from ..clock import now as present

    now = present()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        core = Core(CoreSettings(pools=settings.pool_settings()), directory.deployment(), RandomIds())
        core.load(journal.load(now - settings.sample_retention.total_seconds()), now)
        if not apply:
            return core.pools.evaluate(pool_id, None, now)
        core.handle(AutoScaleNow(pool_id), now)
        # what follows from it is done by the next controller, which finds the intent in the records
        changes, _ = core.take()
        journal.commit(changes)
        pool = core.pools.get(pool_id)
        assert pool.autoscale_run is not None
        return pool.autoscale_run
    finally:
        journal.close()
