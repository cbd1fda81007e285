"""What a formula can see: the samples of each metric, and the pool as it is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isfinite

#: The service takes a sample every 30 seconds.
DEFAULT_PERIOD = 30.0

#: Up to here sums of whole numbers are exact in a float, whatever the order.
EXACT = 2.0**53


class TimeSeries:
    """The visible samples of one metric, oldest first: times are seconds since the epoch, UTC.

    Whoever appends decides when a sample becomes visible. Windows are half open, (start, end], and cost two
    bisections; running totals make the sum of a window of whole numbers (task and node counts) one
    subtraction.

    `find(instant, low, high)`: the number of samples up to and with `instant`, looked for from index `low` to `high`.
    """

    __slots__ = ("_totals", "_whole", "arrays", "find", "times", "values")

    def __init__(self, samples: Iterable[tuple[float, float]] = ()) -> None:
        self.times: list[float] = []
        self.values: list[float] = []
        self.find: Callable[[float, int, int], int] = partial(bisect_right, self.times)
        self._totals: list[float] = [0.0]
        self._whole = True
        #: The samples in another form, kept by who made it: it is of those that were there then.
        self.arrays: object = None
        for time, value in samples:
            self.append(time, value)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def count(self) -> int:
        """How many samples a formula sees, the oldest ones."""
        return len(self.times)

    @property
    def totals(self) -> list[float] | None:
        """The running totals, one more than samples; None if a difference of them may not be an exact sum."""
        return self._totals if self._whole else None

    def __repr__(self) -> str:
        return f"TimeSeries({list(zip(self.times, self.values, strict=True))!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TimeSeries):
            return NotImplemented
        return self.times == other.times and self.values == other.values

    __hash__ = None  # type: ignore[assignment]  # it grows

    def append(self, time: float, value: float) -> None:
        """Add the newest sample. Raises ValueError if it is not newer than the last one, or not finite."""
        if not (isfinite(time) and isfinite(value)):
            raise ValueError(f"a sample must be finite, not {value} at {time}; leave a missing one out")
        if self.times and time <= self.times[-1]:
            raise ValueError(f"a sample at {time} is not newer than the last one at {self.times[-1]}")
        value = float(value)
        total = self._totals[-1] + value
        self._whole = self._whole and value.is_integer() and abs(total) < EXACT
        self.times.append(float(time))
        self.values.append(value)
        self._totals.append(total)

    def trim(self, before: float) -> None:
        """Forget the samples older than `before`."""
        count = bisect_left(self.times, before)
        if count:
            del self.times[:count], self.values[:count], self._totals[:count]

    def window(self, start: float, end: float) -> tuple[int, int]:
        """The indices (first, behind the last) of the samples with start < time <= end."""
        first = bisect_right(self.times, start)
        return first, bisect_right(self.times, end, first)


@dataclass(frozen=True, slots=True)
class PoolValues:
    """The pool at the time of the evaluation: node counts and task slots."""

    target_dedicated: float = 0
    target_low_priority: float = 0
    current_dedicated: float = 0
    current_low_priority: float = 0
    preempted: float = 0
    usable: float = 0
    task_slots_per_node: float = 1


@dataclass(frozen=True, slots=True)
class Samples:
    """Everything that an evaluation reads. `series` by metric name with its `$`; a metric without one has no
    samples.

    `period` is the sampling period in seconds: percentages of samples count against it.
    """

    period: float = DEFAULT_PERIOD
    series: Mapping[str, TimeSeries] = field(default_factory=dict)
    pool: PoolValues = field(default_factory=PoolValues)

    def __post_init__(self) -> None:
        if not (isfinite(self.period) and self.period > 0):
            raise ValueError(f"the sampling period must be positive, not {self.period}")
