from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .asking import confirm, yes_option
from .door import BadInput
from .ids import pool_ids
from .options import config_option, read_settings, state_option
from .source import refuse, server_address, server_options, with_cure
from .tell import tell

if TYPE_CHECKING:
    from ..rest_objects import Way
    from ..rest_over_http import ServerAddress
    from ..settings import Settings
    from ..state import StateDirectory


@click.command()
@click.option("--pool", metavar="POOL", shell_complete=pool_ids, help="Only the VMs of this pool.")
@click.option("--now", "at_once", is_flag=True, help="Do not ask the nodes first for what has ended there.")
@yes_option
@state_option
@server_options
@config_option
def down(pool: str | None, at_once: bool, yes: bool, state: Path, config: Path | None) -> None:
    """End every VM of a state, or of a server; needs no running controller, and asks a running server.

    Nodes that answer are asked first for the outcomes that they hold (60 s at most); what runs there goes
    back to its queue. Exit code 0 only when the provider itself lists no VM any more.
    """
    from ..state import StateDirectory, StateInUse

    address = server_address()
    if address is not None:
        what = "every VM" if pool is None else f"the VMs of pool {pool}"
        confirm(f"{what} of the server {address.endpoint}", [], yes, verb="End")
        _end(_of_server(address, pool), pool, serving=True)
        return
    settings = read_settings(config)
    directory = StateDirectory(state)
    directory.require()
    try:
        left = _here(directory, settings, pool, at_once=at_once)
        serving = False
    except StateInUse as exc:
        if not exc.serves:
            raise
        left = _of_state_server(directory, pool)
        serving = True
    _end(left, pool, serving=serving)


def _end(left: list[str], pool: str | None, *, serving: bool) -> None:
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


def _of_server(address: ServerAddress, pool: str | None) -> list[str]:
    from ..rest_objects import Unanswered
    from ..rest_over_http import server
    from ..shutdown_by_server import ANSWER

    try:
        with server(address, ANSWER) as way:
            return _asked(way, pool)
    except Unanswered as exc:
        raise click.ClickException(str(exc)) from None


def _of_state_server(directory: StateDirectory, pool: str | None) -> list[str]:
    """Raises StateError."""
    import httpx

    from ..controller_socket import client
    from ..rest_objects import Unanswered
    from ..rest_over_http import http_way
    from ..shutdown_by_server import ANSWER
    from ..state import StateError

    who = f"the server of the state {directory.path}"
    try:
        with client(directory.path, timeout=ANSWER) as opened:
            return _asked(http_way(opened, who), pool)
    except (httpx.ConnectError, Unanswered) as exc:
        raise StateError(f"{exc}; give this command again, which ends the VMs without a server too") from None


def _asked(way: Way, pool: str | None) -> list[str]:
    from ..rest_objects import RequestRefused
    from ..shutdown_by_server import shut_down_by_server

    try:
        return shut_down_by_server(way, pool, tell)
    except RequestRefused as exc:
        if exc.code == "PoolNotFound":  # as it is told where no server works
            raise BadInput(f"{exc.code}: {with_cure(exc)}") from None
        refuse(exc, as_json=False)
