"""A trace is the evaluation, and everything that led to it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from formula import FormulaError, PoolValues, Samples, TimeInterval, TimeSeries, Timestamp, compile_formula
from formula.explain import Coverage, observed_formula, trace

from .generated_programs import NOW, histories, programs

NOON = 1_767_614_400.0  # 2026-01-05T12:00:00Z
THIN = Samples(
    series={"$PendingTasks": TimeSeries([(NOON - 150, 5), (NOON - 120, 4), (NOON - 60, 2)])},
    pool=PoolValues(current_dedicated=3),
)


def told(text: str, samples: Samples = THIN) -> Any:
    return trace(text, samples, NOON)


def same(one: Any, other: Any) -> bool:
    """Equal, and NaN equal to NaN."""
    return repr(one) == repr(other)


@given(programs(), histories() | histories(huge=True))
@settings(max_examples=100)
def test_a_trace_holds_the_evaluation(text: str, samples: Samples) -> None:
    compiled = compile_formula(text)
    found = trace(text, samples, NOW, Random(3))
    assert same(found.evaluation, compiled.evaluate(samples, NOW, Random(3)))
    values = {item.name: item.value for item in found.statements if item.outcome == "done" and item.name}
    assert all(same(found.evaluation.variables[name], value) for name, value in values.items())
    outcomes = [item.outcome for item in found.statements]
    done = outcomes.count("done")
    assert outcomes[:done] == ["done"] * done
    if done < len(outcomes):
        assert outcomes[done] == "failed"
        assert outcomes[done + 1 :] == ["not reached"] * (len(outcomes) - done - 1)
    assert (done < len(outcomes)) == (found.evaluation.error is not None)
    coverage = Coverage(text)
    coverage.add(observed_formula(text).observe(samples, NOW, Random(3)))
    assert 0 <= coverage.percent <= 100


def test_statements_know_their_place_and_value() -> None:
    found = told("// first\na = 1; b = time();\n  $c = vec(1, 2) ; a + 1;")
    assert [(item.number, item.line, item.text, item.name, item.value) for item in found.statements] == [
        (1, 2, "a = 1", "a", 1.0),
        (2, 2, "b = time()", "b", Timestamp(NOON)),
        (3, 3, "$c = vec(1, 2)", "$c", (1.0, 2.0)),
        (4, 3, "a + 1", None, 2.0),
    ]


def test_values_of_all_parts_are_typed() -> None:
    (item,) = told("x = (time() - TimeInterval_Hour).hour + -len(vec(2, 3));").statements
    assert [(seen.text, seen.value) for seen in item.observed] == [
        ("time()", Timestamp(NOON)),
        ("TimeInterval_Hour", TimeInterval(3600)),
        ("time() - TimeInterval_Hour", Timestamp(NOON - 3600)),
        ("(time() - TimeInterval_Hour).hour", 11.0),
        ("vec(2, 3)", (2.0, 3.0)),
        ("len(vec(2, 3))", 2.0),
        ("-len(vec(2, 3))", -2.0),
        ("(time() - TimeInterval_Hour).hour + -len(vec(2, 3))", 9.0),
    ]


BRANCHES = [
    (
        "pending = 3; x = pending > 0 && time().hour < 18 ? pending * 2 : 0",
        "pending (3) > 0 && time().hour (12) < 18 is true, so pending (3) * 2",
    ),
    ("pending = 0; x = (pending > 0 // why\n) ? 1 : (7)", "pending (0) > 0 is false, so 7"),
    ("x = 0 ? 1 : 2", "0 is false, so 2"),
    ("x = max(0, $PendingTasks.GetSample(2)) > 3 ? 1 : 2",
     "max(0, $PendingTasks.GetSample(2) ([2, 4])) (4) > 3 is true, so 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BRANCHES)
def test_branches_and_why(text: str, reason: str) -> None:
    assert [str(branch) for branch in told(text).statements[-1].branches] == [reason]


def test_a_branch_that_nobody_took_says_nothing() -> None:
    (item,) = told("x = 1 ? 2 : (3 > 2 ? time().hour : 5)").statements
    assert [branch.because for branch in item.branches] == ["1"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x = 0 > 1 && 2 > 1 && 3", "0 > 1 is false, so 2 > 1, 3 was not computed"),
        ("y = 2; x = y > 1 || (y < 0)", "y (2) > 1 is true, so y < 0 was not computed"),
    ],
)
def test_operands_that_were_not_computed(text: str, shown: str) -> None:
    assert [str(shortcut) for shortcut in told(text).statements[-1].shortcuts] == [shown]


def views(text: str, samples: Samples = THIN) -> list[Any]:
    return [view for item in told(text, samples).statements for view in item.samples]


def test_windows_show_their_gaps() -> None:
    (view,) = views("p = $PendingTasks.GetSamplePercent(3 * TimeInterval_Minute);")
    assert (view.start, view.end, view.present, view.possible, view.percent) == (NOON - 180, NOON, 3, 6, 50.0)
    assert view.samples == (
        (NOON - 150, 5), (NOON - 120, 4), (NOON - 90, None), (NOON - 60, 2), (NOON - 30, None), (NOON, None),
    )  # fmt: skip


def test_gaps_follow_the_beat_of_the_samples() -> None:
    samples = Samples(series={"$RunningTasks": TimeSeries([(NOON - 133.4, 1), (NOON - 73.2, 2)])})
    (view,) = views("x = $RunningTasks.GetSample(2.5 * TimeInterval_Minute, 0);", samples)
    assert [(round(NOON - time, 1), value) for time, value in view.samples] == [
        (133.4, 1), (103.2, None), (73.2, 2), (43.2, None), (13.2, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("GetSample(3 * TimeInterval_Minute)", 70.0),
        ("GetSample(3 * TimeInterval_Minute, 50)", 50.0),
        ("GetSample(TimeInterval_Zero, 3 * TimeInterval_Minute, 51)", 51.0),
        ("GetSample(time() - 3 * TimeInterval_Minute, time(), 10)", 10.0),
        ("GetSamplePercent(3 * TimeInterval_Minute)", None),
    ],
)
def test_what_was_wanted(call: str, wanted: float | None) -> None:
    (view,) = views(f"x = $PendingTasks.{call};")
    assert (view.wanted, view.present, view.possible, view.percent) == (wanted, 3, 6, 50.0)
    assert (view.start, view.end) == (NOON - 180, NOON)


def test_calls_that_count() -> None:
    newest, whole, begin = views(
        "a = $PendingTasks.GetSample(2); b = $PendingTasks.Count(); c = $PendingTasks.HistoryBeginTime();"
        "d = $PendingTasks.GetSamplePeriod();"
    )
    assert newest.samples == ((NOON - 120, 4), (NOON - 60, 2))
    assert (newest.start, newest.possible, newest.wanted) == (None, 2, None)
    assert whole.present == begin.present == 3


def test_a_count_without_bounds() -> None:
    none, every = views("x = 1e308 * 10; a = $PendingTasks.GetSample(-x); b = $PendingTasks.GetSample(x);")
    assert (none.samples, none.possible, none.percent) == ((), 0, 100.0)
    assert every.present == 3


def test_a_huge_window_is_not_drawn_sample_by_sample() -> None:
    (view,) = views("x = $PendingTasks.GetSamplePercent(TimeInterval_Year);")
    assert (len(view.samples), view.present, view.possible) == (3, 3, 1051200)


def test_calls_that_were_not_reached_saw_nothing() -> None:
    assert not views("x = 1 ? 2 : $PendingTasks.GetSample(1);")


def test_failures() -> None:
    found = told("a = 1;\nb = avg($PendingTasks.GetSample(3 * TimeInterval_Minute)); c = 2;")
    assert [item.outcome for item in found.statements] == ["done", "failed", "not reached"]
    (view,) = found.statements[1].samples
    assert (view.percent, view.wanted) == (50.0, 70.0)
    assert found.evaluation.error is not None


@pytest.mark.parametrize("text", ["a = 1; b = unknown; c = 2;", "a = 1; b = a / 0;", "a = 1; b = vec(1) ? 1 : 2;"])
def test_other_failures(text: str) -> None:
    found = told(text)
    assert [item.outcome for item in found.statements][:2] == ["done", "failed"]
    assert found.evaluation == compile_formula(text).evaluate(THIN, NOON)


def test_stop() -> None:
    found = told("a = 1; 1 > 0 ? stop() : 0; b = 2;")
    assert [item.outcome for item in found.statements] == ["done", "stopped", "not reached"]


def test_a_target_that_is_no_number() -> None:
    found = told("$TargetDedicatedNodes = avg();")
    assert [item.outcome for item in found.statements] == ["done"]
    assert found.evaluation.error is not None


def test_syntax_errors_are_refused() -> None:
    with pytest.raises(FormulaError):
        told("a = ;")


def test_json() -> None:
    data = told("a = $PendingTasks.GetSamplePercent(TimeInterval_Minute) < 70 ? 1 : 2;").to_json()
    assert data["results"].endswith("a=1")
    (statement,) = data["statements"]
    assert statement["branches"] == [
        {"condition": "$PendingTasks.GetSamplePercent(TimeInterval_Minute) (0) < 70", "held": True, "taken": "1"}
    ]
    assert statement["samples"][0]["samples"] == [
        {"time": "2026-01-05T11:59:30.000Z", "value": None},
        {"time": "2026-01-05T12:00:00.000Z", "value": None},
    ]


COVERAGE = [
    ("a = 1;", {}, 100.0, []),
    ("a = $TaskSlotsPerNode > 2 ? 1 : 2;", {"task_slots_per_node": 3}, 50.0,
     ["never taken: 2 (its condition was never false)"]),
    ("a = $TaskSlotsPerNode > 2 && $UsableNodeCount > 5;", {"task_slots_per_node": 3}, 50.0,
     ["never false: $TaskSlotsPerNode > 2", "never true: $UsableNodeCount > 5"]),
    ("a = $TaskSlotsPerNode > 2 || $UsableNodeCount > 5;", {"task_slots_per_node": 3}, 25.0,
     ["never false: $TaskSlotsPerNode > 2", "never true: $UsableNodeCount > 5", "never false: $UsableNodeCount > 5"]),
    # An operand that fails was computed neither true nor false.
    ("a = $TaskSlotsPerNode > 2 && 1 / $UsableNodeCount;", {"task_slots_per_node": 3}, 25.0,
     ["never false: $TaskSlotsPerNode > 2", "never true: 1 / $UsableNodeCount", "never false: 1 / $UsableNodeCount"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "pool", "percent", "missed"), COVERAGE)
def test_coverage(text: str, pool: dict[str, float], percent: float, missed: list[str]) -> None:
    coverage = Coverage(text)
    coverage.add(observed_formula(text).observe(Samples(pool=PoolValues(**pool)), NOON))
    assert coverage.percent == percent
    assert [str(point) for number, point in enumerate(coverage.points) if number not in coverage.met] == missed


def test_coverage_adds_up() -> None:
    text = "a = $TaskSlotsPerNode > 2 ? 1 : 2;"
    coverage = Coverage(text)
    for slots in (1, 4):
        coverage.add(observed_formula(text).observe(Samples(pool=PoolValues(task_slots_per_node=slots)), NOON))
    assert coverage.percent == 100.0


def test_coverage_does_not_depend_on_what_was_kept_in_memory() -> None:
    text = "a = $TaskSlotsPerNode > 2 && $UsableNodeCount > 5;"
    coverage = Coverage(text)
    for slots in (1, 4):
        observed_formula.cache_clear()
        coverage.add(observed_formula(text).observe(Samples(pool=PoolValues(task_slots_per_node=slots)), NOON))
    assert coverage.percent == 75.0
