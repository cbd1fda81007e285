from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..clock import now
from .options import config_option, json_option, read_settings, state_option

if TYPE_CHECKING:
    from pools import AutoScaleRun
    from runner import Core

    from ..settings import Settings
    from ..state import StateDirectory


@click.group()
def pool() -> None:
    """Look at a pool, or let it go on."""


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
        with directory.lock("or leave --apply out: what the formula decides is told beside it"):
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


@pool.command()
@click.argument("pool_id", metavar="POOL")
@state_option
@config_option
def resume(pool_id: str, state: Path, config: Path | None) -> None:
    """Let a pool create nodes again that has stopped because too many failed; the next `ebbtide run` does so."""
    from runner import ResumePool

    from ..state import StateDirectory

    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.require()
    afterwards = f"then `ebbtide pool resume {pool_id}` again, and the same `ebbtide run`"
    with directory.lock(afterwards), _core(directory, settings, keep=True) as core:
        before = core.pools.get(pool_id)
        if before.broken_since is not None:
            core.handle(ResumePool(pool_id), now())
    if before.broken_since is None:
        click.echo(f"pool {pool_id} was not stopped")
    else:
        click.echo(f"pool {pool_id} may create nodes again; the next `ebbtide run` with this state does")


def _evaluate(directory: StateDirectory, settings: Settings, pool_id: str, *, apply: bool) -> AutoScaleRun:
    from runner import AutoScaleNow

    with _core(directory, settings, keep=apply) as core:
        if not apply:
            return core.pools.evaluate(pool_id, None, now())
        core.handle(AutoScaleNow(pool_id), now())
        pool = core.pools.get(pool_id)
        assert pool.autoscale_run is not None
        return pool.autoscale_run


@contextmanager
def _core(directory: StateDirectory, settings: Settings, *, keep: bool) -> Iterator[Core]:
    """The core of a state. `keep`: what it has changed is committed at the end (hold the lock); what follows from that
    is done by the next controller, which finds the intent in the records."""
    from pools import RandomIds
    from runner import Core, CoreSettings, open_journal

    journal = open_journal(directory.database_url, upgrade=False)
    try:
        core = Core(CoreSettings(pools=settings.pool_settings()), directory.deployment(), RandomIds())
        core.load(journal.load(now() - settings.sample_retention.total_seconds()), now())
        yield core
        if keep:
            changes, _ = core.take()
            journal.commit(changes)
    finally:
        journal.close()
