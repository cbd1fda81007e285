from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import config_option, read_settings, state_option
from .tell import tell

if TYPE_CHECKING:
    from ..settings import Settings
    from ..state import StateDirectory


@click.command()
@click.option("--pool", metavar="POOL", help="Only the VMs of this pool.")
@click.option("--now", "at_once", is_flag=True, help="Do not ask the nodes first for what has ended there.")
@state_option
@config_option
def down(pool: str | None, at_once: bool, state: Path, config: Path | None) -> None:
    """End every VM of a state; needs no running controller, and asks a running server.

    Nodes that answer are asked first for the outcomes that they hold (60 s at most); what runs there goes
    back to its queue. Exit code 0 only when the provider itself lists no VM any more.
    """
    from ..shutdown_by_server import shut_down_by_server
    from ..state import StateDirectory, StateInUse

    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.require()
    try:
        left = _here(directory, settings, pool, at_once=at_once)
        serving = False
    except StateInUse as exc:
        if not exc.serves:
            raise
        left = shut_down_by_server(directory, pool, tell)
        serving = True
    if left:
        raise click.ClickException(
            f"these VMs are still listed: {', '.join(left)}; try again, or end them in their cloud's console"
        )
    tell("no VM is left" if pool is None else f"no VM of pool {pool} is left")
    if serving:
        what = "its pools get no node and its jobs wait" if pool is None else f"pool {pool} gets no node"
        tell(f"the server goes on: {what} until it is restarted, which makes nodes again as the pools' targets say")


def _here(directory: StateDirectory, settings: Settings, pool: str | None, *, at_once: bool) -> list[str]:
    """Names of the VMs that do not go, where no controller works."""
    from ..shutdown import Shutdown

    with directory.lock("then give this command again if a VM is left"):
        shutdown = Shutdown(directory, settings, pool, tell)
        shutdown.look()
        if not at_once:
            shutdown.drain()
        left = shutdown.destroy()
        shutdown.settle()
        if not left:  # a controller that had no time to end what it found
            left = shutdown.destroy()
    return left
