from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from .controller_words import tell
from .ids import node_ids, pool_ids
from .listing import query_of, show, show_list
from .node_deeds import disable, enable, reboot, reimage
from .node_place import find_node, pools_of
from .node_users import remote_login_settings, user
from .options import config_option, read_settings, state_option
from .source import list_options, objects, source_options

if TYPE_CHECKING:
    from ..rest_objects import View

#: What may be kept of a node: whose it is, which stream, what it is called.
_KEPT = (
    ("starttask", "stdout", "standard output of the start task"),
    ("starttask", "stderr", "standard error of the start task"),
    ("node", "console.txt", "console"),
)


@click.group()
def node() -> None:
    """Nodes: what there is, what is kept of them, and what can be done to them."""


for command in (reboot, reimage, disable, enable, remote_login_settings, user):
    node.add_command(command)


@node.command("list")
@click.argument("pool_id", metavar="[POOL]", required=False, shell_complete=pool_ids)
@list_options
def list_(pool_id: str | None, filter_: str | None, select: str | None, state: Path, as_json: bool) -> None:
    """Show the nodes of a pool, or of all pools."""
    with objects(state, as_json) as found:
        nodes = [
            {"poolId": each, **view}
            for each in pools_of(pool_id, found)
            for view in found.each("pools", each, "nodes", query=query_of(filter_, select))
        ]
    heads = ("node", "pool", "state", "kind", "size", "address", "tasks", "reason")
    show_list(nodes, as_json, select, heads, _row)


def _row(node: View) -> tuple[object, ...]:
    start = node.get("startTaskInfo", {}).get("failureInfo", {})
    failed = [each["message"] for each in node.get("errors", ())] or [start.get("message")]
    return (
        node["id"],
        node["poolId"],
        node["state"],
        "dedicated" if node["isDedicated"] else "low-priority",
        node["vmSize"],
        node.get("ipAddress"),
        node.get("runningTasksCount"),
        failed[0],
    )


@node.command("show")
@click.argument("node_id", metavar="NODE", shell_complete=node_ids)
@source_options
def show_(node_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a node, in the properties of the Batch REST API."""
    with objects(state, as_json) as found:
        show(find_node(node_id, found), as_json)


@node.command()
@click.argument("node_id", metavar="NODE", shell_complete=node_ids)
@click.option(
    "--notice",
    metavar="DURATION",
    help="Only announce it, so long before: the running controller lets the node's tasks end, and ends it.",
)
@state_option
@config_option
def preempt(node_id: str, notice: str | None, state: Path, config: Path | None) -> None:
    """Take a low-priority node away, as a spot market would: for tests and demonstrations."""
    if notice is not None:
        tell(state, f"/nodes/{quote(node_id, safe='')}/notice", {"seconds": _seconds(notice)})
        click.echo(f"announced to {node_id}")
        return
    from runner import open_journal

    from ..provider_options import open_providers
    from ..state import StateDirectory

    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        nodes = {node.id: node for node in journal.nodes()}
        pools = {pool.id: pool for pool in journal.pools()}
    finally:
        journal.close()
    found = nodes.get(node_id)
    if found is None:
        raise click.ClickException(f"there is no node {node_id!r}; there are {', '.join(nodes) or 'none'}")
    providers = open_providers(directory, settings)
    providers[pools[found.pool_id].provider].preempt(found.vm_name)
    click.echo(f"preempted {node_id}")


def _seconds(text: str) -> float:
    from ..iso8601 import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--notice") from None


@node.command()
@click.argument("node_id", metavar="NODE", shell_complete=node_ids)
@state_option
def logs(node_id: str, state: Path) -> None:
    """Print what is kept of a node, also when it is gone: output of its start task; its console if it failed."""
    from runner import OutputStore, open_journal

    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    journal = open_journal(directory.database_url, upgrade=False)
    try:
        pools = journal.pools()
        keys = [(owner, pool.id, node_id, stream) for pool in pools for owner, stream, _ in _KEPT]
        outputs = {key: output for key in keys if (output := journal.output(*key)) is not None}
        known = [node.id for node in journal.nodes()]
    finally:
        journal.close()
    if not outputs:
        names = [*(pool.broken_node for pool in pools if pool.broken_node is not None), *known]
        if node_id in names:
            raise click.ClickException(
                f"nothing came of node {node_id!r}: no start task has ended there, and nothing stood on its console "
                "(which is read when a node fails, where its cloud has one)"
            )
        told = ", ".join(dict.fromkeys(names)) or "none"
        raise click.ClickException(f"there is no node {node_id!r}, and nothing is kept of it; nodes: {told}")
    store, out = OutputStore(directory.outputs), sys.stdout.buffer
    titles = {(owner, stream): title for owner, stream, title in _KEPT}
    for (owner, pool_id, _, stream), output in outputs.items():
        out.write(f"--- {titles[owner, stream]} of {node_id}, pool {pool_id}, {output.size} bytes\n".encode())
        try:
            for chunk in store.read(output):
                out.write(chunk)
        except FileNotFoundError as exc:
            raise click.ClickException(f"{exc.filename}: the kept output is no longer there") from None
    out.flush()
