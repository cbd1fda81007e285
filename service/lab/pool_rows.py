"""The pool over time, as rows for charts."""

from __future__ import annotations

from collections.abc import Sequence

from .outcome import Series

#: Rows at most: what changes within the time of one row is told as it is at its end.
MOST_ROWS = 100_000
_COLUMNS = tuple(name for name in Series.__struct_fields__ if name not in ("end", "times", "cost"))


class PoolRows:
    """`horizon`: about how long it will be; should it be longer, rows are thinned out."""

    def __init__(self, horizon: float, most: int = MOST_ROWS) -> None:
        self._step, self._most = horizon / most, most
        self._times: list[float] = []
        self._rows: list[Sequence[int]] = []
        self._cost: list[float] = []
        self._until = -1.0

    def note(self, time: float, row: Sequence[int], cost: float) -> None:
        """How things are from `time` on: `row` in the order of Series, `cost` until then. Times ascend."""
        if time < self._until or (self._times and time <= self._times[-1]):
            self._rows[-1] = row
            return
        self._times.append(time)
        self._rows.append(row)
        self._cost.append(cost)
        self._until = time + self._step
        if len(self._times) > 2 * self._most:
            self._thin_out()

    def _thin_out(self) -> None:
        # of two rows the time of the first, and how things are at the end of the second
        self._step *= 2.0
        self._times = self._times[::2]
        self._cost = self._cost[::2]
        self._rows = [*self._rows[1::2], *(self._rows[-1:] if len(self._rows) % 2 else ())]

    def series(self, end: float, cost: float) -> Series:
        """Until `end`, when it has cost so much."""
        if self._times and self._times[-1] < end:
            self._times.append(end)
            self._rows.append(self._rows[-1])
            self._cost.append(cost)
        elif self._times:
            self._cost[-1] = cost
        columns = dict(zip(_COLUMNS, map(list, zip(*self._rows, strict=True)), strict=True)) if self._rows else {}
        empty: dict[str, list[int]] = {name: [] for name in _COLUMNS}
        return Series(end=end, times=self._times, cost=self._cost, **(empty | columns))
