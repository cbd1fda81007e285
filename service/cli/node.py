from __future__ import annotations

from pathlib import Path

import click

from .options import config_option, read_settings, state_option


@click.group()
def node() -> None:
    """Do something to a node."""


@node.command()
@click.argument("node_id", metavar="NODE")
@state_option
@config_option
def preempt(node_id: str, state: Path, config: Path | None) -> None:
    """Take a low-priority node away, as a spot market would: for tests and demonstrations."""
    from runner import open_journal

    from ..controller import open_providers
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
    providers = open_providers(directory, settings, directory.deployment().id)
    providers[pools[found.pool_id].provider].preempt(found.vm_name)
    click.echo(f"preempted {node_id}")
