"""Simulated days and a year, beside a textbook's loop over a heap of events, and beside SimPy, on the same trace.

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
YEAR = Trace("a year, 100,000 tasks", 11.4155, 1800.0, timedelta(days=365), 50, 60.0)
DAY = Trace("a day, 10,000 nodes", 41_667.0, 720.0, timedelta(days=1), 10_000, 120.0)
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
    lines, figures = _beside(QUICK if quick else BESIDE, rounds)
    last = figures["last"]
    if not quick:
        more, figures[DAY.name] = _beside(DAY, 1)
        lines += more
        last += f"; of a million tasks {figures[DAY.name]['last']}"
        happened, measured = _simulated(YEAR, YEAR.arranged())
        rate = happened / measured.seconds
        lines += [f"{YEAR.name}: {measured.seconds:.0f} s, {rate / 1e3:.0f} thousand events/s; goal {YEAR.goal:g} s"]
        figures[YEAR.name] = {"seconds": measured.seconds, "cpu": measured.cpu.both, "events": happened}
    return Report("simulation", lines, figures, last)


def _beside(trace: Trace, rounds: int) -> tuple[list[str], dict[str, Any]]:
    arranged = trace.arranged()
    times, durations = list(arranged.arrivals.times), list(arranged.arrivals.durations)
    count = len(times)
    events, waited = textbook(times, durations, _BOOT, trace.most)
    assert (events, waited) == textbook(times, durations, _BOOT, trace.most, tight=True)
    ours: list[int] = []

    def product(_: int) -> Measured:
        happened, measured = _simulated(trace, arranged)
        ours.append(happened)
        return measured

    def in_a_loop(tight: bool) -> Measured:
        return _timed(lambda: textbook(times, durations, _BOOT, trace.most, tight))[1]

    def in_simpy(_: int) -> Measured:
        done, measured = _timed(InSimPy(times, durations, _BOOT, trace.most).run)
        assert done == count
        return measured

    there = find_spec("simpy") is not None
    rows = [
        Row("ebbtide, the core itself", count, product),
        Row("textbook: all in one heap", count, lambda _: in_a_loop(tight=False)),
        Row("tight: arrivals beside it", count, lambda _: in_a_loop(tight=True)),
        Row("SimPy processes", count, in_simpy if there else None, "" if there else "not installed"),
    ]
    run_rounds(rows, rounds)
    cells = []
    rates = []
    for row, happened in zip(rows, (ours[0], events, events, events), strict=True):
        if not row.each:
            cells.append([row.name, row.remark])
            continue
        rates.append(happened / (row.median * count))
        ratio = row.median / rows[1].median
        cells.append([row.name, f"{row.median * 1e6:.1f}", f"{ratio:.1f}x", f"{rates[-1] / 1e3:.0f}"])
    goal = f" in {rows[0].median * count:.0f} s; goal {trace.goal:g} s" if trace.goal is not None else ""
    lines = [
        f"{trace.name}: {count} tasks{goal}; {ours[0]} events of the core's world, {events} of the textbook's.",
        "",
        *table([trace.name, "us for a task", "in textbooks", "thousand events/s"], cells),
        "",
    ]
    last = f"{rates[1] / rates[0]:.1f} times fewer events/s than a textbook's loop"
    if rows[3].each:
        last += f", {rates[3] / rates[0]:.1f} times fewer than SimPy"
    figures: dict[str, Any] = {
        "rows": [{"name": row.name, "count": count, "secondsEach": row.each, "remark": row.remark} for row in rows],
        "events": {"product": ours[0], "textbook": events},
        "last": last,
    }
    return lines, figures
