"""Evaluations of four formulas, beside the same decisions written by hand in Python over the same samples."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from statistics import geometric_mean

from formula import PoolValues, Samples, TimeSeries, compile_formula

from .cpu import Measured, Stopwatch
from .report import Report, table
from .rounds import Row, Spread, run_rounds

PERIOD = 30.0
#: 12:00 UTC on a Wednesday
NOW = 1_750_248_000.0


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    #: what the text decides: the number of dedicated nodes
    by_hand: Callable[[Samples, float], int]


def _window(series: TimeSeries, start: float, end: float) -> list[float]:
    times = series.times
    first = bisect_right(times, start)
    return series.values[first : bisect_right(times, end, first)]


def _simple(samples: Samples, now: float) -> int:
    return int(min(10, samples.series["$PendingTasks"].values[-1]))


def _classic(samples: Samples, now: float) -> int:
    window = _window(samples.series["$PendingTasks"], now - 180, now)
    percent = 100 * len(window) / 6
    pending = 1.0 if percent < 70 else sum(window) / len(window)
    return int(min(25, pending))


def _time_of_day(samples: Samples, now: float) -> int:
    moment = datetime.fromtimestamp(now, UTC)
    working = 8 <= moment.hour < 18 and 1 <= moment.isoweekday() % 7 <= 5
    return 20 if working else 10


def _task15(samples: Samples, now: float) -> int:
    series, pool = samples.series["$ActiveTasks"], samples.pool
    window = _window(series, now - 900, now)
    percent = 100 * len(window) / 30
    tasks = max(0.0, series.values[-1]) if percent < 70 else max(series.values[-1], sum(window) / len(window))
    target = tasks if tasks > 0 else pool.target_dedicated / 2
    return int(max(0, min(target, 20)))


CASES = (
    Case("simple", "$TargetDedicatedNodes = min(10, $PendingTasks.GetSample(1));", _simple),
    Case(
        "classic",
        "percent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\n"
        "pending = percent < 70 ? 1 : avg($PendingTasks.GetSample(180 * TimeInterval_Second));\n"
        "$TargetDedicatedNodes = min(25, pending);",
        _classic,
    ),
    Case(
        "timeofday",
        "now = time();\nworkHours = now.hour >= 8 && now.hour < 18;\n"
        "isWeekday = now.weekday >= 1 && now.weekday <= 5;\n"
        "$TargetDedicatedNodes = workHours && isWeekday ? 20 : 10;",
        _time_of_day,
    ),
    Case(
        "task15",
        "$samples = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 15);\n"
        "$tasks = $samples < 70 ? max(0, $ActiveTasks.GetSample(1)) :\n"
        "    max($ActiveTasks.GetSample(1), avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));\n"
        "$target = $tasks > 0 ? $tasks : $TargetDedicatedNodes / 2;\n"
        "$TargetDedicatedNodes = max(0, min($target, 20));",
        _task15,
    ),
)


def samples() -> Samples:
    """A day of both metrics, a sample every 30 seconds."""
    times = [NOW - PERIOD * (2880 - number) for number in range(1, 2881)]
    pending = TimeSeries((at, float(number % 17)) for number, at in enumerate(times))
    active = TimeSeries((at, float(number % 23)) for number, at in enumerate(times))
    return Samples(PERIOD, {"$PendingTasks": pending, "$ActiveTasks": active}, PoolValues(target_dedicated=4))


def _timed(decide: Callable[[Samples, float], object], given: Samples, count: int) -> Measured:
    watch = Stopwatch()
    for _ in range(count):
        decide(given, NOW)
    return watch.stop()


def run(rounds: int, count: int) -> Report:
    """Raises AssertionError if a formula and its twin decide differently."""
    given = samples()

    def row(name: str, decide: Callable[[Samples, float], object]) -> Row:
        return Row(name, count, lambda _: _timed(decide, given, count))

    pairs = []
    for case in CASES:
        formula = compile_formula(case.text)
        evaluation, wanted = formula.evaluate(given, NOW), case.by_hand(given, NOW)
        if evaluation.error is not None or evaluation.dedicated != wanted:
            raise AssertionError(f"{case.name}: by hand {wanted}, but the formula says {evaluation}")
        pairs.append((row(case.name, formula.evaluate), row(f"{case.name} by hand", case.by_hand)))
    run_rounds(list(chain.from_iterable(pairs)), rounds)
    costs = [Spread.of(by_hand.ratios(ours)) for ours, by_hand in pairs]
    cells = [
        [ours.name, f"{ours.median * 1e6:.2f}", f"{by_hand.median * 1e6:.2f}", str(cost)]
        for (ours, by_hand), cost in zip(pairs, costs, strict=True)
    ]
    mean = geometric_mean(cost.median for cost in costs)
    lines = [
        f"us an evaluation over the samples of a day; {rounds} rounds, medians. A formula's holds all",
        "variables and the text of the results as well; the Python by hand gives the number of nodes alone.",
        "",
        *table(["", "formula", "by hand", "cost in Python by hand"], cells),
        "",
    ]
    figures = {
        "rows": [{"name": r.name, "count": count, "secondsEach": r.each} for pair in pairs for r in pair],
        "timesByHand": mean,
    }
    return Report("formula", lines, figures, f"{mean:.1f}x the cost of Python by hand (geometric mean)")
