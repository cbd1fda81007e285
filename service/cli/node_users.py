"""Users of nodes, who log in with `ssh`, and where they do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .asking import confirm, create, is_terminal, request_options, yes_option
from .door import BadInput
from .ids import node_ids
from .listing import show
from .new_body import Body, complete, json_file_option, read_object
from .node_place import path_of_node
from .source import objects, source_options
from .tell import tell

if TYPE_CHECKING:
    from ..rest_objects import Objects

F = TypeVar("F", bound=Callable[..., Any])

_node = click.argument("node_id", metavar="NODE", shell_complete=node_ids)


@click.group()
def user() -> None:
    """Users of nodes, who log in there with `ssh`."""


def _log_in_options(command: F) -> F:
    """How somebody logs in, and for how long."""
    options = (
        click.option(
            "--ssh-public-key",
            metavar="FILE",
            type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
            help="The public key that lets them in, such as ~/.ssh/id_ed25519.pub (- reads it).",
        ),
        click.option("--password", is_flag=True, help="Ask for a password, or read a line of standard input."),
        click.option("--expires", metavar="TIME", help="Until when, ISO 8601, or for how long (PT8H); default P1D."),
        json_file_option,
        request_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


@user.command("create")
@_node
@click.argument("name", metavar="[USER]", required=False)
@click.option("--admin", is_flag=True, default=None, help="They may become root there, with sudo.")
@_log_in_options
def create_user(
    node_id: str,
    name: str | None,
    admin: bool | None,
    ssh_public_key: Path | None,
    password: bool,
    expires: str | None,
    json_file: Path | None,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Make a user of a node, and tell how to log in. Needs a running controller, or a server."""
    body = _body(json_file, ssh_public_key, password, expires)
    complete(body, {"name": name, "isAdmin": admin})
    if not isinstance(body.get("name"), str):
        raise click.UsageError("Missing argument 'USER': the name, which no JSON file holds either.")
    user_name: str = body["name"]
    login: list[str] = []

    def make(found: Objects) -> None:
        place = path_of_node(node_id, found)
        found.ask("POST", *place, "users", body=body)
        settings = found.one(*place, "remoteloginsettings")
        address, port = settings["remoteLoginIPAddress"], settings["remoteLoginPort"]
        login.append(f"ssh -p {port} {user_name}@{address}")

    create(state, config, as_json, [(user_name, make)], f"user {{}} of node {node_id}: created", None)
    if not as_json:
        tell(login[0])


@user.command("reset")
@_node
@click.argument("name", metavar="USER")
@_log_in_options
def reset_user(
    node_id: str,
    name: str,
    ssh_public_key: Path | None,
    password: bool,
    expires: str | None,
    json_file: Path | None,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """Give a user of a node another key, password and time; what is not given goes, and the time is a day."""
    body = _body(json_file, ssh_public_key, password, expires)

    def put(found: Objects) -> None:
        found.ask("PUT", *path_of_node(node_id, found), "users", name, body=body)

    create(state, config, as_json, [(name, put)], f"user {{}} of node {node_id}: changed", None)


@user.command("delete")
@_node
@click.argument("name", metavar="USER...", nargs=-1, required=True)
@yes_option
@request_options
def delete_user(
    node_id: str, name: tuple[str, ...], yes: bool, state: Path, config: Path | None, as_json: bool
) -> None:
    """Remove users of a node; who is logged in is logged out."""
    confirm(f"user {{}} of node {node_id}", name, yes)

    def removing(user_name: str) -> Callable[[Objects], Any]:
        return lambda found: found.ask("DELETE", *path_of_node(node_id, found), "users", user_name)

    wanted = [(each, removing(each)) for each in name]
    create(state, config, as_json, wanted, f"user {{}} of node {node_id}: deleted", None)


def _body(json_file: Path | None, key: Path | None, password: bool, expires: str | None) -> Body:
    """Raises BadInput, UsageError."""
    if [str(each) for each in (json_file, key)].count("-") + (password and not is_terminal()) > 1:
        raise click.UsageError("standard input holds one thing: the password, the key or the JSON file")
    body = read_object(json_file)
    given = {
        "sshPublicKey": _key(key) if key is not None else None,
        "password": _password() if password else None,
        "expiryTime": _time(expires) if expires is not None else None,
    }
    complete(body, given)
    if not body.get("sshPublicKey") and not body.get("password"):
        raise click.UsageError("give --ssh-public-key, --password, or both: how they are to log in")
    return body


def _key(file: Path) -> str:
    try:
        with click.open_file(str(file.expanduser()), encoding="utf-8") as opened:
            text: str = opened.read().strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise BadInput(f"{file}: no public key can be read there: {exc}") from None
    if "PRIVATE KEY" in text:
        raise BadInput(f"{file} holds a private key, which goes nowhere: name the file of the public one ({file}.pub)")
    return text


def _password() -> str:
    """Never from the command line, which others see."""
    if is_terminal():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    found: str = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise BadInput("standard input holds no password: give it there, as a line")
    return found


def _time(text: str) -> str:
    """A duration from now as a time; a time as it is. Raises BadParameter."""
    from ..clock import now
    from ..iso8601 import format_instant, parse_duration, parse_instant

    try:
        if text.upper().startswith("P"):
            return format_instant(now() + parse_duration(text).total_seconds())
        parse_instant(text)
    except (ValueError, OverflowError) as exc:
        raise click.BadParameter(str(exc), param_hint="--expires") from None
    return text


@click.command("remote-login-settings")
@_node
@source_options
def remote_login_settings(node_id: str, state: Path, as_json: bool) -> None:
    """Tell at which address and port a node takes `ssh`."""
    with objects(state, as_json) as found:
        show(found.one(*path_of_node(node_id, found), "remoteloginsettings"), as_json)
