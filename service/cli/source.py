"""Where the objects are that a command is about: on a server, if one is named, else in the state directory.

Commands with these options need not know: they read with `objects`, and ask with `asking.carry_out` and `asking.asked`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from .door import BadInput
from .options import json_option, state_option

if TYPE_CHECKING:
    from ..rest_objects import Objects, RequestRefused
    from ..rest_over_http import ServerAddress

F = TypeVar("F", bound=Callable[..., Any])

#: The same variables as of `az batch`.
_OPTIONS = {
    "endpoint": ("URL", "AZURE_BATCH_ENDPOINT", "The server that holds the objects; none: the state directory."),
    "account": ("NAME", "AZURE_BATCH_ACCOUNT", "An account of that server."),
    "key": ("KEY", "AZURE_BATCH_ACCESS_KEY", "A key of the account; others see it in lists of processes."),
}
#: What lists the things that are missing.
_LISTS = {
    "PoolNotFound": "`ebbtide pool list`",
    "JobNotFound": "`ebbtide job list`",
    "NodeNotFound": "`ebbtide node list`",
    "JobScheduleNotFound": "`ebbtide schedule list`",
    "ApplicationNotFound": "`ebbtide app list`",
    "InvalidApplicationPackageReferences": "`ebbtide app list`",
}
_DENIED = ("AuthenticationFailed", "AuthorizationFailure")


def server_options(command: F) -> F:
    """--endpoint, --account and --key, or the variables; commands are not given them (see `server_address`)."""
    for name, (metavar, variable, told) in reversed(_OPTIONS.items()):
        command = click.option(
            f"--{name}",
            metavar=metavar,
            envvar=variable,
            show_envvar=True,
            expose_value=False,
            callback=_kept,
            help=told,
        )(command)
    return command


def source_options(command: F) -> F:
    """--state or a server, and --json."""
    return state_option(server_options(json_option(command)))


def list_options(command: F) -> F:
    """Those, --filter and --select."""
    filtered = click.option("--filter", "filter_", metavar="FILTER", help="Only those that fulfil it: OData.")
    selected = click.option("--select", metavar="NAMES", help="Only these properties, with commas between.")
    return filtered(selected(source_options(command)))


def _kept(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    name = str(parameter.name)
    if context.obj is not None:
        context.obj["takes a server"] = True
    context.meta[_meta(name)] = value or None, context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _meta(name: str) -> str:
    return f"ebbtide.{name}"


def server_address() -> ServerAddress | None:
    """The server of the present command; None: it is about a state directory. Raises UsageError, BadInput.

    What stands on the command line counts before variables.
    """
    from ..rest_over_http import ServerAddress

    context = click.get_current_context()
    given = {name: context.meta.get(_meta(name), (None, False)) for name in _OPTIONS}
    endpoint, named = given["endpoint"]
    state_named = context.get_parameter_source("state") is ParameterSource.COMMANDLINE
    if named and state_named:
        raise click.UsageError("--state is a directory, --endpoint a server: give one of them")
    if endpoint is None or (state_named and not named):
        meant = [f"--{name}" for name, (_, said) in given.items() if said]
        if meant:
            raise click.UsageError(f"{meant[0]} is for a server: give --endpoint too, and no --state")
        return None
    for name in ("account", "key"):
        if given[name][0] is None:
            raise BadInput(f"of the server {endpoint} no {name} is known: give --{name}, or set {_OPTIONS[name][1]}")
    return ServerAddress(_url(endpoint), given["account"][0], _base64(given["key"][0]))


def no_server(reason: str) -> None:
    """End the command if it is about a server: this can be done with a state directory alone."""
    address = server_address()
    if address is not None:
        raise click.UsageError(f"{reason}; where {address.endpoint} runs, with its --state DIR, this can be done")


def _url(text: str) -> str:
    """As `az` takes it: without a scheme, TLS is meant."""
    found = text if "://" in text else f"https://{text}"
    if not re.fullmatch(r"https?://[^/?#\s@]+/?", found) or not _has_a_host(found):
        raise BadInput(f"{text!r} is no endpoint: give http://HOST:PORT or https://HOST[:PORT]")
    return found.rstrip("/")


def _has_a_host(url: str) -> bool:
    """And a port that there is, if any."""
    import httpx

    try:
        found = httpx.URL(url)
        return bool(found.host.encode("idna")) and (found.port is None or found.port < 65536)
    except (httpx.InvalidURL, UnicodeError):
        return False


def _base64(key: str) -> str:
    import base64
    import binascii

    try:
        base64.b64decode(key, validate=True)
    except binascii.Error:
        # the key itself is told to nobody
        raise BadInput("the account key is not base64: give it just as `ebbtide serve` has printed it") from None
    return key


@contextmanager
def objects(state: Path, as_json: bool = False) -> Iterator[Objects]:
    """What there is, to be read. A refusal ends the command, with the code and the cure.

    Raises StateError, JournalError.
    """
    from ..rest_objects import Objects, RequestRefused, Unanswered

    address = server_address()
    try:
        if address is not None:
            from ..rest_over_http import server

            with server(address) as way:
                yield Objects(way)
        else:
            from ..rest_in_records import records_way
            from .listing import records

            with records(state) as journal, records_way(journal) as way:
                yield Objects(way)
    except RequestRefused as exc:
        refuse(exc, as_json)
    except Unanswered as exc:
        raise click.ClickException(str(exc)) from None


def refuse(error: RequestRefused, as_json: bool) -> NoReturn:
    from .asking import not_found

    not_found(error.code, with_cure(error), as_json)


def with_cure(error: RequestRefused) -> str:
    """The message, and where to look."""
    from ..rest_objects import ClocksDiffer

    job_id = click.get_current_context().params.get("job_id")
    if error.code == "TaskNotFound" and isinstance(job_id, str):
        return f"{error}; `ebbtide task list {shlex.quote(job_id)}` lists them"
    if error.code in _LISTS:
        return f"{error}; {_LISTS[error.code]} lists them"
    if error.code in _DENIED and not isinstance(error, ClocksDiffer):
        return f"{error} (AZURE_BATCH_ACCOUNT and AZURE_BATCH_ACCESS_KEY, or --account and --key, say who asks)"
    return str(error)
