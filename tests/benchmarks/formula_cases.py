"""Four formulas, and the same decisions by hand in Python.

By hand, twice. `by_hand` is what a careful engineer writes once: two bisections, a slice, `sum` and `len`, Python's own
`min` and `max`, `datetime` for the time of day; the share of samples that are there is checked before they are used, a
missing sample is not taken for a number, nothing is divided by zero, and no branch is computed in vain. `tuned` is what
that engineer writes after measuring: running totals in place of slices, conditions in place of calls, and arithmetic in
place of `datetime`. Both know the sampling period, and give the number of nodes alone; the generated function is ready
for any period and gives every variable of the formula.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from formula import PoolValues, Samples, TimeSeries

PERIOD = 30.0
#: 12:00 UTC on a Wednesday
NOW = 1_750_248_000.0
TARGET = 4.0

#: (now, find(times, instant, low), times, values, running totals, current target) -> number of nodes
ByHand = Callable[[float, Any, Sequence[float], Sequence[float], Sequence[float], float], float]


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    by_hand: ByHand
    tuned: ByHand


def simple(now, find, times, values, totals, target):
    return min(10.0, values[-1]) if values else 10.0


def simple_tuned(now, find, times, values, totals, target):
    return values[-1] if values and values[-1] < 10.0 else 10.0


def classic(now, find, times, values, totals, target):
    first = find(times, now - 180.0)
    window = values[first : find(times, now, first)]
    percent = 100.0 * len(window) / 6
    if percent < 70.0:
        pending = 1.0
    else:
        pending = sum(window) / len(window)
    return min(25.0, pending)


def classic_tuned(now, find, times, values, totals, target):
    first = find(times, now - 180.0)
    stop = find(times, now, first)
    held = stop - first
    if 100.0 * held / 6 < 70.0:
        return 1.0
    pending = (totals[stop] - totals[first]) / held
    return pending if pending < 25.0 else 25.0


def time_of_day(now, find, times, values, totals, target):
    moment = datetime.fromtimestamp(now, UTC)
    working_hours = 8 <= moment.hour < 18
    weekday = 1 <= moment.isoweekday() % 7 <= 5
    return 20.0 if working_hours and weekday else 10.0


def time_of_day_tuned(now, find, times, values, totals, target):
    if 8.0 <= now % 86400.0 // 3600.0 < 18.0 and 1.0 <= (now // 86400.0 + 4.0) % 7.0 <= 5.0:
        return 20.0
    return 10.0


def task15(now, find, times, values, totals, target):
    first = find(times, now - 900.0)
    window = values[first : find(times, now, first)]
    percent = 100.0 * len(window) / 30
    newest = values[-1] if values else 0.0
    if percent < 70.0:
        tasks = max(0.0, newest)
    else:
        tasks = max(newest, sum(window) / len(window))
    wanted = tasks if tasks > 0.0 else target / 2
    return max(0.0, min(wanted, 20.0))


def task15_tuned(now, find, times, values, totals, target):
    first = find(times, now - 900.0)
    stop = find(times, now, first)
    held = stop - first
    tasks = values[-1] if values else 0.0
    if 100.0 * held / 30 >= 70.0:
        average = (totals[stop] - totals[first]) / held
        if average > tasks:
            tasks = average
    wanted = tasks if tasks > 0.0 else target / 2
    return 0.0 if wanted < 0.0 else wanted if wanted < 20.0 else 20.0


CASES = (
    Case("simple", "$TargetDedicatedNodes = min(10, $PendingTasks.GetSample(1));", simple, simple_tuned),
    Case(
        "classic",
        "percent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\n"
        "pending = percent < 70 ? 1 : avg($PendingTasks.GetSample(180 * TimeInterval_Second));\n"
        "$TargetDedicatedNodes = min(25, pending);",
        classic,
        classic_tuned,
    ),
    Case(
        "timeofday",
        "now = time();\nworkHours = now.hour >= 8 && now.hour < 18;\n"
        "isWeekday = now.weekday >= 1 && now.weekday <= 5;\n"
        "$TargetDedicatedNodes = workHours && isWeekday ? 20 : 10;",
        time_of_day,
        time_of_day_tuned,
    ),
    Case(
        "task15",
        "$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 15);\n"
        "$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) :\n"
        "    max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 15)));\n"
        "$target = $tasks > 0 ? $tasks : $TargetDedicatedNodes / 2;\n"
        "$TargetDedicatedNodes = max(0, min($target, 20));",
        task15,
        task15_tuned,
    ),
)


class NullSeries:
    """The interface of a series, without samples to search: a look-up answers a constant."""

    def __init__(self, held: int) -> None:
        self.held = held
        self.count = 2 * held
        self.times: list[float] = []
        self.values = [float(number % 17) for number in range(self.count)]
        self.totals = [sum(self.values[:number]) for number in range(self.count + 1)]

    def find(self, instant: float, low: int, high: int) -> int:
        return low + self.held

    def find_by_hand(self, times: object, instant: float, low: int = 0) -> int:
        return low + self.held


@dataclass(frozen=True)
class Store:
    """`samples` for a formula; the same `by_hand`: find, times, values, totals."""

    name: str
    samples: Samples
    by_hand: tuple[Any, Any, Any, Any]


def null_store(held: int) -> Store:
    """Every window holds `held` samples."""
    series = NullSeries(held)
    by_hand = (series.find_by_hand, series.times, series.values, series.totals)
    return Store("null store", Samples(PERIOD, {"$PendingTasks": series}, POOL), by_hand)  # type: ignore[dict-item]


def full_store(name: str, count: int, missing: int = 0) -> Store:
    """The newest `count` samples up to now, every 30 seconds; every `missing`-th one is not there."""
    numbers = (number for number in range(count) if not missing or number % missing)
    series = TimeSeries((NOW - PERIOD * (count - 1 - number), float(number % 17)) for number in numbers)
    by_hand = (bisect_right, series.times, series.values, series.totals)
    return Store(name, Samples(PERIOD, {"$PendingTasks": series}, POOL), by_hand)


POOL = PoolValues(target_dedicated=TARGET)
