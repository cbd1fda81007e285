"""What the methods of a metric compute. Windows are given as look-backs: (now - far, now - near].

Rules: what Azure Batch documents of autoscale formulas, and its users measured. The interval forms of GetSample fail
below the required percentage of samples, which is 70 when none is given.
"""

from __future__ import annotations

from math import inf

from .faults import Fault, InsufficientData
from .samples import TimeSeries
from .vectors import NAN, largest, smallest

#: What GetSample demands of a window if the formula names no percentage.
DEFAULT_PERCENT = 70.0

# A length that came from timestamps is off by less than this part of a period.
_TOLERANCE = 1e-6


def _bounds(series: TimeSeries, now: float, far: float, near: float, period: float) -> tuple[int, int, float]:
    """The indices of the window and the percentage of its samples that are there, 0..100."""
    if far < near:
        far, near = near, far
    possible = (far - near) / period + _TOLERANCE
    if not possible < inf:
        raise Fault("the window of a sample method has no finite length")
    first, stop = series.window(now - far, now - near)
    expected = int(possible) or 1
    present = stop - first
    return first, stop, 100.0 if present >= expected else 100.0 * present / expected


def _required(
    series: TimeSeries, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> tuple[int, int]:
    first, stop, percent = _bounds(series, now, far, near, period)
    if not percent >= wanted:
        # What was received is cut to a whole number, so that 69.9 does not read as a met 70.
        raise InsufficientData(f"wanted {wanted:g}%, received {int(percent)}%", at)
    return first, stop


def sample_percent(series: TimeSeries, now: float, far: float, near: float, period: float) -> float:
    """GetSamplePercent: samples present of those possible, 0..100."""
    return _bounds(series, now, far, near, period)[2]


def window(
    series: TimeSeries, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> list[float]:
    """GetSample of an interval, newest first. Raises InsufficientData under `wanted` percent."""
    first, stop = _required(series, now, far, near, period, wanted, at)
    newest_first = series.values[first:stop]
    newest_first.reverse()
    return newest_first


def window_mean(
    series: TimeSeries, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> float:
    """avg(GetSample(...)) without making the vector."""
    first, stop = _required(series, now, far, near, period, wanted, at)
    return series.total(first, stop) / (stop - first) if stop > first else NAN


def window_total(
    series: TimeSeries, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> float:
    """sum(GetSample(...)) without making the vector."""
    first, stop = _required(series, now, far, near, period, wanted, at)
    return series.total(first, stop)


def window_largest(
    series: TimeSeries, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> float:
    """max(GetSample(...)): samples are finite, so Python's own max will do."""
    first, stop = _required(series, now, far, near, period, wanted, at)
    return max(series.values[first:stop]) if stop > first else largest(())


def window_smallest(
    series: TimeSeries, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> float:
    """min(GetSample(...))."""
    first, stop = _required(series, now, far, near, period, wanted, at)
    return min(series.values[first:stop]) if stop > first else smallest(())


def newest(series: TimeSeries, count: float) -> list[float]:
    """GetSample of a count: the newest samples, newest first, as many as there are; a fraction is cut off."""
    if count != count:
        raise Fault("GetSample: the count is not a number")
    values = series.values
    if count < 1:
        return []
    if count >= len(values):
        return values[::-1]
    return values[: -int(count) - 1 : -1]


def latest(series: TimeSeries) -> float:
    """A metric read as a number: its newest sample, NaN without any."""
    return series.values[-1] if series.values else NAN


def count(series: TimeSeries) -> float:
    return float(len(series.values))


def history_begin(series: TimeSeries, at: int) -> float:
    """The time of the oldest sample. Raises InsufficientData without any."""
    if not series.times:
        raise InsufficientData("wanted 1%, received 0%", at)
    return series.times[0]
