"""Why a command could not be started, and what would help. Loaded when that has happened."""

from __future__ import annotations

import errno
import os
import re

#: What is no program, but something that a shell does itself.
OF_SHELLS = {
    *(".", "alias", "cd", "declare", "eval", "exec", "exit", "export", "for", "if", "local", "pushd", "set", "source"),
    *("trap", "ulimit", "umask", "unset", "while"),
}
_ASSIGNMENT = re.compile(r"\w+=")


def why(error: OSError, program: str, path: str, user: str | None = None) -> tuple[str, str] | None:
    """Code and message; None if the error says all that can be said. `path`: where it was looked for; `user`: as whom
    it was to run, if that is not the agent's own. The working directory is the task's."""
    name = repr(program[:100])
    if isinstance(error, FileNotFoundError):
        return "CommandProgramNotFound", _missing(program, name, path)
    if isinstance(error, PermissionError) and os.path.isdir(program):
        return "CommandLaunchFailed", f"{name} is a folder: name the program in it that is to run"
    if isinstance(error, PermissionError):
        cure = "set its x bit" + ("" if user is None else f", and let the user {user} reach it")
        return "CommandLaunchFailed", f"{name} may not be executed: {cure}"
    if error.errno == errno.ENOEXEC:
        return "CommandLaunchFailed", (
            f"{name} is neither a program for this machine nor a script with a '#!' line: "
            f"begin it with the line '#!/bin/sh', or run it by /bin/sh {program[:100]}"
        )
    return None


def _missing(program: str, name: str, path: str) -> str:
    if program in OF_SHELLS:
        return f'{name} is a command of the shell, and none was started: write /bin/sh -c "{program} ..."'
    if _ASSIGNMENT.match(program):
        return (
            f"{name} sets a variable in a shell only, and none was started: "
            f'name it in environmentSettings, or write /bin/sh -c "{program[:100]} ..."'
        )
    if "/" in program and os.path.exists(program):
        return f"what the '#!' line of {name} names was not found: install it on the node, or correct the line"
    return (
        f"{name} was not found: install it on the node, by its start task or in its image, "
        f"or give its full path (PATH={path})"
    )
