from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from ..clock import now
from .asking import carry_out, request_options
from .door import BadInput
from .ids import pool_ids
from .options import read_settings
from .source import no_server, objects, server_address

if TYPE_CHECKING:
    from runner import Core

    from ..settings import Settings
    from ..state import StateDirectory

#: What is said if no controller runs.
_LATER = "the next `ebbtide run` acts on it"


@click.group()
def autoscale() -> None:
    """Formulas that size pools."""


@autoscale.command()
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.option("--formula", type=click.File(), metavar="FILE", help="The formula (- reads it); else the pool's own.")
@click.option("--interval", metavar="DURATION", help="How often it is evaluated, such as PT10M; else as it is.")
@request_options
def enable(
    pool_id: str, formula: TextIO | None, interval: str | None, state: Path, config: Path | None, as_json: bool
) -> None:
    """Let a formula size the pool; it is evaluated at once."""
    from runner import EnableAutoScale

    from ..iso8601 import parse_duration

    try:
        seconds = parse_duration(interval).total_seconds() if interval is not None else None
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--interval") from None
    event = EnableAutoScale(pool_id, formula.read() if formula is not None else None, seconds)
    carry_out(state, config, as_json, [(pool_id, event)], "pool {}: is sized by its formula", _LATER)


@autoscale.command()
@click.argument("pool_id", metavar="POOL...", nargs=-1, required=True, shell_complete=pool_ids)
@request_options
def disable(pool_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Let the pools stay at the targets that their formulas have set last."""
    from runner import DisableAutoScale

    told = "pool {}: keeps its targets"
    carry_out(state, config, as_json, ((each, DisableAutoScale(each)) for each in pool_id), told, _LATER)


@autoscale.command()
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.option("--formula", type=click.File(), metavar="FILE", help="Another formula (- reads it) than the pool's own.")
@click.option("--apply", is_flag=True, help="Set the targets too; the next `ebbtide run` acts on them.")
@request_options
def evaluate(
    pool_id: str, formula: TextIO | None, apply: bool, state: Path, config: Path | None, as_json: bool
) -> None:
    """Run a pool's formula now, on the recorded samples. Exit code 1 if its evaluation fails."""
    if apply and formula is not None:
        raise click.UsageError("--apply is for the pool's own formula; `pool autoscale enable` gives it another")
    text = formula.read() if formula is not None else None
    if apply:
        no_server("a server acts on formulas by itself; `ebbtide pool autoscale enable` evaluates one at once")
    server = server_address() is not None
    run = _on_server(pool_id, text, state, as_json) if server else _in_state(pool_id, text, state, config, apply)
    if as_json:
        click.echo(json.dumps(run, indent=2))
    else:
        for assignment in filter(None, run.get("results", "").split(";")):
            click.echo(assignment)
    error = run.get("error")
    if error is not None:
        details = "".join(f"\n  {value['name']}: {value['value']}" for value in error.get("values") or ())
        raise click.ClickException(f"{error['code']}: {error['message']}{details}")
    if apply:
        click.echo("applied; the next `ebbtide run` with this state acts on it", err=True)


def _on_server(pool_id: str, formula: str | None, state: Path, as_json: bool) -> dict[str, Any]:
    with objects(state, as_json) as found:
        pool = found.one("pools", pool_id)
        text = formula if formula is not None else pool.get("autoScaleFormula")
        if text is None:
            raise BadInput(f"pool {pool['id']} has no formula; name one: --formula FILE")
        run: dict[str, Any] = found.ask(
            *("POST", "pools", pool["id"], "evaluateautoscale"), body={"autoScaleFormula": text}
        )
    run.pop("odata.metadata", None)
    return {"poolId": pool["id"], "error": None, **run}


def _in_state(pool_id: str, formula: str | None, state: Path, config: Path | None, apply: bool) -> dict[str, Any]:
    from ..state import StateDirectory

    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.require()
    if apply:
        with directory.lock("or leave --apply out: what the formula decides is told beside it"):
            return _evaluate(directory, settings, pool_id, None, apply=True)
    return _evaluate(directory, settings, pool_id, formula, apply=False)


def _evaluate(
    directory: StateDirectory, settings: Settings, pool_id: str, formula: str | None, *, apply: bool
) -> dict[str, Any]:
    from runner import AutoScaleNow

    from ..report import run_to_json

    with _core(directory, settings, keep=apply) as core:
        if not apply:
            return run_to_json(core.pools.evaluate(pool_id, formula, now()))
        core.handle(AutoScaleNow(pool_id), now())
        pool = core.pools.get(pool_id)
        assert pool.autoscale_run is not None
        return run_to_json(pool.autoscale_run)


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
