"""What one run after the other sees, as the `Samples` of an evaluation."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial

from ..compiler import Program
from ..samples import PoolValues, Samples, TimeSeries
from ..variables import PoolField
from .course import FOLLOWING, RECORDED_AS, Course
from .recording import RecordedSeries


class SeenSeries(TimeSeries):
    """The oldest `seen` samples of a recorded series: the lists hold all of them, and a program looks at no more than
    `count`."""

    __slots__ = ("seen",)

    def __init__(self, recorded: RecordedSeries) -> None:
        super().__init__()
        self.times, self.values, totals = recorded.lists
        self.find = partial(bisect_right, self.times)
        self._whole = totals is not None
        self._totals = totals or []
        self.seen = 0

    @property
    def count(self) -> int:
        return self.seen


class History:
    """`series`: the samples of what the program reads, `own` those that the runs make. They move on from run to run."""

    def __init__(self, course: Course, program: Program) -> None:
        self._course = course
        self._recorded = {name: course.pool_values(name) for name in RECORDED_AS if course.is_recorded(name)}
        self._names = [name for name in program.series if name in course.recording.series]
        self.own: dict[str, TimeSeries] = {name: TimeSeries() for name in course.own_series(program)}
        self._fields = {name: next(field for field in FOLLOWING if RECORDED_AS[field] == name) for name in self.own}
        self._waiting: dict[str, deque[tuple[float, float]]] = {name: deque() for name in self.own}
        self._taken = 0

    @cached_property
    def _seen(self) -> dict[str, SeenSeries]:
        """Made when it is needed first: it holds lists of all that was recorded."""
        return {name: SeenSeries(self._course.series(name)) for name in self._names}

    @cached_property
    def series(self) -> Mapping[str, TimeSeries]:
        return {**self._seen, **self.own}

    def samples(self, run: int, dedicated: int | None, low_priority: int | None) -> Samples:
        """Of a run that is not before the last one asked for; of every run, if there are series of its `own`.

        `dedicated`, `low_priority`: what the run before it left, None for the first run. The series go on: use them
        before the next call.
        """
        for name, series in self._seen.items():
            series.seen = int(self._course.visible(name)[run])
        pool = self.pool(run, dedicated, low_priority)
        if self.own:
            self._take_own(run, pool)
        return Samples(self._course.recording.period, self.series, pool)

    def pool(self, run: int, dedicated: int | None, low_priority: int | None) -> PoolValues:
        """The pool as it was recorded, else as its targets are."""
        before = self._course.recording.pool
        values: dict[PoolField, float] = {}
        if dedicated is not None and low_priority is not None:
            values = {
                "target_dedicated": dedicated,
                "target_low_priority": low_priority,
                "current_dedicated": dedicated,
                "current_low_priority": low_priority,
            }
        for name, recorded in self._recorded.items():
            values[name] = float(recorded[run])
        if dedicated is not None:
            values.setdefault("usable", values["current_dedicated"] + values["current_low_priority"])
        return replace(before, **values)

    def _take_own(self, run: int, pool: PoolValues) -> None:
        """Samples of the pool as the last run left it; each is seen when it has become visible."""
        now, times = float(self._course.times[run]), self._course.own_times
        first, self._taken = self._taken, int(times.searchsorted(now, side="right"))
        for name, series in self.own.items():
            waiting, value = self._waiting[name], float(getattr(pool, self._fields[name]))
            waiting.extend((time, value) for time in times[first : self._taken].tolist())
            while waiting and waiting[0][0] <= now - self._course.delay:
                series.append(*waiting.popleft())
