"""A recorded run gone through once more, statement by statement, on the samples that it saw. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import isfinite
from random import Random

from formula import DEFAULT_PERIOD, FormulaError, PoolValues, Samples, TimeSeries, compile_formula
from formula.explain import Trace, trace
from pools import RecordedRun, Sample


@dataclass(frozen=True)
class Again:
    """`told`: None if it cannot be told, and `why_not` says why. `alike`: it comes to what was recorded; if it does
    not, samples that it saw are not kept any more, or another version of ebbtide computed it."""

    run: RecordedRun
    told: Trace | None
    alike: bool = False
    why_not: str | None = None


def metrics_of(formula: str | None) -> tuple[str, ...]:
    """The series that a formula reads; none of one that does not parse."""
    try:
        return compile_formula(formula).metrics if formula is not None else ()
    except FormulaError:
        return ()


def run_again(run: RecordedRun, samples: Iterable[Sample]) -> Again:
    """`samples`: those from `first_sample` to `last_sample` that are kept, oldest first."""
    if run.formula is None or run.pool is None:
        return Again(run, None, why_not="an earlier version of ebbtide recorded it, without the formula")
    seen = Samples(run.sample_period or DEFAULT_PERIOD, series(samples, metrics_of(run.formula)), run.pool)
    try:
        told = trace(run.formula, seen, run.timestamp, None if run.seed is None else Random(run.seed))
    except FormulaError as exc:
        return Again(run, None, why_not=f"the formula does not parse: {exc}")
    return Again(run, told, _alike(run, told))


def series(samples: Iterable[Sample], names: Collection[str]) -> dict[str, TimeSeries]:
    found = {name: TimeSeries() for name in names}
    for sample in samples:
        add(found, sample)
    return found


def add(to: dict[str, TimeSeries], sample: Sample) -> None:
    """What the sample has of these series."""
    for name, values in to.items():
        value = sample.values.get(name)
        if value is not None and isfinite(value):
            values.append(sample.time, value)


def _alike(run: RecordedRun, told: Trace) -> bool:
    found = told.evaluation
    if (found.error is None) != (run.error is None):
        return False
    if found.error is not None and run.error is not None:
        values = tuple((each.name, each.value) for each in run.error.values)
        return (found.error.code, found.error.values) == (run.error.code, values)
    targets = (run.target_dedicated, run.target_low_priority)
    return found.results == run.results and (found.dedicated, found.low_priority) == targets


def targets_before(run: RecordedRun) -> tuple[int, int] | None:
    """The targets that the pool had; None: not recorded."""
    return None if run.pool is None else _targets(run.pool)


def _targets(pool: PoolValues) -> tuple[int, int]:
    return int(pool.target_dedicated), int(pool.target_low_priority)


def targets_after(run: RecordedRun) -> tuple[int, int] | None:
    if run.target_dedicated is None or run.target_low_priority is None:
        return None
    return run.target_dedicated, run.target_low_priority


def changed(run: RecordedRun) -> bool:
    """Did it change a target?"""
    return targets_before(run) != targets_after(run)
