"""What must hold for anything with a command line: start tasks, tasks, job manager tasks."""

from __future__ import annotations

import re

from runner import CommandLineError, shell_hint, split_command_line, windows_command

from .cursor import Cursor
from .file_checks import check_files
from .identity_checks import check_container
from .problems import Problems


def check_command(task: Cursor, problems: Problems) -> None:
    """Its command line, environment, resource files, output files and container."""
    command = task.get("commandLine")
    line = task.text("commandLine")
    if command is not None and line is not None:
        try:
            split_command_line(line)
        except CommandLineError as exc:
            problems.error(command.place, command.path, str(exc))
        else:
            windows, hint = windows_command(line), shell_hint(line)
            if windows is not None:
                problems.error(command.place, command.path, windows)
            elif hint is not None:
                problems.warn(command.place, command.path, hint)
    check_environment(task, "environmentSettings", problems)
    check_files(task, problems)
    check_container(task, problems)


def check_environment(owner: Cursor, name: str, problems: Problems) -> None:
    for setting in owner.each(name):
        variable = setting.text("name")
        if variable is not None and (not variable or re.search(r"[=\s]", variable)):
            problems.error(setting.place, f"{setting.path}.name", f"is no name of a variable: {variable!r}")
