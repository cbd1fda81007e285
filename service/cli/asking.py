"""Requests from the command line: of several things at a time, whether a controller works on the state or not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from .door import print_error
from .options import config_option, read_settings
from .source import server_address, source_options, with_cure
from .tell import tell

if TYPE_CHECKING:
    from runner import Event

    from ..rest_objects import Objects
    from ..rest_over_http import ServerAddress

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def request_options(command: F) -> F:
    """--state or a server, --config and --json."""
    return source_options(config_option(command))


def yes_option(command: F) -> F:
    return click.option("--yes", "-y", is_flag=True, help="Do not ask on a terminal whether it is meant.")(command)


def is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(what: str, ids: Sequence[str], yes: bool, *, verb: str = "Delete") -> None:
    """On a terminal somebody has to mean it; a script does. `what`: with {} for the ids."""
    if yes or not is_terminal():
        return
    named = ", ".join(ids[:5]) + (f" and {len(ids) - 5:,} more" if len(ids) > 5 else "")
    if not click.confirm(f"{verb} {what.replace('{}', named)}?", err=True):
        raise click.ClickException(f"nothing was {verb.lower().removesuffix('e')}ed")


def carry_out(
    state: Path,
    config: Path | None,
    as_json: bool,
    wanted: Iterable[tuple[str, Event]],
    told: str,
    later: str | None = "nodes hear of it when the next `ebbtide run` does",
) -> None:
    """Ask for all of it, also if some is refused; the exit code is 1 then.

    `wanted`: ids with what is asked of them. `told`: what is said of each that was not refused, with {} for its id.
    `later`: what is said if no controller runs.
    """
    with unanswered(), _asker(state, config) as (ask, live):
        found = _each(wanted, ask, as_json, told)
        _end(found, as_json, None if live else later)


def _each(
    wanted: Iterable[tuple[str, T]], ask: Callable[[T], None], as_json: bool, told: str
) -> list[dict[str, Any]]:
    """What came of each; refusals are told at once."""
    from ..rest_objects import RequestRefused

    answers: list[dict[str, Any]] = []
    for name, what in wanted:
        answers.append({"id": name})
        try:
            ask(what)
        except RequestRefused as exc:
            answers[-1] |= error_json(exc.code, str(exc))
            print_error(f"{exc.code}: {with_cure(exc)}")
        else:
            if not as_json:
                tell(told.replace("{}", name))
    return answers


def _end(answers: list[dict[str, Any]], as_json: bool, later: str | None) -> None:
    refused = sum("error" in answer for answer in answers)
    if as_json:
        click.echo(json.dumps(answers, indent=2))
    if later is not None and refused < len(answers):
        tell(f"recorded: no controller works on the state; {later}", err=True)
    if refused:
        sys.exit(1)


@contextmanager
def unanswered() -> Iterator[None]:
    from ..rest_objects import Unanswered

    try:
        yield
    except Unanswered as exc:
        raise click.ClickException(str(exc)) from None


def create(
    state: Path,
    config: Path | None,
    as_json: bool,
    wanted: Sequence[tuple[str, Callable[[Objects], None]]],
    told: str,
    later: str | None,
) -> None:
    """The same for what no event is: each is called with the objects, on a server or of the state, and asks them."""
    with unanswered(), written(state, config) as (objects, live):
        found = _each(wanted, lambda make: make(objects), as_json, told)
        _end(found, as_json, None if live else later)


@contextmanager
def written(state: Path, config: Path | None, *, quiet: bool = False) -> Iterator[tuple[Objects, bool]]:
    """Objects that can be made and changed, and whether somebody works on them. `quiet`: what of a request has no
    effect is told elsewhere."""
    from ..rest_objects import Objects

    def warn(text: str) -> None:
        if not quiet:
            tell(f"ebbtide: warning: {text}", err=True)

    address = server_address()
    if address is not None:
        from ..rest_over_http import server

        with server(address, warn=warn) as way:
            yield Objects(way), True
    else:
        from ..offline_requests import writing_way
        from ..state import StateDirectory

        with writing_way(StateDirectory(state), read_settings(config), warn) as (way, live):
            yield Objects(way), live


@contextmanager
def _asker(state: Path, config: Path | None) -> Iterator[tuple[Callable[[Event], None], bool]]:
    """What asks for events, and whether somebody works on what is asked for."""
    from ..offline_requests import asking
    from ..state import StateDirectory

    address = server_address()
    if address is None:
        with asking(StateDirectory(state), read_settings(config)) as ask:
            yield ask, ask.live
        return
    with _of_server(address) as ask_server:
        yield ask_server, True


@contextmanager
def _of_server(address: ServerAddress) -> Iterator[Callable[[Event], None]]:
    from .. import rest_requests
    from ..rest_objects import Objects
    from ..rest_over_http import server

    with server(address) as way:
        objects = Objects(way)

        def ask(event: Event) -> None:
            try:
                rest_requests.ask(objects, event)
            except rest_requests.NoSuchRequest:
                text = "the Batch REST API has no such operation; ask where the server runs, with its --state DIR"
                raise click.ClickException(text) from None

        yield ask


def error_json(code: str, message: str) -> dict[str, Any]:
    """As it stands in what --json prints."""
    return {"error": {"code": code, "message": message}}


def not_found(code: str, message: str, as_json: bool) -> NoReturn:
    """There is nothing to show."""
    if as_json:
        click.echo(json.dumps(error_json(code, message), indent=2))
    raise click.ClickException(f"{code}: {message}")
