"""What the methods of a metric compute. Windows are given as look-backs: (now - far, now - near].

Rules: what Azure Batch documents of autoscale formulas, and its users measured. The interval forms of GetSample fail
below the required percentage of samples, which is 70 when none is given.

A series comes in parts, as the compiler names them: `find`, `count` and `values` of TimeSeries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from .faults import Fault, InsufficientData

Find = Callable[[float, int, int], int]
Values = Sequence[float]

#: What GetSample demands of a window if the formula names no percentage.
DEFAULT_PERCENT = 70.0

#: A length that came from timestamps is off by less than this part of a period.
TOLERANCE = 1e-6


def possible_samples(length: float, period: float) -> int:
    """How many samples a window of `length` seconds can hold, at least 1. Raises Fault if it has no finite length."""
    possible = length / period + TOLERANCE
    if not possible < inf:
        raise Fault("the window of a sample method has no finite length")
    return int(possible) or 1


def _bounds(find: Find, count: int, now: float, far: float, near: float, period: float) -> tuple[int, int, float]:
    """The indices of the window and the percentage of its samples that are there, 0..100."""
    if far < near:
        far, near = near, far
    possible = possible_samples(far - near, period)
    first = find(now - far, 0, count)
    stop = find(now - near, first, count)
    present = stop - first
    return first, stop, 100.0 if present >= possible else 100.0 * present / possible


def _required(
    find: Find, count: int, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> tuple[int, int]:
    first, stop, percent = _bounds(find, count, now, far, near, period)
    if not percent >= wanted:
        too_few(percent, wanted, at)
    return first, stop


def too_few(percent: float, wanted: float, at: int) -> float:
    """Raises InsufficientData; `at` is the offset of the method's parenthesis."""
    # What was received is cut to a whole number, so that 69.9 does not read as a met 70.
    raise InsufficientData(f"wanted {wanted:g}%, received {int(percent)}%", at)


def sample_percent(find: Find, count: int, now: float, far: float, near: float, period: float) -> float:
    """GetSamplePercent: samples present of those possible, 0..100."""
    return _bounds(find, count, now, far, near, period)[2]


def window(
    find: Find, count: int, values: Values, now: float, far: float, near: float, period: float, wanted: float, at: int
) -> list[float]:
    """GetSample of an interval, newest first. Raises InsufficientData under `wanted` percent."""
    first, stop = _required(find, count, now, far, near, period, wanted, at)
    newest_first = list(values[first:stop])
    newest_first.reverse()
    return newest_first


def newest(values: Values, count: int, wanted: float) -> list[float]:
    """GetSample of a count: the newest samples, newest first, as many as there are; a fraction is cut off."""
    if wanted != wanted:
        raise Fault("GetSample: the count is not a number")
    if wanted < 1:
        return []
    newest_first = list(values[0 if wanted >= count else count - int(wanted) : count])
    newest_first.reverse()
    return newest_first


def history_begin(times: Values, count: int, at: int) -> float:
    """The time of the oldest sample. Raises InsufficientData without any."""
    if not count:
        raise InsufficientData("wanted 1%, received 0%", at)
    return times[0]
