"""Nodes run Linux: what is written for Windows is refused, and what it would be on Linux is named. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

#: What to ask for where something of Windows was asked for.
IMAGE = "canonical/0001-com-ubuntu-server-jammy/22_04-lts"
AGENT = "batch.node.ubuntu 22.04"

_WINDOWS = re.compile(r"windows|(?:^|[^a-z])win(?:server|[^a-z]|$)|(?:^|[^a-z])ws20\d\d", re.ASCII)
_COMMAND = re.compile(
    r"""\s*"?(?:(?:[a-z]:\\|%\w+%\\)(?:[^"\s\\]+\\)*)?"""
    r"""(?P<program>cmd|powershell|%comspec%)(?P<ending>\.exe)?"?(?P<rest>\s.*|$)""",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
#: A path that begins with a variable, and goes on with a backslash.
_IN_FOLDER = re.compile(r"""\s*"?(?P<path>%\w[\w#.-]*%\\[^"\s]*)"?""", re.ASCII)
_SWITCHES = re.compile(r"(?:\s+/[a-z](?::\w+)?)*?\s+/[ck](?=[\s\"]|$)", re.ASCII | re.IGNORECASE)
#: Names of application packages hold more than letters.
_VARIABLE = re.compile(r"%(\w[\w#.-]*)%", re.ASCII)
#: A longer command is not repeated in a message.
_SHOWN = 200


def windows_machine(machine: Mapping[str, Any]) -> tuple[str, str] | None:
    """What of a pool's `virtualMachineConfiguration` is for Windows: the name of the property, and what is wrong with
    it; None if there is nothing."""
    reference, agent = machine.get("imageReference"), machine.get("nodeAgentSKUId")
    if isinstance(reference, Mapping):
        for name in ("publisher", "offer", "sku"):
            if _WINDOWS.search(str(reference.get(name) or "").lower()):
                written = "/".join(str(reference.get(part) or "") for part in ("publisher", "offer", "sku"))
                text = f"nodes run Linux, and {written[:120]} is an image of Windows; use {IMAGE}"
                return "imageReference", f"{text} with the nodeAgentSKUId {AGENT!r}"
    if isinstance(agent, str) and agent.lower().startswith("batch.node.windows"):
        return "nodeAgentSKUId", f"nodes run Linux; use {AGENT!r} with an image such as {IMAGE}"
    return None


def windows_command(line: str) -> str | None:
    """Why a command line is for Windows, and how it reads on Linux; None if it is not. A program of Linux may be called
    `cmd`, too."""
    found = _COMMAND.match(line)
    if found is None:
        return _windows_path(line)
    program, rest = found["program"].lower(), found["rest"]
    if program == "powershell":
        cure = "write it for a shell, such as /bin/sh -c '...', or start pwsh if the nodes' image has it"
        return f"nodes run Linux, where there is no powershell; {cure}"
    switches = _SWITCHES.match(rest)
    if program == "cmd" and not found["ending"] and switches is None:
        return None
    shell = f"/bin/sh -c {_for_a_shell(rest[switches.end() :] if switches is not None else '')}"
    return f"nodes run Linux, where there is no cmd; write it for a shell, such as {shell}"


def _windows_path(line: str) -> str | None:
    found = _IN_FOLDER.match(line)
    if found is None:
        return None
    path = found["path"].replace("\\", "/")
    shell = f"/bin/sh -c {_for_a_shell(path + line[found.end() :])}"
    return f"nodes run Linux, where %NAME%\\ is $NAME/, and only a shell reads it; write for instance {shell}"


def _for_a_shell(command: str) -> str:
    """`%NAME%` is `$NAME` there, and `&` between two commands is `;`."""
    command = command.strip()
    if len(command) > 1 and command[0] == command[-1] == '"' and '"' not in command[1:-1]:
        command = command[1:-1]
    command = _VARIABLE.sub(lambda found: "$" + re.sub(r"\W", "_", found[1]), command)
    command = re.sub(r"(?<!&)&(?!&)", ";", command)
    if not command or len(command) > _SHOWN or not command.isprintable():
        return "'...'"
    return shlex.quote(command) if " " in command or "'" in command else f"'{command}'"
