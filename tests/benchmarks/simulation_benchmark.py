"""Simulated days and a year, beside a textbook loop over a heap of events, and beside SimPy, on the same trace.

The product simulates its own core: what it counts as events are those of clouds, nodes and timers, of which a task has
about eight, where the others have two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from random import Random
from typing import Any

from service.lab.arrivals import Arranged
from service.lab.distributions import Distribution, Lognormal
from service.lab.formulas import NamedFormula
from service.lab.generators import generated
from service.lab.running import Running
from service.lab.scenario import NO_DATE, Generate, World

from .cpu import Cpu, Measured
from .report import Report, table
from .rounds import Row, run_rounds
from .simulation_peers import InSimPy, textbook

_BOOT = 120.0


@dataclass(frozen=True)
class Trace:
    """Independent tasks, so many an hour, for so long, on so many nodes at most."""

    name: str
    rate: float
    mean: float
    length: timedelta
    most: int
    #: seconds that it is to take at most; None: nobody has said
    goal: float | None = None

    @property
    def formula(self) -> NamedFormula:
        text = f"$TargetDedicatedNodes = min({self.most}, max(0, $PendingTasks.GetSample(1)));"
        return NamedFormula(self.name, f"{text} $NodeDeallocationOption = taskcompletion;")

    def arranged(self) -> Arranged:
        duration = Distribution(lognormal=Lognormal(mean=self.mean, sigma=1.0), at_most=6 * 3600.0)
        asked = Generate(rate=self.rate, duration=duration, length=self.length)
        return Arranged(generated(asked, NO_DATE, 1, Random(1)), NO_DATE)


BESIDE = Trace("a day, 500 nodes", 2000.0, 720.0, timedelta(days=1), 500)
LARGE = (
    Trace("a year, 100,000 tasks", 11.4155, 1800.0, timedelta(days=365), 50, 60.0),
    Trace("a day, 1,000,000 tasks, 10,000 nodes", 41_667.0, 720.0, timedelta(days=1), 10_000, 120.0),
)
QUICK = Trace("two hours, 50 nodes", 200.0, 720.0, timedelta(hours=2), 50)


def _timed(action: Callable[[], Any]) -> tuple[Any, Measured]:
    start, cpu = time.perf_counter(), time.process_time()
    found = action()
    return found, Measured(time.perf_counter() - start, Cpu(time.process_time() - cpu))


def _simulated(trace: Trace, arranged: Arranged) -> tuple[int, Measured]:
    """Raises AssertionError if a task is left."""
    running = Running(World(), arranged, 1, trace.formula, time.perf_counter)
    run, measured = _timed(lambda: running.run(lambda seconds: False))
    assert not run.figures.unfinished and run.figures.tasks == len(arranged.arrivals)
    return run.figures.events, measured


def run(rounds: int, quick: bool) -> Report:
    trace = QUICK if quick else BESIDE
    arranged = trace.arranged()
    times, durations = list(arranged.arrivals.times), list(arranged.arrivals.durations)
    count = len(times)
    events, _ = textbook(times, durations, _BOOT, trace.most)
    ours: list[int] = []

    def product(_: int) -> Measured:
        happened, measured = _simulated(trace, arranged)
        ours.append(happened)
        return measured

    def by_the_book(_: int) -> Measured:
        return _timed(lambda: textbook(times, durations, _BOOT, trace.most))[1]

    def in_simpy(_: int) -> Measured:
        done, measured = _timed(InSimPy(times, durations, _BOOT, trace.most).run)
        assert done == count
        return measured

    there = find_spec("simpy") is not None
    rows = [
        Row("ebbtide, the core itself", count, product),
        Row("textbook loop over a heap", count, by_the_book),
        Row("SimPy processes", count, in_simpy if there else None, "" if there else "not installed"),
    ]
    run_rounds(rows, rounds)
    cells = []
    for row, happened in zip(rows, (ours[0], events, events), strict=True):
        if not row.each:
            cells.append([row.name, row.remark])
            continue
        rate = happened / (row.median * count)
        cells.append([row.name, f"{row.median * 1e6:.1f}", f"{row.median / rows[1].median:.1f}x", f"{rate / 1e3:.0f}"])
    head = ["us for a task", "time", "in textbooks", "thousand events/s"]
    lines = [
        f"{trace.name}: {count} tasks; {ours[0]} events of the core's world, {events} of the textbook's.",
        "",
        *table([trace.name, head[0], head[2], head[3]], cells),
        "",
    ]
    figures: dict[str, Any] = {
        "rows": [{"name": row.name, "count": count, "secondsEach": row.each, "remark": row.remark} for row in rows],
        "events": {"product": ours[0], "textbook": events},
    }
    for large in () if quick else LARGE:
        happened, measured = _simulated(large, large.arranged())
        goal = f"; goal {large.goal:g} s" if large.goal is not None else ""
        rate = happened / measured.seconds
        lines.append(f"  {large.name}: {measured.seconds:.0f} s, {rate / 1e3:.0f} thousand events/s{goal}")
        figures[large.name] = {"seconds": measured.seconds, "cpu": measured.cpu.both, "events": happened}
    last = f"{rows[0].median / rows[1].median:.1f} times the textbook's time for a task"
    if rows[2].each:
        last += f", {rows[0].median / rows[2].median:.1f} times SimPy's"
    return Report("simulation", lines, figures, last)
