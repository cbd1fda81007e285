"""What was recorded, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..samples import DEFAULT_PERIOD, EXACT, PoolValues, Samples, TimeSeries
from ..samples_csv import SampleTable
from ..vectors import total

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RecordedSeries:
    """The samples of one metric, oldest first. `times`: seconds since the epoch, UTC, rising; `values`: finite."""

    times: Floats
    values: Floats

    def __post_init__(self) -> None:
        if self.times.shape != self.values.shape or self.times.ndim != 1:
            raise ValueError("a series needs as many times as values")
        if not (np.isfinite(self.times).all() and np.isfinite(self.values).all()):
            raise ValueError("a sample must be finite; leave a missing one out")
        if not (self.times[1:] > self.times[:-1]).all():
            raise ValueError("each sample must be newer than the one before")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def ends(self) -> tuple[float, ...]:
        """How many samples, and the times of the first and the last one."""
        return (len(self), *self.times[:1].tolist(), *self.times[-1:].tolist())

    @cached_property
    def lists(self) -> tuple[list[float], list[float], list[float] | None]:
        """Times, values and, of whole numbers, running totals, as `TimeSeries` has them."""
        return self.times.tolist(), self.values.tolist(), self._totals[0].tolist() if self.is_whole else None

    @cached_property
    def _totals(self) -> tuple[Floats, ...]:
        """Running totals whose sum is the exact total of the samples so far, each of them exact: whole numbers need
        one, others are cut into multiples of a power of two and the rest. Nothing if two are not enough."""
        with np.errstate(over="ignore"):
            most = float(np.abs(self.values).sum())
        if most < EXACT and bool((np.rint(self.values) == self.values).all()):
            return (_running(self.values),)
        if not 2.0**-900 < most < 2.0**900:
            return ()
        # Totals of multiples of `step` stay below 2**53 steps, so they are exact; so do those of the rests.
        step = 2.0 ** (int(np.frexp(most)[1]) + 1 - 53)
        coarse = np.rint(self.values / step) * step
        rest = self.values - coarse
        least = step / 2.0**52 * max(1, 2 ** int(len(self) - 1).bit_length())
        if not bool((np.rint(rest / least) * least == rest).all()):
            return ()
        return _running(coarse), _running(rest)

    def sums(self, first: Indices, stop: Indices) -> Floats:
        """The sums of values[first:stop], correctly rounded."""
        totals = self._totals
        if not totals:
            values = self.values.tolist()
            pairs = zip(first.tolist(), stop.tolist(), strict=True)
            return np.array([total(values[low:high]) for low, high in pairs], dtype=np.float64)
        parts = [total[stop] - total[first] for total in totals]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    @cached_property
    def is_whole(self) -> bool:
        """Are all samples whole numbers of which sums are exact?"""
        return len(self._totals) == 1

    def extremes(self, first: Indices, stop: Indices, largest: bool) -> Floats:
        """The largest or smallest of values[first:stop], NaN of an empty window. Windows of 2**k samples or more are
        two overlapping ones of 2**k."""
        choose = np.maximum if largest else np.minimum
        found = np.full(len(first), np.nan)
        length = stop - first
        level = np.frexp(np.maximum(length, 1).astype(np.float64))[1] - 1
        level[length <= 0] = -1
        blocks = self.values
        for exponent in range(int(level.max(initial=-1)) + 1):
            if exponent:
                half = 1 << (exponent - 1)
                blocks = choose(blocks[:-half], blocks[half:])
            here = np.flatnonzero(level == exponent)
            if len(here):
                found[here] = choose(blocks[first[here]], blocks[stop[here] - (1 << exponent)])
        return found


def _running(values: Floats) -> Floats:
    totals = np.empty(len(values) + 1)
    totals[0] = 0.0
    np.cumsum(values, out=totals[1:])
    return totals


class _SeriesOfLists(Mapping[str, RecordedSeries]):
    def __init__(self, series: Mapping[str, TimeSeries]) -> None:
        self._series = series

    def __getitem__(self, name: str) -> RecordedSeries:
        series = self._series[name]
        found = series.arrays
        # It may have grown, or lost its oldest samples.
        if not isinstance(found, RecordedSeries) or found.ends != (len(series), *series.times[:1], *series.times[-1:]):
            times, values = np.array(series.times, dtype=np.float64), np.array(series.values, dtype=np.float64)
            found = series.arrays = RecordedSeries(times, values)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)


@dataclass(frozen=True, eq=False)
class Recording:
    """Recorded samples, and the pool as it was.

    `series`: by metric, with its `$`; `$TargetDedicatedNodes` and `$TargetLowPriorityNodes` may stand among them.
    `pool`: its values where no series tells them, before the first run. `period`: sampling period in seconds.
    """

    series: Mapping[str, RecordedSeries]
    period: float = DEFAULT_PERIOD
    pool: PoolValues = field(default_factory=PoolValues)

    @classmethod
    def of(cls, samples: Samples) -> Recording:
        """The same as arrays, each made when it is read first."""
        return cls(_SeriesOfLists(samples.series), samples.period, samples.pool)

    @classmethod
    def of_table(cls, table: SampleTable) -> Recording:
        """What a CSV file holds."""
        times = np.array(table.times, dtype=np.float64)
        series = {}
        for name, column in table.columns.items():
            values = np.array(column, dtype=np.float64)
            there = values == values
            series[name] = RecordedSeries(times[there], values[there])
        return cls(series, table.period)
