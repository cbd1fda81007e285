"""What must hold for anything with a command line: start tasks, tasks, job manager tasks."""

from __future__ import annotations

import re

from runner import CommandLineError, shell_hint, split_command_line

from .cursor import Cursor
from .problems import Problems

_MODE = re.compile(r"0?[0-7]{3,4}", re.ASCII)
_SCHEMES = ("http://", "https://")


def check_command(task: Cursor, problems: Problems) -> None:
    """Its command line, environment and resource files."""
    command = task.get("commandLine")
    line = task.text("commandLine")
    if command is not None and line is not None:
        try:
            split_command_line(line)
        except CommandLineError as exc:
            problems.error(command.place, command.path, str(exc))
        else:
            hint = shell_hint(line)
            if hint is not None:
                problems.warn(command.place, command.path, hint)
    check_environment(task, "environmentSettings", problems)
    user = task.find("userIdentity", "autoUser")
    if user is not None and (user.text("scope") or "").lower() == "task":
        text = "the tasks of a node are not separated from each other yet; all run as the node's user"
        problems.warn(user.place, f"{user.path}.scope", text)
    for file in task.each("resourceFiles"):
        _resource_file(file, problems)


def check_environment(owner: Cursor, name: str, problems: Problems) -> None:
    for setting in owner.each(name):
        variable = setting.text("name")
        if variable is not None and (not variable or re.search(r"[=\s]", variable)):
            problems.error(setting.place, f"{setting.path}.name", f"is no name of a variable: {variable!r}")


def _resource_file(file: Cursor, problems: Problems) -> None:
    source = file.get("httpUrl") or file.get("blobSource")
    url = file.text("httpUrl") or file.text("blobSource") or ""
    if source is not None and not url.lower().startswith(_SCHEMES):
        problems.error(source.place, source.path, f"must begin with http:// or https://, not {url[:60]!r}")
    path = file.text("filePath")
    if path is not None and (path.startswith("/") or ".." in re.split(r"[/\\]", path) or not path):
        text = f"must be a path below the task's directory, without `..`: {path!r}"
        problems.error(file.place, f"{file.path}.filePath", text)
    mode = file.text("fileMode")
    if mode is not None and not _MODE.fullmatch(mode):
        problems.error(
            file.place, f"{file.path}.fileMode", f"must be an octal mode such as '0755', not {mode!r}"
        )
