from __future__ import annotations

from pathlib import Path

import click

from .options import config_option, read_settings, state_option
from .tell import tell


@click.command()
@click.option("--pool", metavar="POOL", help="Only the VMs of this pool.")
@click.option("--now", "at_once", is_flag=True, help="Do not ask the nodes first for what has ended there.")
@state_option
@config_option
def down(pool: str | None, at_once: bool, state: Path, config: Path | None) -> None:
    """End every VM of a state; needs no running controller.

    Nodes that answer are asked first for the outcomes that they hold (60 s at most); what runs there goes
    back to its queue. Exit code 0 only when the provider itself lists no VM any more.
    """
    from ..shutdown import Shutdown
    from ..state import StateDirectory

    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.require()
    with directory.lock("then give this command again if a VM is left"):
        shutdown = Shutdown(directory, settings, pool, tell)
        shutdown.look()
        if not at_once:
            shutdown.drain()
        left = shutdown.destroy()
        shutdown.settle()
        if not left:  # a controller that had no time to end what it found
            left = shutdown.destroy()
    if left:
        raise click.ClickException(
            f"these VMs are still listed: {', '.join(left)}; try again, or end them in their cloud's console"
        )
    tell("no VM is left" if pool is None else f"no VM of pool {pool} is left")
