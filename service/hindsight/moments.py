"""The moments at which another formula is asked: those of the recorded runs, or evenly spread. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import median

from formula import DEFAULT_PERIOD, PoolValues
from pools import RecordedRun, Sample

from .run_again import targets_after

#: Most of them in one replay.
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """Samples from `first` to `last` are seen. `recorded`: the targets that were decided then, or held; None: not
    known. `pool`: as the formula saw it; None: as the newest sample tells. `failed`: the recorded run did."""

    time: float
    first: float
    last: float
    period: float
    recorded: tuple[int, int] | None = None
    pool: PoolValues | None = None
    seed: int | None = None
    failed: bool = False


def of_runs(runs: Iterable[RecordedRun], delay: float) -> list[Moment]:
    """`delay`: how old a sample was when it became visible, for runs of earlier versions, which do not say what they
    saw."""
    found = []
    for run in runs:
        if run.pool is None:
            first, last = -inf, run.timestamp - delay
        else:
            first = run.timestamp if run.first_sample is None else run.first_sample
            last = -inf if run.last_sample is None else run.last_sample
        found.append(
            Moment(
                run.timestamp,
                first,
                last,
                run.sample_period or DEFAULT_PERIOD,
                targets_after(run),
                run.pool,
                run.seed,
                run.error is not None,
            )
        )
    return found


def every(start: float, end: float, seconds: float, delay: float, period: float) -> list[Moment]:
    """Raises ValueError if they are too many."""
    count = int((end - start) / seconds + 1e-9) + 1
    if count > MOST:
        raise ValueError(f"{count:,} evaluations are too many; make the time between two of them longer")
    times = (start + number * seconds for number in range(count))
    return [Moment(time, -inf, time - delay, period) for time in times]


def period_of(samples: Sequence[Sample]) -> float:
    """Seconds between two samples, as far as they tell. The controller takes each a little late."""
    gaps = [later.time - earlier.time for earlier, later in pairwise(samples)]
    if not gaps:
        return DEFAULT_PERIOD
    usual = median(gaps)
    return float(round(usual)) if usual >= 2 else max(round(usual, 1), 0.1)
