from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .asking import confirm, yes_option
from .ids import account_names
from .listing import show, table
from .options import json_option, state_option
from .tell import tell

if TYPE_CHECKING:
    from ..api.accounts import Account, Accounts

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def account() -> None:
    """Accounts: who may use the API of `ebbtide serve`, and with which keys.

    A server takes over at once what changes.
    """


@account.group()
def key() -> None:
    """Keys of accounts: each has a primary and a secondary one, and both are good."""


_one = click.argument("name", metavar="ACCOUNT", shell_complete=account_names)


def _options(command: F) -> F:
    return state_option(json_option(command))


@account.command("list")
@_options
def list_(state: Path, as_json: bool) -> None:
    """Show the accounts, without their keys."""
    from ..iso8601 import format_instant

    known = _accounts(state).all().values()
    if as_json:
        show([_view(each) for each in known], True)
        return
    rows = [(each.name, each.kind, format_instant(each.created)) for each in known]
    table(("account", "kind", "created"), rows)


@account.command("show")
@_one
@_options
def show_(name: str, state: Path, as_json: bool) -> None:
    """Print what a client's shell is to be told: the account, its primary key, where the server is."""
    _print(_accounts(state).get(name), state, as_json)


@account.command()
@click.argument("name", metavar="ACCOUNT")
@click.option("--read-only", is_flag=True, help="It may look at everything that the API shows, and change nothing.")
@_options
def create(name: str, read_only: bool, state: Path, as_json: bool) -> None:
    """Make an account with two keys, and print what a client's shell is to be told."""
    from ..clock import now
    from ..ids import random_bytes

    made = _accounts(state).create(name, "readonly" if read_only else "readwrite", now(), random_bytes)
    _print(made, state, as_json)


@account.command()
@_one
@yes_option
@state_option
def delete(name: str, yes: bool, state: Path) -> None:
    """Delete an account: its keys are refused from now on."""
    accounts = _accounts(state)
    accounts.get(name)
    confirm("the account {}", [name], yes)
    accounts.delete(name)
    tell(f"{name}: deleted")
    if not accounts.all():
        tell("no account is left: nobody gets in, until one is created or the next server makes one", err=True)


@key.command()
@_one
@click.option(
    "--key-name", "which", type=click.Choice(["primary", "secondary"]), default="primary", show_default=True,
    help="The one that is made anew.",
)  # fmt: skip
@_options
def renew(name: str, which: str, state: Path, as_json: bool) -> None:
    """Make one of an account's keys anew; the former is refused from now on, and the other one stays good.

    To change keys without a gap: give clients the secondary key, renew the primary, give them that, renew the
    secondary.
    """
    from ..ids import random_bytes

    made = _accounts(state).renew(name, "secondary" if which == "secondary" else "primary", random_bytes)
    _print(made, state, as_json, which)


def _accounts(state: Path) -> Accounts:
    """Raises StateError."""
    from ..api.accounts import Accounts
    from ..state import StateDirectory

    StateDirectory(state).require()
    return Accounts(state)


def _view(account: Account) -> dict[str, str]:
    from ..iso8601 import format_instant

    return {"name": account.name, "kind": account.kind, "created": format_instant(account.created)}


def _print(account: Account, state: Path, as_json: bool, which: str = "primary") -> None:
    """With its keys, or with the one that a shell is to be told."""
    from ..endpoint import Endpoint, endpoint_of

    known = endpoint_of(state)
    endpoint = known if known is not None else Endpoint("http://127.0.0.1:8470")
    if as_json:
        told = {"endpoint": endpoint.url, "caBundle": endpoint.bundle}
        show({**_view(account), "primary": account.keys[0], "secondary": account.keys[1], **told}, True)
        return
    click.echo(endpoint.lines(account, secondary=which == "secondary"))
    if known is None:
        tell("no server has worked on this state yet: the endpoint is the usual one", err=True)
