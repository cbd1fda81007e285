"""A replay decides what one evaluation after the other decides, whichever way it is computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formula import Evaluation, Samples, TimeSeries, compile_formula
from formula.replay import Replay, replay
from formula.replay.course import RECORDED_AS
from formula.replay.with_arrays import decide_with_arrays

from .generated_programs import NOW, expressions, histories, programs

START, EVERY, COUNT = NOW - 500, 60.0, 12
MINUTES = [START + EVERY * number for number in range(COUNT)]
# Recorded values of the pool: what a run sees is no output of the runs before it.
POOL_SERIES = tuple(RECORDED_AS[name] for name in ("target_dedicated", "target_low_priority", "current_dedicated"))


def one_by_one(text: str, samples: Samples, times: list[float], delay: float) -> list[Evaluation]:
    """The definition of a replay: every run is an evaluation of what is visible then."""
    found: list[Evaluation] = []
    for now in times:
        series = {
            name: TimeSeries((t, v) for t, v in zip(item.times, item.values, strict=True) if t <= now - delay)
            for name, item in samples.series.items()
        }
        values: dict[str, float] = {}
        if found:
            dedicated, low_priority = found[-1].dedicated, found[-1].low_priority
            values = {
                "target_dedicated": dedicated,
                "target_low_priority": low_priority,
                "current_dedicated": dedicated,
                "current_low_priority": low_priority,
            }
        for field, name in RECORDED_AS.items():
            if name in series:
                newest = series[name].values[-1:]
                values[field] = newest[0] if newest else getattr(samples.pool, field)
        if found and "usable" not in values:
            values["usable"] = values["current_dedicated"] + values["current_low_priority"]
        pool = replace(samples.pool, **values)
        found.append(compile_formula(text).evaluate(Samples(samples.period, series, pool), now))
    return found


def told(item: Evaluation) -> tuple[Any, ...]:
    return item.dedicated, item.low_priority, item.node_deallocation_option, item.error


def decided(result: Replay) -> list[tuple[Any, ...]]:
    errors = [None if number < 0 else result.errors[number] for number in result.error.tolist()]
    options = result.node_deallocation_option.tolist()
    return list(zip(result.dedicated.tolist(), result.low_priority.tolist(), options, errors, strict=True))


@st.composite
def deciding_programs(draw: st.DrawFn) -> str:
    """Programs that set targets, and the option from a condition."""
    number = expressions((), 2)["number"]
    text = draw(programs())
    for name in ("$TargetDedicatedNodes", "$TargetLowPriority", "$TargetDedicatedNodes"):
        if draw(st.booleans()):
            text += f";\n{name} = {draw(number)}"
    if draw(st.booleans()):
        text += f";\n$NodeDeallocationOption = {draw(number)} > 1 ? taskcompletion : terminate"
    return text


@st.composite
def recordings(draw: st.DrawFn) -> Samples:
    samples = draw(histories() | histories(huge=True))
    series = dict(samples.series)
    for name in POOL_SERIES:
        if draw(st.booleans()):
            counts = draw(st.lists(st.sampled_from([0.0, 1.0, 2.5, None]), max_size=8))
            series[name] = TimeSeries(
                (START - 45 + 30 * number, count) for number, count in enumerate(counts) if count is not None
            )
    return Samples(samples.period, series, samples.pool)


@settings(max_examples=150)
@given(deciding_programs(), recordings(), st.sampled_from([0.0, 60.0]))
def test_a_replay_is_evaluations_one_by_one(text: str, samples: Samples, delay: float) -> None:
    result = replay(text, samples, START, MINUTES[-1], EVERY, delay)
    wanted = one_by_one(text, samples, MINUTES, delay)
    assert result.times.tolist() == MINUTES
    assert decided(result) == list(map(told, wanted))
    for run in (0, COUNT - 1):
        assert result.evaluation(run).results == wanted[run].results


def plain_number(depth: int) -> st.SearchStrategy[str]:
    """Numbers as arrays can compute them: conditions, windows, times; faults of every kind among them."""
    leaf = st.sampled_from(
        [
            *("0", "1", "2.5", "1e300", "70", "time().hour", "time().weekday", "time().day", "time().minute"),
            *("$PendingTasks", "$CPUPercent.Count()", "len($CPUPercent.GetSample(3))", "v", "(time() - t) / i"),
            "$CPUPercent.GetSamplePercent(2 * TimeInterval_Minute)",
            "avg($PendingTasks.GetSample(TimeInterval_Minute, 10))",
            "avg($CPUPercent.GetSample(4 * TimeInterval_Minute, 50))",
            "sum($CPUPercent.GetSample(2 * TimeInterval_Minute))",
            "max(w)",
            "min(1, $PendingTasks.GetSample(1))",
            "max($CPUPercent.GetSample(1))",
            "min($CPUPercent.GetSample(5 * TimeInterval_Minute, time() - i, 0), $PendingTasks.GetSample(2))",
            "range($CPUPercent.GetSample(7))",
            "val($PendingTasks.GetSample(2), 0)",
            "val(w, v)",
            "($PendingTasks.HistoryBeginTime()).second",
            "(t + v * i).month",
            "$TargetDedicatedNodes",
            "$CurrentDedicatedNodes",
        ]
    )
    if not depth:
        return leaf
    part = plain_number(depth - 1)
    forms = ["({} + {})", "({} / {})", "({} - {})", "({} < {})", "({} == {})", "({} && {})", "({} || {})"]
    forms += ["max({}, {})", "min({}, {})", "sum({}, {})", "avg({}, {})"]
    two = st.builds(str.format, st.sampled_from(forms), part, part)
    three = st.builds("({} ? {} : {})".format, part, part, part)
    one = st.builds(str.format, st.sampled_from(["-{}", "!{}", "round({})", "ceil({})", "lg({})"]), part)
    return st.one_of(leaf, two, three, one)


@settings(max_examples=150)
@given(plain_number(2), plain_number(2), plain_number(3), recordings(), st.booleans(), st.sampled_from([0.0, 45.0]))
def test_arrays_decide_what_the_loop_decides(
    first: str, second: str, third: str, samples: Samples, recorded: bool, delay: float
) -> None:
    """Without recorded values of the pool, arrays compute what does not depend on former decisions."""
    if recorded:
        fixed = {name: samples.series.get(name, TimeSeries()) for name in POOL_SERIES}
        samples = Samples(samples.period, {**samples.series, **fixed}, samples.pool)
    text = (
        "v = 1; t = time() - TimeInterval_Minute; i = TimeInterval_Second * 90;"
        f"w = v < 2 ? $CPUPercent.GetSample(i, 20) : $CPUPercent.GetSample(3); v = {first};"
        f"$NodeDeallocationOption = ({second}) > 1 ? taskcompletion : terminate;"
        f"w = $PendingTasks.GetSample(TimeInterval_Minute * ({second} ? 1 : 4), 0); $TargetDedicatedNodes = {third}"
    )
    result = replay(text, samples, START, MINUTES[-1], EVERY, delay)
    assert decided(result) == list(map(told, one_by_one(text, samples, MINUTES, delay)))


ARRAYS_CAN = [
    "$TargetDedicatedNodes = min(10, $PendingTasks.GetSample(1))",
    "p = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);\n"
    "$TargetDedicatedNodes = min(25, p < 70 ? 1 : avg($PendingTasks.GetSample(180 * TimeInterval_Second)))",
    "n = time(); w = n.hour >= 8 && n.hour < 18; $TargetDedicatedNodes = w && n.weekday >= 1 ? 20 : 10",
    "$TargetDedicatedNodes = $PendingTasks.GetSample(TimeInterval_Hour, 1) == 1",  # an error of the checker
    "$TargetDedicatedNodes = undefined + 1; $NodeDeallocationOption = terminate",
    "v = $PendingTasks.GetSample(2); $TargetLowPriorityNodes = val(v, 0) + time().month + time().year + 1 / v1",
    '$TargetDedicatedNodes = time("2026-01-01") < time() && "a" == "b" ? 1 : 2',
    "$TargetDedicatedNodes = val($PendingTasks.GetSample(2), -0.5)",  # NaN in the first run
]


@pytest.mark.parametrize("text", ARRAYS_CAN)
def test_arrays_take_these(text: str) -> None:
    series = {"$PendingTasks": TimeSeries((START + 30 * number, number % 7) for number in range(20) if number % 5)}
    samples = Samples(series=series)
    formula = compile_formula(text)
    result = replay(formula, samples, START, MINUTES[-1], EVERY)
    decide_with_arrays(formula._checked, formula._program, result.course)
    assert decided(result) == list(map(told, one_by_one(text, samples, MINUTES, 0.0)))
