"""What every run of a replay sees: when it is, how much of the recording, and the pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..compiler import Program
from ..samples_csv import COLUMNS
from ..variables import PoolField
from .recording import Floats, Indices, RecordedSeries, Recording

#: The series that tells a value of the pool.
RECORDED_AS: dict[PoolField, str] = {column: name for name, column in COLUMNS.items() if column is not None}
#: What follows from what the formula decided before, if it is not recorded.
FOLLOWING: tuple[PoolField, ...] = (
    "target_dedicated",
    "target_low_priority",
    "current_dedicated",
    "current_low_priority",
    "usable",
)
_FOLLOWING_SERIES = tuple(RECORDED_AS[name] for name in FOLLOWING if not name.startswith("target"))
_NONE = RecordedSeries(np.zeros(0), np.zeros(0))


@dataclass(frozen=True, eq=False)
class Course:
    """`times` of the runs, rising; a sample is visible `delay` seconds after it was taken."""

    recording: Recording
    times: Floats
    delay: float = 0.0
    _visible: dict[str, Indices] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times)

    def series(self, name: str) -> RecordedSeries:
        return self.recording.series.get(name, _NONE)

    def visible(self, name: str) -> Indices:
        """How many samples of a series each run sees."""
        if name not in self._visible:
            self._visible[name] = np.searchsorted(self.series(name).times, self.times - self.delay, side="right")
        return self._visible[name]

    def latest(self, name: str, otherwise: float) -> Floats:
        """The newest sample that each run sees."""
        values, count = self.series(name).values, self.visible(name)
        if not len(values):
            return np.full(len(self), otherwise)
        return np.where(count > 0, values[np.maximum(count - 1, 0)], otherwise)

    def is_recorded(self, name: PoolField) -> bool:
        return RECORDED_AS[name] in self.recording.series

    def pool_values(self, name: PoolField) -> Floats:
        """A value of the pool that does not follow from former decisions."""
        value = float(getattr(self.recording.pool, name))
        if self.is_recorded(name):
            return self.latest(RECORDED_AS[name], value)
        return np.full(len(self), value)

    def reads_own_output(self, program: Program) -> bool:
        """Does a run need to know what the runs before it decided?"""
        fields = any(name in FOLLOWING and not self.is_recorded(name) for name in program.pool_fields)
        return fields or bool(self.own_series(program))

    def own_series(self, program: Program) -> list[str]:
        """The series that the runs make: the node counts of a pool that follows its targets."""
        return [name for name in _FOLLOWING_SERIES if name in program.series and name not in self.recording.series]

    @cached_property
    def own_times(self) -> Floats:
        """When samples of such series are taken."""
        period = self.recording.period
        count = int((self.times[-1] - self.times[0]) / period + 1e-6) + 1 if len(self) else 0
        return self.times[:1] + period * np.arange(count, dtype=np.float64)
