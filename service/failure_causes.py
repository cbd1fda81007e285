"""Failed tasks, grouped by what made them fail: code, exit code, and the last line of standard error without what
differs from task to task. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .rest_objects import View
from .views.outputs_text import legible

#: Lines of standard error that are shown of a task.
LINES = 5
#: The code of a command that has ended with another exit code than 0 (Batch REST API).
_OF_COMMAND = "FailureExitCode"
#: What may be another in each task: addresses, ids, hashes, times, numbers.
_VARIES = (
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
    def own(self) -> tuple[tuple[str, str], ...]:
        """What is its own, and how that is told of several."""
        return (self.node_id or "", "NODE"), (self.task_id, "TASK")

    @property
    def told(self) -> str:
        """What says most about the failure: of a command that failed by itself, its own last words."""
        return self.lines[-1] if self.lines and self.code == _OF_COMMAND else self.message


@dataclass(slots=True)
class Cause:
    code: str
    exit_code: int | None
    text: str
    tasks: list[FailedTask]


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
    """The most frequent first; of those that are alike in that, as they came. What is the same in all of a cause, or
    what another task says in the same words, is no id and no number that would tell them apart."""
    tasks = list(tasks)
    said = Counter((task.code, task.exit_code, _line(task.told)) for task in tasks)
    groups: dict[tuple[Any, ...], list[tuple[FailedTask, tuple[str, ...]]]] = {}
    for task in tasks:
        line = _line(task.told)
        shared = said[task.code, task.exit_code, line] > 1
        names, values = _taken_apart(line, () if shared else task.own)
        groups.setdefault((task.code, task.exit_code, names), []).append((task, values))
    found = [_cause(names, members) for (_, _, names), members in groups.items()]
    return sorted(found, key=lambda cause: -len(cause.tasks))


def _cause(names: tuple[str, ...], members: list[tuple[FailedTask, tuple[str, ...]]]) -> Cause:
    """`names` and the values of each: see `_taken_apart`."""
    first, values = members[0]
    same = [len(set(each)) == 1 for each in zip(*(values for _, values in members), strict=True)]
    told = (value if alike else name for value, alike, name in zip(values, same, names, strict=True))
    return Cause(first.code, first.exit_code, "".join(told), [task for task, _ in members])


def _line(text: str) -> str:
    return " ".join(text.split())


def _taken_apart(line: str, own: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pieces of a line: by name where they may be another in each task, and as they stand. `own`: texts of the
    task alone, with their names."""
    named = {text: name for text, name in own if text}
    ids = "".join(rf"(?<![\w-]){re.escape(text)}(?![\w-])|" for text in named)
    pieces = re.split(f"({ids}{_VARIES})", line)  # every second one varies
    return tuple(named.get(each, "#") if place % 2 else each for place, each in enumerate(pieces)), tuple(pieces)
