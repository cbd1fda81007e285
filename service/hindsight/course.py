"""Runs and planner passes in the order of time, with what is alike told once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge

from pools import PlannerPass, RecordedRun

from .run_again import changed, targets_after


@dataclass(frozen=True)
class Quiet:
    """Runs in a row that decided the same and changed nothing."""

    first: RecordedRun
    last: RecordedRun
    count: int


Entry = RecordedRun | PlannerPass | Quiet


def course(runs: Iterable[RecordedRun], passes: Iterable[PlannerPass], *, every_run: bool = False) -> Iterator[Entry]:
    """Both oldest first. Of passes those with actions, and those that begin to go by other targets or are held back for
    another reason. `every_run`: none is told together with others."""
    quiet: Quiet | None = None
    last: PlannerPass | None = None
    # of the same time the run comes first: what the planner does then follows from it
    both: list[Iterable[RecordedRun | PlannerPass]] = [runs, passes]
    for each in merge(*both, key=_time):
        if isinstance(each, PlannerPass):
            before, last = last, each
            if not each.actions and before is not None and before.standing == each.standing:
                continue
        elif not every_run and not changed(each) and each.error is None:
            if quiet is not None and targets_after(quiet.last) == targets_after(each):
                quiet = Quiet(quiet.first, each, quiet.count + 1)
                continue
            if quiet is not None:
                yield quiet
            quiet = Quiet(each, each, 1)
            continue
        if quiet is not None:
            yield quiet
            quiet = None
        yield each
    if quiet is not None:
        yield quiet


def _time(each: RecordedRun | PlannerPass) -> float:
    return each.time if isinstance(each, PlannerPass) else each.timestamp
