"""What held in a pool at a time, and what had led to it."""

from __future__ import annotations

from dataclasses import dataclass

from pools import PlannerPass, RecordedRun, Sample

from .kept import Kept
from .moments import period_of
from .run_again import Again, changed, metrics_of, run_again
from .silence import Silence, silence_at

#: Passes that are told at most, and that are looked at for when something began to hold.
_MOST = 1000
#: Samples that tell how often they are taken.
_FEW = 10


@dataclass(frozen=True)
class Standing:
    """`sample`: the last one that was taken. `plan`: the last pass of the planner; `since`: the first from which on the
    targets were those, for that reason. `again`: the last run of the formula; `change`: the last run that changed the
    targets, if it is another one. `passes`: what the planner did since that run, or since `since`, oldest first; only
    the last ones if `cut`. None: there was none, or it is not kept any more. `silence`: of that time nothing is
    recorded, and the rest is of before it."""

    pool_id: str
    at: float
    sample: Sample | None
    plan: PlannerPass | None
    since: PlannerPass | None
    again: Again | None
    change: RecordedRun | None
    passes: tuple[PlannerPass, ...]
    cut: bool
    silence: Silence | None

    @property
    def is_empty(self) -> bool:
        return self.sample is None and self.plan is None and self.again is None


def standing_at(kept: Kept, at: float) -> Standing:
    """Raises RequestRefused, Unanswered."""
    samples = list(kept.samples(end=at, newest_first=True, limit=_FEW))[::-1]
    sample = samples[-1] if samples else None
    plan, since = _passes_that_hold(kept, at)
    run = next(kept.runs(end=at, newest_first=True, limit=1), None)
    change = run
    if run is not None and not changed(run):
        earlier = kept.runs(end=at, newest_first=True, briefly=True)
        change = next((each for each in earlier if changed(each)), None)
    begun = change if change is not None else run
    start = begun.timestamp if begun is not None else (since.time if since is not None else at)
    passes = list(kept.passes(start, at, newest_first=True, limit=_MOST + 1))
    again = _again(kept, run) if run is not None else None
    told = tuple(reversed(passes[:_MOST]))
    known = [sample.time] if sample is not None else []
    known += [plan.time] if plan is not None else []
    known += [run.timestamp] if run is not None else []
    silence = silence_at(kept, at, max(known, default=None), period_of(samples))
    return Standing(kept.pool_id, at, sample, plan, since, again, change, told, len(passes) > _MOST, silence)


def _again(kept: Kept, run: RecordedRun) -> Again:
    names = metrics_of(run.formula)
    if not names or run.first_sample is None:
        return run_again(run, ())
    return run_again(run, kept.samples(run.first_sample, run.last_sample, metrics=names))


def _passes_that_hold(kept: Kept, at: float) -> tuple[PlannerPass | None, PlannerPass | None]:
    """The last pass, and the first of those before it that went by the same targets for the same reason."""
    last: PlannerPass | None = None
    first: PlannerPass | None = None
    for each in kept.passes(end=at, newest_first=True, limit=_MOST):
        if last is None:
            last = each
        if each.standing[:3] != last.standing[:3]:
            break
        first = each
    return last, first
