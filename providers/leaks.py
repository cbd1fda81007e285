"""Which processes on this machine still belong to a deployment's local nodes."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .names import carries
from .processes import all_processes, marker_of


@dataclass(frozen=True)
class MarkedProcess:
    pid: int
    vm_name: str
    command: str


def marked_processes(deployment: str) -> list[MarkedProcess]:
    """Every living process that carries the marker of one of the deployment's VMs, by process id.

    Works as an ordinary user, who sees the environment of their own processes only (which is where theirs
    are). This process itself is left out.
    """
    found = []
    for row in all_processes():
        name = marker_of(row.id.pid)
        if name is not None and carries(name, deployment) and row.id.pid != os.getpid():
            found.append(MarkedProcess(row.id.pid, name, _command(row.id.pid)))
    return sorted(found, key=lambda process: process.pid)


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return os.fsdecode(file.read().replace(b"\0", b" ").strip())
    except OSError:
        return ""
