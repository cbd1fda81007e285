from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from .asking import not_found
from .controller_words import tell
from .ids import node_ids, pool_ids
from .listing import meant, records, show, table
from .options import config_option, json_option, read_settings, state_option
from .status import TELLING

if TYPE_CHECKING:
    from runner import Journal

    from ..rest_views import NodeWork

#: More tasks run at no time.
_MANY = 1_000_000

#: What may be kept of a node: whose it is, which stream, what it is called.
_KEPT = (
    ("starttask", "stdout", "standard output of the start task"),
    ("starttask", "stderr", "standard error of the start task"),
    ("node", "console.txt", "console"),
)


@click.group()
def node() -> None:
    """Nodes: what there is, what is kept of them, and what can be done to them."""


@node.command("list")
@click.argument("pool_id", metavar="[POOL]", required=False, shell_complete=pool_ids)
@state_option
@json_option
def list_(pool_id: str | None, state: Path, as_json: bool) -> None:
    """Show the nodes of a pool, or of all pools."""
    from ..rest_views import Links, NodeWork, node_view

    with records(state) as journal:
        pools = {pool.id: pool for pool in journal.pools()}
        wanted = meant(pool_id, pools) if pool_id is not None else None
        if wanted is not None and wanted not in pools:
            not_found("PoolNotFound", f"there is no pool {pool_id!r}; `ebbtide pool list` lists them", as_json)
        work = _work(journal)
        views = [
            (each, node_view(each, pools[each.pool_id], Links(), work.get(each.id, NodeWork(0, 0))))
            for each in journal.nodes()
            if wanted in (None, each.pool_id)
        ]
    if as_json:
        show([{"poolId": each.pool_id, **view} for each, view in views], True)
        return
    rows = [
        (
            each.id,
            each.pool_id,
            each.state,
            "dedicated" if view["isDedicated"] else "low-priority",
            view["vmSize"],
            view.get("ipAddress"),
            view["runningTasksCount"],
            each.reason if each.state in TELLING else None,
        )
        for each, view in views
    ]
    table(("node", "pool", "state", "kind", "size", "address", "tasks", "reason"), rows)


@node.command("show")
@click.argument("node_id", metavar="NODE", shell_complete=node_ids)
@state_option
@json_option
def show_(node_id: str, state: Path, as_json: bool) -> None:
    """Show all that is known of a node, in the properties of the Batch REST API."""
    from ..rest_views import Links, NodeWork, node_view

    with records(state) as journal:
        nodes = {each.id: each for each in journal.nodes()}
        found = nodes.get(meant(node_id, nodes))
        pools, work = {pool.id: pool for pool in journal.pools()}, _work(journal)
    if found is None:
        not_found("NodeNotFound", f"there is no node {node_id!r}; `ebbtide node list` lists them", as_json)
    view = node_view(found, pools[found.pool_id], Links(), work.get(found.id, NodeWork(0, 0)))
    show({"poolId": found.pool_id, **view}, as_json)


def _work(journal: Journal) -> dict[str, NodeWork]:
    """By node: what runs there."""
    from ..rest_views import NodeWork

    found: dict[str, NodeWork] = {}
    for task in journal.task_queries.find(states=("running",), limit=_MANY):
        instances = [each.node_id for each in task.instances if not each.over]
        for node_id in instances or filter(None, (task.node_id,)):
            before = found.get(node_id, NodeWork(0, 0))
            found[node_id] = NodeWork((before.running or 0) + 1, (before.running_slots or 0) + task.slots)
    return found


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
