"""Interval analysis against what programs compute: no value is ever outside of its range."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formula import PoolValues, Samples, TimeSeries, compile_formula
from formula.checker import CheckedProgram, check_program
from formula.compiler import compile_program
from formula.faults import Fault, Refused, Stopped
from formula.parser import parse
from formula.ranges import Range, analyse, target_ranges
from formula.ranges.value_range import BOUNDLESS
from formula.ranges.world import ANY_WORLD, EMPTY_POOL, World, pool_up_to
from formula.source import Source
from formula.syntax import Assignment

from .generated_programs import NOW, expressions, histories, programs

WORD = st.sampled_from(["$TargetDedicatedNodes", "$TargetLowPriorityNodes", "$TargetDedicated"])
NUMBER = expressions((), 2)["number"]
CONDITION = expressions((("x", "number"), ("y", "number")), 1)["number"]

DEMAND = st.sampled_from(
    [
        "max(0, $PendingTasks.GetSample(1))",
        "max(0, $RunningTasks.GetSample(2))",
        "avg($RunningTasks.GetSample(TimeInterval_Hour, 0), 0)",
        "($CurrentLowPriorityNodes + 0.5)",
        "$PreemptedNodeCount",
        "$UsableNodeCount",
    ]
)


@st.composite
def branching_programs(draw: st.DrawFn) -> str:
    """Conditions over few names, so that one tells of another."""
    lines = [f"x = {draw(NUMBER)}", f"y = {draw(NUMBER)}"]
    for index in range(draw(st.integers(1, 3))):
        c, d, a, b = (draw(CONDITION) for _ in range(4))
        join = draw(st.sampled_from(["&&", "||", "&& !", "|| !"]))
        lines.append(f"z{index} = ({c} {join} {d}) ? ({a}) : ({b})")
        lines.append(f"{draw(st.sampled_from(['x', 'y']))} = z{index}")
    return ";\n".join(lines)


@st.composite
def scaling_programs(draw: st.DrawFn) -> str:
    """Programs that set targets, sometimes stop, and read what they set."""
    lines = [draw(st.one_of(programs(), branching_programs()))]
    for _ in range(draw(st.integers(1, 3))):
        target = draw(WORD)
        bound = draw(st.sampled_from(["{}", "min(20, {})", "max(0, min(3, {}))", "max(1, {})", "{} * 1.1", "ceil({})"]))
        inner = draw(st.one_of(NUMBER, WORD, DEMAND))
        lines.append(f"{target} = {bound.format(inner)}")
        if draw(st.integers(0, 5)) == 0:
            lines.append(f"({draw(NUMBER)}) ? stop() : 0")
    return ";\n".join(lines)


@st.composite
def whole_histories(draw: st.DrawFn) -> Samples:
    """As the service takes them: task and node counts are whole."""
    samples = draw(histories())
    tasks = samples.series["$PendingTasks"]
    series = {
        **samples.series,
        "$PendingTasks": TimeSeries((t, math.floor(v)) for t, v in zip(tasks.times, tasks.values, strict=True)),
        "$RunningTasks": TimeSeries((t, v // 3) for t, v in zip(tasks.times, tasks.values, strict=True)),
    }
    mine, other, current, spot = (draw(st.sampled_from([0, 1, 7, 3000])) for _ in range(4))
    pool = PoolValues(mine, other, current, spot, usable=current + spot)
    return replace(samples, series=series, pool=pool)


def empty_pool(samples: Samples) -> Samples:
    """A pool that has had no nodes for a while."""
    running = TimeSeries((time, 0.0) for time in samples.series["$RunningTasks"].times)
    return replace(samples, series={**samples.series, "$RunningTasks": running}, pool=PoolValues())


def inside(value: Any, known: Range) -> bool:
    if isinstance(value, str):
        return True
    elements = value if isinstance(value, (list, tuple)) else [value]
    return known.shortest <= len(elements) <= known.longest and all(map(known_holds(known), elements))


def known_holds(known: Range) -> Callable[[float], bool]:
    def holds(element: float) -> bool:
        if element != element:
            return known.nan
        return known.contains(element) and (not known.whole or math.isinf(element) or float(element).is_integer())

    return holds


def checked_program(text: str) -> CheckedProgram:
    return check_program(parse(Source(text)))


def watch(text: str, samples: Samples, world: World) -> None:
    checked = checked_program(text)
    ranges = analyse(checked, world=world)
    program = compile_program(checked, observed=True)

    def probe(number: int, value: Any) -> Any:
        node = program.nodes[number]
        assert inside(value, ranges.of(node)), (text[node.start : node.end], value, ranges.of(node))
        return value

    try:
        program.run(NOW, 30.0, lambda: 0.5, probe, *program.arguments(samples))
    except (Fault, Refused, Stopped, ArithmeticError):
        pass


@settings(max_examples=200)
@given(st.one_of(programs(), branching_programs(), scaling_programs()), whole_histories())
def test_every_computed_value_is_in_its_range(text: str, samples: Samples) -> None:
    watch(text, samples, ANY_WORLD)


@settings(max_examples=80)
@given(scaling_programs(), whole_histories(), st.sampled_from([0.0, 7.0, 3000.0]))
def test_every_value_is_in_its_range_in_a_pool_of_a_known_size(text: str, samples: Samples, most: float) -> None:
    if most == 0:
        watch(text, empty_pool(samples), EMPTY_POOL)
    else:
        mine, other, current, spot, gone = (min(most, size) for size in (most, 1, 7, 3000, 2))
        pool = PoolValues(mine, other, current, spot, gone, usable=current + spot)
        watch(text, replace(samples, pool=pool), pool_up_to(most))


@settings(max_examples=120)
@given(scaling_programs(), whole_histories())
def test_targets_keep_what_was_proved_of_them(text: str, samples: Samples) -> None:
    evaluation = compile_formula(text).evaluate(samples, NOW)
    proved = target_ranges(text)
    if evaluation.error:
        return
    at_zero = empty_pool(samples)
    from_zero = compile_formula(text).evaluate(at_zero, NOW)
    for name, field in (("$TargetDedicatedNodes", "dedicated"), ("$TargetLowPriorityNodes", "low_priority")):
        found = proved.get(name)
        if found is None:
            continue
        value = getattr(evaluation, field)
        assert found.upper is None or value <= found.upper
        assert value >= found.lower
        assert found.can_be_zero is not False or value > 0
        if found.can_leave_zero is False and from_zero.error is None:
            assert getattr(from_zero, field) == 0
        if found.bound == "proved":
            pool = samples.pool
            targets = pool.target_dedicated, pool.target_low_priority
            start = max(*targets, pool.current_dedicated, pool.current_low_priority)
            assert found.settles_at is not None
            assert value <= max(found.settles_at, start)


@pytest.mark.parametrize(
    ("text", "low", "high", "whole", "nan"),
    [
        ("$PendingTasks", 0, None, True, True),
        ("$CurrentDedicatedNodes", 0, None, True, False),
        ("max(0, $PendingTasks.GetSample(1))", 0, None, True, False),
        ("avg($CPUPercent.GetSample(TimeInterval_Hour))", 0, 100, False, False),
        ("avg($CPUPercent.GetSample(TimeInterval_Hour, 0))", 0, 100, False, True),
        ("len($PendingTasks.GetSample(3))", 0, 3, True, False),
        ("$PendingTasks.GetSamplePercent(TimeInterval_Hour)", 0, 100, False, False),
        ("time().hour - time().weekday", -6, 23, True, False),
        ("8 / $TaskSlotsPerNode", 0.03125, 8, False, False),
        ("ceil(8 / $TaskSlotsPerNode)", 1, 8, True, False),
        ("x > 5 && x < 9 ? x : 7", 6, 8, True, False),
        ("x > 5 ? (x > 3 ? 1 : 2) : 3", 1, 3, True, False),
        ("!(x < 3 || x > 9) ? x : 5", 3, 9, True, False),
        ("x ? 100 / x : 1", 0, 100, False, False),
        ("day < 1 && day > 5 ? 1 : 2", 2, 2, True, False),
        ("busy ? x : 0", 0, None, True, False),
        ("busy && x < 20 ? x : 0", 0, 19, True, False),
        ("one && !other ? 7 : 1", 1, 7, True, False),
        ("one && !one ? 7 : 1", 1, 1, True, False),
        ("val($PendingTasks.GetSample(1), 0)", 0, None, True, True),
        ("val($PendingTasks.GetSample(1), 0) < 5 ? val($PendingTasks.GetSample(1), 0) : 0", 0, 4, True, False),
        ("val($PendingTasks.GetSample(1), 0) < 5 ? 0 : val($PendingTasks.GetSample(1), 0)", 0, None, True, True),
        ("ln(x) / 2", None, 69, False, False),
        ("lg(x + 1)", 0, 199, False, False),
        ("std(1, 3)", 0, 2, False, False),
        ("norm(3, 4)", 0, 5.7, False, False),
        ("range(1, x > 9 ? 2 : 5)", 0, 4, True, False),
        ("percentile($CPUPercent.GetSample(5), 90)", 0, 100, False, False),
    ],
)
def test_the_range_of_an_expression(
    text: str, low: float | None, high: float | None, whole: bool, nan: bool
) -> None:
    """None: no bound that a pool could mean."""
    checked = checked_program(
        "x = $CurrentDedicatedNodes; day = time().weekday; one = rand() < 0.5; other = rand() < 0.5;"
        f"busy = x > 3; result = {text}"
    )
    statement = checked.statements[-1].statement
    assert isinstance(statement, Assignment)
    found = analyse(checked).of(statement.value)
    bounds = (None if abs(found.low) > BOUNDLESS else found.low, None if abs(found.high) > BOUNDLESS else found.high)
    expected = tuple(None if bound is None else pytest.approx(bound, rel=0.01, abs=1e-9) for bound in (low, high))
    assert (bounds, found.whole, found.nan) == (expected, whole, nan)
