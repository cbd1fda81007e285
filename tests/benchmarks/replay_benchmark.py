"""A year of formula runs in one call, beside the loop that a careful engineer writes by hand for the same decisions.

By hand: one loop for each formula, over lists of times and values that are there already; two bisections find a window,
which is sliced, `sum` and `len` give its mean; the share of samples is checked, NaN and missing samples are not taken
for numbers, and the targets stand in a list at the end. The replay is given the recording as arrays, as a CSV file is
read, knows nothing of it from the round before, and gives targets, options and errors.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from random import Random
from typing import Any

import numpy as np

from formula.replay import RecordedSeries, Recording, read_recording, replay

from .cpu import Cpu, Measured
from .formula_cases import CASES
from .report import Report, table
from .rounds import Row, Spread, run_rounds

PERIOD, EVERY = 30.0, 300.0
#: 00:00 UTC on a Thursday, New Year's Day
START = 1_767_225_600.0
RUNS = 105_120
QUICK_RUNS = 288
#: What a replay may cost, in loops by hand.
GOALS = {"classic": 0.1, "timeofday": 0.25, "task15": 1.0}
_MISSING = 0.02


@dataclass(frozen=True)
class Year:
    """Samples every 30 seconds, some missing, for runs every 5 minutes; a shorter year for quick rounds."""

    runs: int
    times: list[float]
    values: list[float]

    @classmethod
    def of(cls, runs: int) -> Year:
        rng = Random(1)
        times, values = [], []
        for number in range(1, runs * 10 + 1):
            # Tasks by day and hardly any by night.
            load = max(0, rng.gauss(15.0, 4.0) if number % 2880 < 1440 else rng.gauss(0.0, 1.0))
            if rng.random() >= _MISSING:
                times.append(START + PERIOD * number)
                values.append(float(int(load)))
        return cls(runs, times, values)

    def recording(self) -> Recording:
        """Nothing of it is computed yet."""
        return Recording({"$PendingTasks": RecordedSeries(np.array(self.times), np.array(self.values))}, PERIOD)

    def csv(self) -> str:
        return "\n".join(["time,$PendingTasks", *map("{:.0f},{:g}".format, self.times, self.values)])


def classic(year: Year) -> list[int]:
    times, values = year.times, year.values
    targets, target = [], 0
    for number in range(1, year.runs + 1):
        now = START + EVERY * number
        first = bisect_right(times, now - 180.0)
        window = values[first : bisect_right(times, now, first)]
        if 100.0 * len(window) / 6 < 70.0:
            pending = 1.0
        else:
            pending = sum(window) / len(window)
        wanted = min(25.0, pending)
        if wanted == wanted:
            target = max(0, int(wanted))
        targets.append(target)
    return targets


def time_of_day(year: Year) -> list[int]:
    targets = []
    for number in range(1, year.runs + 1):
        now = START + EVERY * number
        working_hours = 8.0 <= now % 86400.0 // 3600.0 < 18.0
        weekday = 1.0 <= (now // 86400.0 + 4.0) % 7.0 <= 5.0
        targets.append(20 if working_hours and weekday else 10)
    return targets


def task15(year: Year) -> list[int]:
    """Half of the last target if there is nothing to do: each run needs the one before it."""
    times, values = year.times, year.values
    targets, target = [], 0
    for number in range(1, year.runs + 1):
        now = START + EVERY * number
        first = bisect_right(times, now - 900.0)
        stop = bisect_right(times, now, first)
        window = values[first:stop]
        newest = values[stop - 1] if stop else nan
        if 100.0 * len(window) / 30 < 70.0:
            tasks = newest if newest > 0.0 else 0.0
        else:
            tasks = max(newest, sum(window) / len(window))
        wanted = max(0.0, min(tasks if tasks > 0.0 else target / 2, 20.0))
        if wanted == wanted:
            target = int(wanted)
        targets.append(target)
    return targets


BY_HAND: dict[str, Callable[[Year], list[int]]] = {
    "classic": classic,
    "timeofday": time_of_day,
    "task15": task15,
}
_TEXTS = {case.name: case.text for case in CASES}


def _timed(action: Callable[[], object]) -> Measured:
    start, cpu = time.perf_counter(), time.process_time()
    action()
    return Measured(time.perf_counter() - start, Cpu(time.process_time() - cpu))


def _replay(name: str, recording: Recording, runs: int) -> Any:
    return replay(_TEXTS[name], recording, START + EVERY, START + EVERY * runs, EVERY)


def run(rounds: int, runs: int) -> Report:
    """Raises AssertionError if a formula decides otherwise than its loop by hand."""
    year = Year.of(runs)
    text = year.csv()
    pairs: list[tuple[Row, Row]] = []
    for name, by_hand in BY_HAND.items():
        found = _replay(name, year.recording(), runs)
        if found.dedicated.tolist() != by_hand(year) or found.failures:
            raise AssertionError(f"{name}: the replay and the loop by hand decide differently")

        def measure(_: int, name: str = name) -> Measured:
            recording = year.recording()
            return _timed(lambda: _replay(name, recording, runs))

        def measure_by_hand(_: int, by_hand: Callable[[Year], list[int]] = by_hand) -> Measured:
            return _timed(lambda: by_hand(year))

        pairs.append((Row(name, 1, measure), Row(f"{name}, loop by hand", 1, measure_by_hand)))
    reading = Row("reading CSV", 1, lambda _: _timed(lambda: read_recording("year.csv", text)))
    rows = [*(row for pair in pairs for row in pair), reading]
    run_rounds(rows, rounds)
    costs = {ours.name: Spread.of([a / b for a, b in zip(ours.cpu, hand.cpu, strict=True)]) for ours, hand in pairs}
    cells = [
        [ours.name, *(f"{row.median * 1e3:.1f}" for row in (ours, hand)), str(costs[ours.name]), f"{GOALS[ours.name]}x"]
        for ours, hand in pairs
    ]
    lines = [
        f"{runs} runs over {len(year.times)} samples, {rounds} rounds, medians; cost in processor time.",
        "The last one reads what it decided before.",
        "",
        *table(["ms", "replay", "by hand", "cost in loops by hand", "goal"], cells),
        f"  {reading.name}: {reading.median:.2f} s for {len(text) / 1e6:.1f} MB",
        "",
    ]
    figures = {
        "rows": [{"name": row.name, "count": 1, "secondsEach": row.each} for row in rows],
        "timesByHand": {name: cost.median for name, cost in costs.items()},
    }
    last = ", ".join(f"{name} {cost.median:.3f}x" for name, cost in costs.items())
    return Report("replay", lines, figures, f"{last} the cost of the loop by hand")
