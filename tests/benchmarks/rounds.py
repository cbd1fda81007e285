"""Rounds of measurements that stand beside each other: interleaved, each round in another order."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from .cpu import Measured
from .descendants import none_left


@dataclass
class Row:
    """One way to do a thing `count` times. `measure` is given the number of the round."""

    name: str
    count: int
    measure: Callable[[int], Measured] | None
    #: said beside the figures; why it is missing if there is no `measure`
    remark: str = ""
    #: seconds each, by round
    each: list[float] = field(default_factory=list)
    #: processor seconds each, by round
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.each)

    def ratios(self, base: Row) -> list[float]:
        """How many times as fast as `base`, by round."""
        return [theirs / mine for mine, theirs in zip(self.each, base.each, strict=True)]


def run_rounds(rows: list[Row], rounds: int) -> None:
    """Fill the rows that can be measured. Raises Strays if one leaves processes behind."""
    rows = [row for row in rows if row.measure is not None]
    for number in range(rounds):
        at = number % len(rows)
        for row in rows[at:] + rows[:at]:
            assert row.measure is not None
            with none_left(row.name):
                measured = row.measure(number)
            row.each.append(measured.seconds / row.count)
            row.cpu.append(measured.cpu.both / row.count)


@dataclass(frozen=True)
class Spread:
    """A ratio over all rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f}x ({self.least:.2f}-{self.most:.2f})"
