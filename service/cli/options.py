"""Options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..hints import DEFAULT_STATE

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

def _remembered(context: click.Context, _: click.Parameter, state: Path) -> Path:
    """For what the command tells, and for its errors."""
    if context.obj is not None:
        context.obj["state"] = state
    return state


def complete_files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Of what is the name of a file, and may be something else: the shell itself looks for files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def state_option(command: F) -> F:
    return click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_STATE,
        show_default=True,
        callback=_remembered,
        help="Directory that holds the records, packages and outputs.",
    )(command)


def config_option(command: F) -> F:
    return click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        help="YAML or TOML file with settings; EBBTIDE_* variables override it.",
    )(command)


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")(
        command
    )


def read_settings(path: Path | None) -> Settings:
    """The settings of a file and of the environment. Raises InputError."""
    from ..settings_file import load_settings

    return load_settings(path, os.environ)
