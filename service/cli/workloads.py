"""Workload files on the command line: their parameters, and what they are checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .options import read_settings
from .source import server_address
from .tell import tell

if TYPE_CHECKING:
    from ..apply import PresentObjects
    from ..settings import Settings
    from ..workload_file import LoadedWorkload

F = TypeVar("F", bound=Callable[..., Any])


def param_option(command: F) -> F:
    """The command is given `parameters`, by name."""
    return click.option(
        "--param",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_read,
        help="A parameter of the file; may be given several times.",
    )(command)


def _read(context: click.Context, parameter: click.Parameter, given: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE")
        if name in found:
            raise click.BadParameter(f"{name} is given twice")
        found[name] = value
    return found


def load(
    workload: Path, parameters: dict[str, str], state: Path, config: Path | None, present: PresentObjects | None
) -> LoadedWorkload:
    """A workload file that is to be brought to a server, or to a state; its warnings are told. What sizes and images
    there are, and what intervals are too short, a server knows alone.

    Raises InputError, and what `present` raises.
    """
    from datetime import timedelta

    from msgspec.structs import replace

    from ..workload_file import load_workload

    settings = read_settings(config)
    if server_address() is None:
        loaded = load_workload(workload, settings, _offers(state, settings), parameters, present)
    else:
        lax = replace(
            settings,
            minimum_auto_scale_evaluation_interval=timedelta(0),
            minimum_recurrence_interval=timedelta(0),
        )
        loaded = load_workload(workload, lax, None, parameters, present)
    for warning in loaded.warnings:
        tell(f"ebbtide: {warning}", err=True)
    return loaded


def _offers(state: Path, settings: Settings) -> dict[str, Any]:
    """Asks no cloud. Raises StateError, ProviderError."""
    from ..offers import offer
    from ..provider_options import open_providers, provider_options
    from ..state import StateDirectory

    directory = StateDirectory(state)
    directory.require()
    options = provider_options(directory, settings)
    return {name: offer(provider, options[name]) for name, provider in open_providers(directory, settings).items()}
