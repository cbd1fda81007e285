"""What is asked of nodes: reboots, reimages, scheduling, and to leave their pools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .asking import carry_out, not_found, request_options
from .ids import node_ids, pool_ids
from .listing import meant
from .source import objects

if TYPE_CHECKING:
    from runner import Event

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = ("requeue", "terminate", "taskcompletion", "retaineddata")
_nodes = click.argument("node_id", metavar="NODE...", nargs=-1, required=True, shell_complete=node_ids)


def _tasks_option(choices: tuple[str, ...]) -> Callable[[F], F]:
    return click.option(
        "--tasks",
        type=click.Choice(choices),
        default="requeue",
        show_default=True,
        help="What becomes of the tasks that run there.",
    )


@click.command()
@_nodes
@_tasks_option(_OPTIONS)
@request_options
def reboot(node_id: tuple[str, ...], tasks: str, state: Path, config: Path | None, as_json: bool) -> None:
    """Start nodes anew on the disks that they have; then their start tasks run again."""
    from pools import NodeDeallocationOption
    from runner import RebootNode

    option = NodeDeallocationOption(tasks)
    _ask(node_id, lambda pool, node: RebootNode(pool, node, option), "reboots", state, config, as_json)


@click.command()
@_nodes
@_tasks_option(_OPTIONS)
@request_options
def reimage(node_id: tuple[str, ...], tasks: str, state: Path, config: Path | None, as_json: bool) -> None:
    """Give nodes new VMs in the place of those that they have; what is on their disks is lost."""
    from pools import NodeDeallocationOption
    from runner import ReimageNode

    option = NodeDeallocationOption(tasks)
    _ask(node_id, lambda pool, node: ReimageNode(pool, node, option), "is made anew", state, config, as_json)


@click.command()
@_nodes
@_tasks_option(_OPTIONS[:3])
@request_options
def disable(node_id: tuple[str, ...], tasks: str, state: Path, config: Path | None, as_json: bool) -> None:
    """Give nodes no more tasks; they stay, and count for their pools' targets."""
    from pools import NodeDeallocationOption
    from runner import DisableScheduling

    option = NodeDeallocationOption(tasks)
    told = "gets no more tasks"
    _ask(node_id, lambda pool, node: DisableScheduling(pool, node, option), told, state, config, as_json)


@click.command()
@_nodes
@request_options
def enable(node_id: tuple[str, ...], state: Path, config: Path | None, as_json: bool) -> None:
    """Give nodes tasks again."""
    from runner import EnableScheduling

    _ask(node_id, EnableScheduling, "may get tasks", state, config, as_json)


@click.command("remove-nodes")
@click.argument("pool_id", metavar="POOL", shell_complete=pool_ids)
@_nodes
@_tasks_option(_OPTIONS)
@request_options
def remove_nodes(
    pool_id: str, node_id: tuple[str, ...], tasks: str, state: Path, config: Path | None, as_json: bool
) -> None:
    """Take nodes out of a pool. Its targets shrink by as many; a pool with a formula may replace them."""
    from pools import NodeDeallocationOption
    from runner import RemoveNodes

    told = "1 node leaves" if len(node_id) == 1 else f"{len(node_id)} nodes leave"
    event = RemoveNodes(pool_id, node_id, NodeDeallocationOption(tasks))
    carry_out(state, config, as_json, [(pool_id, event)], f"pool {{}}: {told}", None)


def _ask(
    names: tuple[str, ...],
    event: Callable[[str, str], Event],
    told: str,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    pools: dict[str, str] = {}
    ids = {"$select": "id"}
    with objects(state, as_json) as found:
        for pool in found.each("pools", query=ids):
            pools |= {each["id"]: pool["id"] for each in found.each("pools", pool["id"], "nodes", query=ids)}
    for name in names:
        if meant(name, pools) not in pools:
            not_found("NodeNotFound", f"there is no node {name!r}; `ebbtide node list` lists them", as_json)
    wanted = [(node, event(pools[node], node)) for node in dict.fromkeys(meant(name, pools) for name in names)]
    carry_out(state, config, as_json, wanted, f"node {{}}: {told}", None)
