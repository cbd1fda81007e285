"""What holds for every text, every program and every history."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from formula import (
    CODES,
    FormulaError,
    PoolValues,
    Samples,
    TimeInterval,
    TimeSeries,
    Timestamp,
    check,
    compile_formula,
)
from formula.source import Source
from formula.vectors import DIVISION_BY_ZERO

from .generated_programs import NOW, histories, programs
from .reference_evaluator import Failure, Walk

# Pieces of the language in any order: nearer to formulas than random characters are.
PIECES = st.sampled_from(
    [
        *"()+-*/<>!?:;,.=\n#\"'{}[]%&|$ ",
        *(
            "==",
            "&&",
            "||",
            "//",
            "/*",
            "1",
            "0.5",
            "1e999",
            "0x1",
            "x",
            "$x",
            '"s"',
            '\\"',
            "x = 1;",
            "${y}",
        ),
        *(
            "$PendingTasks",
            ".GetSample",
            ".Count()",
            "time()",
            ".hour",
            "max",
            "avg(",
            "vec(",
            "stop()",
            "\r\n",
        ),
        *(
            "$TargetDedicatedNodes",
            "$NodeDeallocationOption",
            "requeue",
            "$TargetSpotNodes",
            "TimeInterval_Hour",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map("".join), programs())


@settings(max_examples=250)
@given(TEXTS, histories())
def test_any_text_is_answered(text: str, samples: Samples) -> None:
    found = check(text)
    assert all(diagnostic.code in CODES for diagnostic in found)
    assert [diagnostic.start for diagnostic in found] == sorted(diagnostic.start for diagnostic in found)
    for diagnostic in found:
        assert diagnostic.message in diagnostic.render()
    errors = [diagnostic for diagnostic in found if diagnostic.is_error]
    try:
        formula = compile_formula(text)
    except FormulaError as refused:
        assert refused.diagnostics == tuple(found)
        assert any(diagnostic.code.startswith("F1") for diagnostic in errors)
        return
    evaluation = formula.evaluate(samples, NOW)
    assert evaluation == formula.evaluate(samples, NOW) or "NaN" in evaluation.results
    if evaluation.error:
        unchanged = (samples.pool.target_dedicated, samples.pool.target_low_priority)
        assert (evaluation.dedicated, evaluation.low_priority) == unchanged


def plain(value: Any) -> Any:
    """A value that compares: its kind, and NaN equal to itself."""
    if isinstance(value, tuple):
        return "vector", tuple("NaN" if math.isnan(element) else float(element) for element in value)
    if isinstance(value, (Timestamp, TimeInterval)):
        return type(value).__name__, "NaN" if math.isnan(value) else float(value)
    return "NaN" if value != value else value


@settings(max_examples=300)
@given(programs(), histories() | histories(huge=True))
def test_compiled_programs_agree_with_a_walk_over_the_tree(text: str, samples: Samples) -> None:
    assert not [diagnostic.render() for diagnostic in check(text) if diagnostic.is_error]
    evaluation = compile_formula(text).evaluate(samples, NOW)
    walk = Walk(samples, NOW)
    try:
        walk.run(text)
        failed = False
    except (Failure, OverflowError, ValueError):
        failed = True
    got = {name: plain(value) for name, value in evaluation.variables.items()}
    assert got == {name: plain(value) for name, value in walk.variables.items()}
    assert (evaluation.error is not None) == failed
    if evaluation.error and (said := evaluation.error.values[0][1]).endswith(DIVISION_BY_ZERO):
        line, column = Source(text).position(walk.place)
        assert said == f"Line {line}, Col {column}: {DIVISION_BY_ZERO}"


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 200), st.integers(0, 200))
def test_a_window_holds_what_a_scan_finds(steps: list[int], start: int, end: int) -> None:
    series = TimeSeries()
    time = 0
    for index, step in enumerate(steps):
        time += step + 1
        series.append(float(time), index * 0.5)
    first, stop = series.window(start, max(start, end))
    scan = [(t, v) for t, v in zip(series.times, series.values, strict=True) if start < t <= max(start, end)]
    assert list(zip(series.times[first:stop], series.values[first:stop], strict=True)) == scan


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_text_of_a_string_never_becomes_code(one: str, other: str) -> None:
    text = f'a = "{one}"; b = a == "{other}";'
    try:
        formula = compile_formula(text)
    except FormulaError:
        return
    evaluation = formula.evaluate(Samples(pool=PoolValues()), NOW)
    if '"' not in one + other and not formula.diagnostics:
        assert evaluation.variables == {"a": one, "b": float(one == other)}
