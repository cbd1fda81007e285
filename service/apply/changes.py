"""What is to be done so that a server holds what a workload file says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """`path`: of a property, such as `startTask.commandLine` or `metadata[budget]`. None: it is not there."""

    path: str
    old: Any
    new: Any


class Step(NamedTuple):
    """A request. `body`: JSON-like, with structs in it, or the file that holds it."""

    method: str
    segments: tuple[str, ...]
    body: object | None = None
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """`kind` and `name` as people are told of them: "pool", "main". `new`: there was none. `tasks`: ids of those that
    are added."""

    kind: str
    name: str
    new: bool = False
    differences: tuple[Difference, ...] = ()
    tasks: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass
class Plan:
    """`changes`: in the order in which they are made. `unchanged` counts applications' versions, pools, schedules and
    jobs, `unchanged_tasks` tasks. `left_alone`: lines about what is as it is on purpose. `refused`: lines about what
    cannot be brought about; nothing is done then."""

    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    unchanged_tasks: int = 0
    left_alone: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    #: of jobs and tasks that are gone on purpose: when the job was forgotten; tasks with their jobs
    forgotten: dict[str, str] = field(default_factory=dict)
    deleted: list[tuple[str, str]] = field(default_factory=list)

    def note(self, change: Change) -> None:
        """One that may turn out to be none."""
        if change.new or change.differences or change.tasks:
            self.changes.append(change)
        else:
            self.unchanged += 1
