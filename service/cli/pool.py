from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import carry_out, confirm, request_options, yes_option
from .autoscale import autoscale
from .ids import pool_ids
from .listing import meant, oldest_first, query_of, records, show, show_list
from .node_deeds import remove_nodes
from .source import list_options, objects, server_address, source_options

if TYPE_CHECKING:
    from ..rest_objects import View

#: What is said if no controller runs.
_LATER = "the next `ebbtide run` acts on it"

several = click.argument("pool_id", metavar="POOL...", nargs=-1, required=True, shell_complete=pool_ids)


@click.group()
def pool() -> None:
    """Pools: what there is, and what can be asked of them."""


for command in (autoscale, remove_nodes):
    pool.add_command(command)


@pool.command("list")
@list_options
def list_(filter_: str | None, select: str | None, state: Path, as_json: bool) -> None:
    """Show the pools."""
    with objects(state, as_json) as found:
        pools = oldest_first(found.each("pools", query=query_of(filter_, select)))
    heads = ("pool", "state", "dedicated", "low-priority", "size", "scaling", "errors")
    show_list(pools, as_json, select, heads, _row)


def _row(view: View) -> tuple[object, ...]:
    return (
        view["id"],
        view["state"] if view["state"] != "active" else view["allocationState"],
        f"{view['currentDedicatedNodes']} of {view['targetDedicatedNodes']}",
        f"{view['currentLowPriorityNodes']} of {view['targetLowPriorityNodes']}",
        view["vmSize"],
        "formula" if view["enableAutoScale"] else "fixed",
        ", ".join(error["code"] for error in view.get("resizeErrors", ())),
    )


@pool.command("show")
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@source_options
def show_(pool_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a pool, in the properties of the Batch REST API."""
    with objects(state, as_json) as found:
        show(found.one("pools", pool_id), as_json)


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


@pool.command()
@several
@request_options
def resume(pool_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Let pools create nodes again that have stopped because too many failed."""
    from runner import ResumePool

    stopped: dict[str, bool] = {}
    if server_address() is None:  # no answer of the Batch REST API tells it
        with records(state) as journal:
            stopped = {pool.id: pool.broken_since is not None for pool in journal.pools()}
    wanted = [each for each in pool_id if stopped.get(meant(each, stopped), True)]
    for each in pool_id:
        if each not in wanted and not as_json:
            click.echo(f"pool {each} was not stopped")
    if wanted or as_json:
        told = "pool {}: may create nodes again"
        carry_out(state, config, as_json, ((each, ResumePool(each)) for each in wanted), told, _LATER)
