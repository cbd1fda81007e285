"""A formula that the linter finds guarded does not fail for want of samples; one that it does not can."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from formula import Samples, compile_formula, lint

from .generated_programs import NOW, histories

MINUTES = st.sampled_from(["2", "3", "5", "10"])
METRICS = st.sampled_from(["$PendingTasks", "$CPUPercent"])
THRESHOLDS = st.sampled_from(["30", "69", "70", "71", "90", "100"])
COVERAGE_CODES = {"F401", "F402", "F403"}


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """`enough` is true, in many ways of writing, or something else is."""
    percent = f"{draw(METRICS)}.GetSamplePercent({draw(MINUTES)} * TimeInterval_Minute)"
    threshold = draw(THRESHOLDS)
    simple = draw(
        st.sampled_from(
            [
                f"{percent} >= {threshold}",
                f"{percent} > {threshold}",
                f"{percent} < {threshold}",
                f"{threshold} <= {percent}",
                f"!({percent} < {threshold})",
                f"!!({percent} >= {threshold})",
                f"({percent} < {threshold} ? 0 : 1)",
                f"({percent} >= {threshold}) == 1",
                f"({percent} < {threshold}) < 1",
                f"({percent} >= {threshold} ? 1 : 0) != 0",
                f"min({percent}, 95) >= {threshold}",
                "time().minute >= 0",
            ]
        )
    )
    other = f"$CPUPercent.GetSamplePercent(5 * TimeInterval_Minute) >= {draw(THRESHOLDS)}"
    return draw(st.sampled_from([simple, f"{simple} && {other}", f"{other} || {simple}", f"!({simple} || !({other}))"]))


@st.composite
def guarded(draw: st.DrawFn) -> str:
    condition = draw(conditions())
    samples = f"avg({draw(METRICS)}.GetSample({draw(MINUTES)} * TimeInterval_Minute))"
    form = draw(
        st.sampled_from(
            [
                "a = {c} ? {s} : 1;",
                "a = !({c}) ? 1 : {s};",
                "c = {c}; a = c ? {s} : 1;",
                "c = {c}; a = c && {s} > 1;",
                "c = {c}; a = !c || {s} > 1;",
                "{c} ? 0 : stop(); a = {s};",
                "s = {c} ? 0 : stop(); a = 1 > 2 ? 0 : {s};",
                "a = {s};",
            ]
        )
    )
    return form.format(c=condition, s=samples)


@given(guarded(), histories())
def test_what_is_found_guarded_does_not_fail(text: str, samples: Samples) -> None:
    if COVERAGE_CODES & {found.code for found in lint(text)}:
        return
    error = compile_formula(text).evaluate(samples, NOW).error
    assert error is None or error.code != "InsufficientSampleData"


def test_what_is_found_unguarded_fails_on_some_history() -> None:
    for text in (
        "a = $PendingTasks.GetSample(5 * TimeInterval_Minute);",
        "a = $PendingTasks.GetSamplePercent(5 * TimeInterval_Minute) < 0 ? 1 : "
        "avg($PendingTasks.GetSample(5 * TimeInterval_Minute));",
        "a = $PendingTasks.GetSamplePercent(2 * TimeInterval_Minute) < 101 ? "
        "avg($PendingTasks.GetSample(5 * TimeInterval_Minute)) : 1;",
    ):
        assert COVERAGE_CODES & {found.code for found in lint(text)}
        error = compile_formula(text).evaluate(Samples(), NOW).error
        assert error is not None
        assert error.code == "InsufficientSampleData"
