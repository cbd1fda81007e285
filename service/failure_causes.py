"""Failed tasks, grouped by what made them fail: code, exit code, and the last line of standard error without what
differs from task to task. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .rest_objects import View
from .views.outputs_text import legible

#: Lines of standard error that are shown of a task.
LINES = 5
#: The code of a command that has ended with another exit code than 0 (Batch REST API).
_OF_COMMAND = "FailureExitCode"
#: What may be another in each task: addresses, ids, hashes, times, numbers.
_VARIES = re.compile(
    r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b(?=\w*\d)[0-9a-f]{8,}\b|"
    r"\d[\d.,:]*\d|\d"
)


@dataclass(frozen=True, slots=True)
class FailedTask:
    """`lines`: the last ones of standard error; None: nobody could read them."""

    task_id: str
    code: str
    message: str
    exit_code: int | None
    node_id: str | None
    lines: tuple[str, ...] | None

    @property
    def told(self) -> str:
        """What says most about the failure: of a command that failed by itself, its own last words."""
        return self.lines[-1] if self.lines and self.code == _OF_COMMAND else self.message


@dataclass(slots=True)
class Cause:
    code: str
    exit_code: int | None
    text: str
    tasks: list[FailedTask] = field(default_factory=list)


def failed_task(view: View, stderr: bytes | None) -> FailedTask:
    """`view`: a completed task that failed. `stderr`: the end of it."""
    execution = view["executionInfo"]
    failure = execution.get("failureInfo") or {"code": _OF_COMMAND, "message": "it failed"}
    return FailedTask(
        task_id=view["id"],
        code=failure["code"],
        message=failure.get("message", ""),
        exit_code=execution.get("exitCode"),
        node_id=view.get("nodeInfo", {}).get("nodeId"),
        lines=last_lines(stderr) if stderr is not None else None,
    )


def last_lines(end: bytes) -> tuple[str, ...]:
    """The last ones that say something; of a terminal's escape sequences nothing is left."""
    text = end.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").expandtabs()
    lines = [legible(line).rstrip() for line in text.split("\n")]
    return tuple(line for line in lines if line.strip())[-LINES:]


def causes(tasks: Iterable[FailedTask]) -> list[Cause]:
    """The most frequent first; of those that are alike in that, as they came."""
    found: dict[tuple[Any, ...], Cause] = {}
    for task in tasks:
        text = normalised(task.told, task.task_id, task.node_id)
        cause = found.setdefault((task.code, task.exit_code, text), Cause(task.code, task.exit_code, text))
        cause.tasks.append(task)
    return sorted(found.values(), key=lambda cause: -len(cause.tasks))


def normalised(line: str, task_id: str, node_id: str | None) -> str:
    """Without ids, addresses, hashes, times and numbers."""
    for own, name in ((node_id, "NODE"), (task_id, "TASK")):
        if own:
            line = re.sub(rf"(?<![\w-]){re.escape(own)}(?![\w-])", name, line)
    return " ".join(_VARIES.sub("#", line).split())
