"""Nodes that are missing for a job or one of its tasks: since when, and what was said of it. Pure.

Only a formula that is told of work can react to it. So its time begins anew with another formula, another task, or the
same one after it was ended, deleted or stopped: what is remembered is of those that wait at present.
"""

from __future__ import annotations

from collections.abc import Container, Hashable
from dataclasses import dataclass

from pools import FailureInfo, Pool, Timers, formula_patience

from .outlook import Outlook
from .task_model import Task

#: What waits is the job itself.
OF_JOB = ""


def wait_of(task: Task) -> Hashable:
    """This time that the task waits: neither another one of its id nor the same when it is reactivated has it again."""
    return (task.uid, task.state_time)


@dataclass(slots=True)
class Lack:
    """Nodes are missing that something waits for."""

    #: what is asked of the pool
    asked: Hashable
    #: when that was seen first
    since: float
    #: what was said of it
    error: FailureInfo | None = None


class Lacks:
    """Of a job and its tasks, by who waits: see `wait_of`, `OF_JOB`."""

    __slots__ = ("_found", "_timers")

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._found: dict[Hashable, Lack] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def keep(self, waiting: Container[Hashable]) -> None:
        """Nothing else waits."""
        self._found = {wait: lack for wait, lack in self._found.items() if wait in waiting}

    def pause(self) -> None:
        """Nothing of it counts for a formula at present; what was said stays said."""
        self._found = {wait: lack for wait, lack in self._found.items() if lack.error is not None}

    def look(
        self, wait: Hashable, needed: int, present: int, pool: Pool, view: Outlook, now: float, *, dedicated: bool
    ) -> Lack | None:
        """Are there fewer nodes than `needed` that may take it, and will that remain so? None: no."""
        lack = self._found.pop(wait, None)
        if present >= needed:
            return None
        spec = pool.spec
        targets = None if spec.enable_auto_scale else (pool.target_dedicated, pool.target_low_priority)
        asked = (pool.id, pool.created, spec.auto_scale_formula, targets, view.grows)
        if lack is None or lack.asked != asked:
            lack = Lack(asked, now)
        if lack.error is None:
            if present + view.awaited(dedicated=dedicated) >= needed or (view.formula and not view.usable):
                return None
            due = lack.since + formula_patience(spec)
            if view.formula and now < due:
                self._timers.set_earlier("outlook", pool.id, due)
                self._found[wait] = lack
                return None
        self._found[wait] = lack
        return lack
