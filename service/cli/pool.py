from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ..clock import now
from .asking import carry_out, confirm, not_found, request_options, yes_option
from .ids import pool_ids
from .listing import meant, records, show, table
from .options import config_option, json_option, read_settings, state_option

if TYPE_CHECKING:
    from pools import AutoScaleRun
    from runner import Core

    from ..settings import Settings
    from ..state import StateDirectory


#: What is said if no controller runs.
_LATER = "the next `ebbtide run` acts on it"

several = click.argument("pool_id", metavar="POOL...", nargs=-1, required=True, shell_complete=pool_ids)


@click.group()
def pool() -> None:
    """Pools: what there is, and what can be asked of them."""


@pool.command("list")
@state_option
@json_option
def list_(state: Path, as_json: bool) -> None:
    """Show the pools of a state."""
    from ..rest_views import Links, pool_view

    with records(state) as journal:
        pools, nodes = journal.pools(), journal.nodes()
    views = [pool_view(each, [node for node in nodes if node.pool_id == each.id], Links()) for each in pools]
    if as_json:
        show(views, True)
        return
    rows = [
        (
            view["id"],
            view["state"] if view["state"] != "active" else view["allocationState"],
            f"{view['currentDedicatedNodes']} of {view['targetDedicatedNodes']}",
            f"{view['currentLowPriorityNodes']} of {view['targetLowPriorityNodes']}",
            view["vmSize"],
            "formula" if view["enableAutoScale"] else "fixed",
            ", ".join(error["code"] for error in view.get("resizeErrors", ())),
        )
        for view in views
    ]
    table(("pool", "state", "dedicated", "low-priority", "size", "scaling", "errors"), rows)


@pool.command("show")
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@state_option
@json_option
def show_(pool_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a pool, in the properties of the Batch REST API."""
    from ..rest_views import Links, pool_view

    with records(state) as journal:
        pools = {each.id: each for each in journal.pools()}
        found = pools.get(meant(pool_id, pools))
        nodes = [node for node in journal.nodes() if found is not None and node.pool_id == found.id]
    if found is None:
        not_found("PoolNotFound", f"there is no pool {pool_id!r}; `ebbtide pool list` lists them", as_json)
    show(pool_view(found, nodes, Links()), as_json)


@pool.command()
@several
@yes_option
@request_options
def delete(pool_id: tuple[str, ...], yes: bool, state: Path, config: Path | None, as_json: bool) -> None:
    """Take every node out of the pools, then forget them. Tasks that run there wait for another pool of their job."""
    from runner import DeletePool

    confirm("pool {}, with its nodes", pool_id, yes)
    later = "the nodes go when the next `ebbtide run` or `ebbtide down` works on it"
    carry_out(state, config, as_json, ((each, DeletePool(each)) for each in pool_id), "pool {}: deleted", later)


@pool.command()
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.option("--dedicated", type=click.IntRange(min=0), metavar="N", help="Target of dedicated nodes.")
@click.option("--low-priority", type=click.IntRange(min=0), metavar="N", help="Target of low-priority nodes.")
@click.option(
    "--deallocation",
    type=click.Choice(["requeue", "terminate", "taskcompletion", "retaineddata"]),
    default="requeue",
    show_default=True,
    help="What becomes of the tasks of nodes that go.",
)
@request_options
def resize(
    pool_id: str,
    dedicated: int | None,
    low_priority: int | None,
    deallocation: str,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Set the targets of a pool that has no formula; one that is not given stays as it is."""
    from pools import NodeDeallocationOption
    from runner import ResizePool

    if dedicated is None and low_priority is None:
        raise click.UsageError("give --dedicated, --low-priority or both")
    event = ResizePool(pool_id, dedicated, low_priority, NodeDeallocationOption(deallocation))
    carry_out(state, config, as_json, [(pool_id, event)], "pool {}: has new targets", _LATER)


@pool.command("stop-resize")
@several
@request_options
def stop_resize(pool_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Let pools that are being resized stay as large as they are; a formula may decide otherwise later."""
    from runner import StopResize

    carry_out(state, config, as_json, ((each, StopResize(each)) for each in pool_id), "pool {}: stays", _LATER)


@pool.command("enable-autoscale")
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@click.option("--formula", type=click.File(), metavar="FILE", help="The formula (- reads it); else the pool's own.")
@click.option("--interval", metavar="DURATION", help="How often it is evaluated, such as PT10M; else as it is.")
@request_options
def enable_autoscale(
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


@pool.command("disable-autoscale")
@several
@request_options
def disable_autoscale(pool_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Let the pools stay at the targets that their formulas have set last."""
    from runner import DisableAutoScale

    told = "pool {}: keeps its targets"
    carry_out(state, config, as_json, ((each, DisableAutoScale(each)) for each in pool_id), told, _LATER)


@pool.command()
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
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
@several
@request_options
def resume(pool_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Let pools create nodes again that have stopped because too many failed."""
    from runner import ResumePool

    with records(state) as journal:
        stopped = {pool.id: pool.broken_since is not None for pool in journal.pools()}
    wanted = [each for each in pool_id if stopped.get(meant(each, stopped), True)]
    for each in pool_id:
        if each not in wanted and not as_json:
            click.echo(f"pool {each} was not stopped")
    if wanted or as_json:
        told = "pool {}: may create nodes again"
        carry_out(state, config, as_json, ((each, ResumePool(each)) for each in wanted), told, _LATER)


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
