"""A time of which nothing is recorded: before the first record of a pool, or while no controller was at work."""

from __future__ import annotations

from dataclasses import dataclass

from formula import parse_time

from .kept import Kept

#: A controller that is at work takes a sample within so many periods, and so many seconds for being late.
_PERIODS, _LATE = 3.0, 2.0


@dataclass(frozen=True)
class Silence:
    """`since`: Instant of the last record before; `until`: of the first one after; None: there is none. `made`: when
    the pool was made that there is now; `nodes`: dedicated and low-priority that it has now; None: it has gone."""

    since: float | None
    until: float | None
    made: float | None
    nodes: tuple[int, int] | None


def silence_at(kept: Kept, at: float, last: float | None, period: float) -> Silence | None:
    """`last`: Instant of the last record until `at`; `period`: seconds between two samples. None: there are records
    of that time. Raises RequestRefused, Unanswered."""
    if last is not None and at - last <= _PERIODS * period + _LATE:
        return None
    first = (
        *(each.time for each in kept.samples(at, limit=1, metrics=())),
        *(each.timestamp for each in kept.runs(at, limit=1, briefly=True)),
        *(each.time for each in kept.passes(at, limit=1)),
    )
    until, pool = min(first, default=None), kept.pool()
    if pool is None:
        return Silence(last, until, None, None)
    nodes = (pool["currentDedicatedNodes"], pool["currentLowPriorityNodes"])
    return Silence(last, until, parse_time(pool["creationTime"]), nodes)
