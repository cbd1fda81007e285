"""The methods of a metric for many runs at once: the rules are those of `sampling`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..sampling import DEFAULT_PERCENT, TOLERANCE
from .course import Course
from .recording import Floats, Indices
from .rows import Failures, Numbers, Rows, Window, is_array, take

# In longer windows some sample is likely missing, and a guess at their length is wrong.
_SHORT = 64

_Item = TypeVar("_Item", np.float64, np.int64)


@dataclass(eq=False)
class ArrayWindows:
    course: Course
    failures: Failures
    # Windows of fixed edges for all runs, which a formula reads again and again.
    _known: dict[tuple[str, float, float], tuple[Window, Numbers]] = field(default_factory=dict)

    def find(self, name: str, rows: Rows, far: Numbers, near: Numbers, where: object) -> tuple[Window, Numbers]:
        """The window (now - far, now - near] and the percentage of its samples that are there."""
        if is_array(far) or is_array(near):
            return self._find(name, rows, far, near, where)
        key = (name, float(far), float(near))
        if key not in self._known:
            found = self._find(name, rows, far, near, where)
            if rows is not None:
                return found
            self._known[key] = found
        window, percent = self._known[key]
        if rows is None:
            return window, percent
        found_window: Window = take(window, rows)
        return found_window, take(percent, rows)

    def _find(self, name: str, rows: Rows, far: Numbers, near: Numbers, where: object) -> tuple[Window, Numbers]:
        course = self.course
        if is_array(far) or is_array(near):
            swap = np.less(far, near)
            far, near = np.where(swap, near, far), np.where(swap, far, near)
        elif far < near:
            far, near = near, far
        possible = np.subtract(far, near) / course.recording.period + TOLERANCE
        self.failures.record(rows, ~(possible < np.inf), ("window", where))
        expected = np.trunc(possible)
        expected = np.where(expected == 0, 1.0, expected)
        now = _of(course.times, rows)
        times = course.series(name).times
        visible = _of(course.visible(name), rows)
        length = np.inf if is_array(far) else (far - course.delay) / course.recording.period
        first = _up_to(times, now - far, visible, length)
        if not is_array(near) and near <= course.delay:
            # Nothing that is visible is newer than the window's end.
            stop = visible
        else:
            end = np.searchsorted(times, now - near, side="right")
            stop = np.maximum(np.minimum(end, visible), first)
        present = (stop - first).astype(np.float64)
        percent = np.where(present >= expected, 100.0, 100.0 * present / expected)
        return Window(course.series(name), first, stop), percent

    def sample(
        self, name: str, rows: Rows, far: Numbers, near: Numbers, wanted: Numbers | None, where: object
    ) -> Window:
        """GetSample of an interval; runs with fewer than `wanted` percent fail."""
        window, percent = self.find(name, rows, far, near, where)
        if wanted is None:
            wanted = DEFAULT_PERCENT
        self.failures.record(rows, ~(percent >= wanted), ("samples", where), wanted, np.trunc(percent))
        return window

    def newest(self, name: str, rows: Rows, count: Numbers, where: object) -> Window:
        """GetSample of a count."""
        self.failures.record(rows, np.isnan(count), ("count", where))
        stop = _of(self.course.visible(name), rows)
        if is_array(count):
            wanted = np.trunc(np.clip(np.nan_to_num(count), 0.0, 2.0**62)).astype(np.int64)
        else:
            wanted = np.int64(min(max(np.nan_to_num(count), 0.0), 2.0**62))
        return Window(self.course.series(name), np.maximum(stop - wanted, 0), stop)

    def latest(self, name: str, rows: Rows) -> Floats:
        return _of(self.course.latest(name, np.nan), rows)

    def count(self, name: str, rows: Rows) -> Floats:
        return _of(self.course.visible(name), rows).astype(np.float64)

    def history_begin(self, name: str, rows: Rows, where: object) -> Numbers:
        self.failures.record(rows, _of(self.course.visible(name), rows) == 0, ("begin", where))
        times = self.course.series(name).times
        return float(times[0]) if len(times) else 0.0


def _up_to(times: Floats, instants: Floats, most: Indices, back: float) -> Indices:
    """How many samples there are up to each instant, at most so many; likely `back` fewer than that."""
    if not (0 <= back < _SHORT and len(times)):
        return np.minimum(np.searchsorted(times, instants, side="right"), most)
    found = np.maximum(most - round(back), 0)
    begins = (found == 0) | (times[np.maximum(found - 1, 0)] <= instants)
    ends = (found == most) | (times[np.minimum(found, len(times) - 1)] > instants)
    wrong = np.flatnonzero(~(begins & ends))
    found[wrong] = np.minimum(np.searchsorted(times, instants[wrong], side="right"), most[wrong])
    return found


def _of(values: NDArray[_Item], rows: Rows) -> NDArray[_Item]:
    return values if rows is None else values[rows]
