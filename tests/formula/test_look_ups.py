"""Windows of samples are looked up once, where it is sure that they are needed, and never behind what is visible."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formula import Samples, TimeSeries
from formula.checker import check_program
from formula.compiler import Program, compile_program
from formula.faults import Fault
from formula.parser import parse
from formula.source import Source

from .generated_programs import NOW, histories, programs

PENDING = "$PendingTasks"
WINDOW = "3 * TimeInterval_Minute"
PERCENT = f"{PENDING}.GetSamplePercent({WINDOW})"
AVERAGE = f"avg({PENDING}.GetSample({WINDOW}))"

#: Formulas, and how many windows a run of each looks up on a full history.
LOOK_UPS = {
    f"a = {AVERAGE}": 1,
    f"a = {PERCENT} < 70 ? 1 : {AVERAGE}": 1,
    f"a = {PERCENT}; b = a < 70 ? 1 : {AVERAGE}; c = max(b, max({PENDING}.GetSample(180 * TimeInterval_Second)))": 1,
    f"span = {WINDOW}; a = {AVERAGE}; b = sum({PENDING}.GetSample(span)); span = 2 * span; c = {AVERAGE}": 1,
    f"span = {WINDOW}; a = sum({PENDING}.GetSample(span)); span = 2 * span; b = sum({PENDING}.GetSample(span))": 2,
    f"a = {AVERAGE}; b = avg($CPUPercent.GetSample({WINDOW}))": 2,
    # Reversed edges are the same window.
    f"a = {PENDING}.GetSample(TimeInterval_Zero, {WINDOW}); b = {AVERAGE}": 1,
    # Nothing is looked up for a branch that is not taken, nor for what is short-circuited.
    f"a = 0 ? {AVERAGE} : 1": 0,
    f"a = 1 + (0 ? {AVERAGE} : 1)": 0,
    f"a = 0 && {PERCENT} > 50": 0,
    f"a = 1 || ({PERCENT} > 50 ? 1 : 0)": 0,
    # What one branch looked up is not there behind it.
    f"a = 1 ? {AVERAGE} : 1; b = {AVERAGE}": 2,
    f"a = 0 ? {AVERAGE} : 1; b = {AVERAGE}": 1,
    f"a = 1 ? {AVERAGE} : {PERCENT}": 1,
    f"a = {AVERAGE}; b = 1 ? {AVERAGE} : 2; c = 0 ? 1 : (1 ? {PERCENT} + {AVERAGE} : 3)": 1,
}


def program_of(text: str, observed: bool = False) -> Program:
    return compile_program(check_program(parse(Source(text))), observed)


def outcome(program: Program, arguments: list[Any], *probe: Any, period: float = 30.0) -> Any:
    """Values that compare, or the message of the failure."""
    try:
        values = program.run(NOW, period, None, *probe, *arguments)
    except Fault as fault:
        return fault.message, fault.at
    except ArithmeticError as failure:
        return type(failure)
    return repr([tuple(map(float, value)) if isinstance(value, list | tuple) else float(value) for value in values])


@pytest.mark.parametrize(("text", "expected"), LOOK_UPS.items())
def test_a_window_is_looked_up_once(text: str, expected: int) -> None:
    series = TimeSeries((NOW - 10 - 30 * back, float(back)) for back in reversed(range(40)))
    program = program_of(text)
    found = []

    def find(instant: float, low: int, high: int) -> int:
        found.append(instant)
        return series.find(instant, low, high)

    samples = Samples(series={PENDING: series, "$CPUPercent": series})
    arguments = program.arguments(samples)
    known = [find if part == "find" else value for (_, part), value in zip(program.reads, arguments, strict=True)]
    assert outcome(program, known) == outcome(program, arguments)
    assert len(found) == 2 * expected


def test_a_guard_spares_the_demand_for_enough_samples() -> None:
    demanded = "too_few"
    assert demanded in program_of(f"a = {AVERAGE}").source
    for guarded in (
        f"a = {PERCENT} < 70 ? 1 : {AVERAGE}",
        f"a = 70 > {PERCENT} ? 1 : {AVERAGE}",
        f"a = {PERCENT} >= 80 ? {AVERAGE} : 1",
        f"p = {PERCENT}; a = (p > 70) ? {AVERAGE} : 1",
        f"a = {PERCENT} <= 70 ? 1 : {AVERAGE}",
    ):
        assert demanded not in program_of(guarded).source
    for unguarded in (
        f"a = {PERCENT} < 50 ? 1 : {AVERAGE}",
        f"a = {PERCENT} <= 70 ? {AVERAGE} : 1",
        f"a = {PERCENT} < 70 ? {AVERAGE} : 1",
        f"p = {PERCENT}; p = p + 1; a = p > 70 ? {AVERAGE} : 1",
        f"a = {PERCENT} >= 70 ? avg({PENDING}.GetSample(4 * TimeInterval_Minute)) : 1",
        f"a = {PERCENT} >= 70 ? avg($CPUPercent.GetSample({WINDOW})) : 1",
    ):
        assert demanded in program_of(unguarded).source


@settings(max_examples=150)
@given(programs(), histories(), st.data())
def test_nothing_behind_the_count_is_seen(text: str, samples: Samples, data: st.DataObject) -> None:
    """A run over a part of the lists is a run over a history that ends there."""
    program = program_of(text)
    assume("count" in {part for _, part in program.reads})
    visible = {name: data.draw(st.integers(0, len(samples.series[name]))) for name in program.series}
    cut = Samples(samples.period, {name: _first(samples.series[name], visible[name]) for name in visible}, samples.pool)
    arguments = program.arguments(samples)
    for index, (name, part) in enumerate(program.reads, len(program.pool_fields)):
        if part == "count":
            arguments[index] = visible[name]
    period = samples.period
    assert outcome(program, arguments, period=period) == outcome(program, program.arguments(cut), period=period)


def _first(series: TimeSeries, count: int) -> TimeSeries:
    return TimeSeries(list(zip(series.times, series.values, strict=True))[:count])


@settings(max_examples=150)
@given(programs(), histories())
def test_an_observed_program_takes_no_short_cut_that_shows(text: str, samples: Samples) -> None:
    plain, observed = program_of(text), program_of(text, observed=True)
    arguments = observed.arguments(samples)
    seen = outcome(observed, arguments, lambda _, value: value, period=samples.period)
    assert seen == outcome(plain, plain.arguments(samples), period=samples.period)
