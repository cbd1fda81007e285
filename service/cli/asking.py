"""Requests from the command line: of several things at a time, whether a controller works on the state or not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from .door import print_error
from .options import config_option, json_option, read_settings, state_option
from .tell import tell

if TYPE_CHECKING:
    from runner import Event

F = TypeVar("F", bound=Callable[..., Any])


def request_options(command: F) -> F:
    """--state, --config and --json."""
    return state_option(config_option(json_option(command)))


def yes_option(command: F) -> F:
    return click.option("--yes", "-y", is_flag=True, help="Do not ask on a terminal whether it is meant.")(command)


def is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(what: str, ids: Sequence[str], yes: bool) -> None:
    """On a terminal somebody has to mean it; a script does. `what`: with {} for the ids."""
    if yes or not is_terminal():
        return
    named = ", ".join(ids[:5]) + (f" and {len(ids) - 5:,} more" if len(ids) > 5 else "")
    if not click.confirm(f"Delete {what.replace('{}', named)}?", err=True):
        raise click.ClickException("nothing was deleted")


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
    from ..offline_requests import ControllerSilent, RequestRefused, asking
    from ..state import StateDirectory

    answers: list[dict[str, Any]] = []
    with asking(StateDirectory(state), read_settings(config)) as ask:
        for name, event in wanted:
            answers.append({"id": name})
            try:
                ask(event)
            except RequestRefused as exc:
                answers[-1] |= error_json(exc.code, str(exc))
                print_error(f"{exc.code}: {exc}")
            except ControllerSilent as exc:
                raise click.ClickException(str(exc)) from None
            else:
                if not as_json:
                    tell(told.replace("{}", name))
    refused = sum("error" in answer for answer in answers)
    if as_json:
        click.echo(json.dumps(answers, indent=2))
    if later is not None and not ask.live and refused < len(answers):
        tell(f"recorded: no controller works on the state; {later}", err=True)
    if refused:
        sys.exit(1)


def error_json(code: str, message: str) -> dict[str, Any]:
    """As it stands in what --json prints."""
    return {"error": {"code": code, "message": message}}


def not_found(code: str, message: str, as_json: bool) -> NoReturn:
    """There is nothing to show."""
    if as_json:
        click.echo(json.dumps(error_json(code, message), indent=2))
    raise click.ClickException(f"{code}: {message}")
