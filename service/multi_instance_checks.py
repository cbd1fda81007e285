"""Multi-instance tasks in a workload file, and the pools that can run them."""

from __future__ import annotations

from runner import CommandLineError, split_command_line

from .cursor import Cursor
from .problems import Problems

_MOST = 1_000


def talks(pool: Cursor) -> bool:
    """Do the nodes of the pool reach each other?"""
    return (pool.text("enableInterNodeCommunication") or "").lower() == "true"


def check_instances(task: Cursor, pool: Cursor | None, problems: Problems) -> None:
    """`pool` None: it is not known."""
    settings = task.get("multiInstanceSettings")
    if settings is None:
        return
    if pool is not None and not talks(pool):
        text = "needs a pool whose nodes reach each other: give its pool enableInterNodeCommunication: true"
        problems.error(settings.place, settings.path, text)
    count = settings.get("numberOfInstances")
    if count is not None and not 1 <= settings.whole("numberOfInstances", 1) <= _MOST:
        problems.error(count.place, count.path, f"must be between 1 and {_MOST}")
    command, line = settings.get("coordinationCommandLine"), settings.text("coordinationCommandLine")
    if command is not None and line is not None:
        try:
            split_command_line(line)
        except CommandLineError as exc:
            problems.error(command.place, command.path, str(exc))
