"""Hostile and huge texts: all within 8 KB is answered soon, and nothing meets Python's limits."""

from __future__ import annotations

import sys
from time import process_time

import pytest

from formula import MAX_LENGTH, FormulaError, Samples, check, compile_formula, lint
from formula.layout import format_formula

from .case_files import diagnostic_cases, series_cases

OK = None
HOSTILE = {
    "sum": ("+".join("1" * 4000), OK),
    "product": ("*".join("1" * 4000), OK),
    "comparisons": ("<".join("1" * 4000), OK),
    "conjunction": ("&&".join("1" * 2700), OK),
    "arguments": ("max(" + ",".join("1" * 4000) + ")", OK),
    "calls in a sum": ("a=" + "+".join(["avg($PendingTasks.GetSample(5,6))"] * 200), "F303"),
    "vectors in a sum": ("a=" + "+".join(["vec(1)"] * 1000), OK),
    "mixed types in a sum": ("m=1?vec(1):2;a=" + "+".join("m" * 2000), OK),
    "digits": ("9" * 8192, "F103"),
    "parentheses": ("(" * 199 + "1" + ")" * 199, OK),
    "too many parentheses": ("(" * 201 + "1" + ")" * 201, "F102"),
    "only parentheses": ("(" * 4000 + "1" + ")" * 4000, "F102"),
    "opened": ("(" * 8192, "F113"),
    "unary": ("-" * 199 + "1", OK),
    "too many unary": ("-!" * 4000 + "1", "F102"),
    "operators and parentheses": ("1+(2*" * 190 + "1" + ")" * 190, OK),
    "branches": ("1?2:" * 190 + "3", OK),
    "nested conditions": ("(0?1:" * 90 + "2" + ")" * 90, OK),
    "too many branches": ("1?2:" * 2000 + "3", "F102"),
    "half branches": ("1?" * 4000, "F117"),
    "nested calls": ("max(1," * 190 + "2" + ")" * 190, OK),
    "opened calls": ("f(" * 4000, "F113"),
    "members": ("a" + ".b" * 4000, "F102"),
    "semicolons": (";" * 8192, OK),
    "statements": ("1;" * 4000, "F101"),
    "no semicolons": ("a=1 b=2 " * 1000, "F105"),
    "hashes": ("#\n" * 4000, "F107"),
    "block comments": ("/*" * 4000, "F108"),
    "quotes": ('"' * 8191, "F112"),
    "braces": ("{" * 8192, "F104"),
    "names": ("a" * 8192, "F201"),
    "long names": ("a" * 4000 + "=1;" + "b" * 4000, "F201"),
    "dollars": ("$" * 8192, "F106"),
}


@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_answered_soon(text: str, code: str | None) -> None:
    assert len(text) <= MAX_LENGTH
    begin = process_time()
    found = check(text)
    try:
        error = compile_formula(text).evaluate(Samples(), 0.0).error
    except FormulaError as refused:
        error = refused  # type: ignore[assignment]
    assert process_time() - begin < 5.0  # at most 0.5 s where nothing else runs
    assert {diagnostic.code for diagnostic in found if diagnostic.is_error} == ({code} if code else set())
    assert (error is None) == (code is None)


def test_many_formulas_are_checked_linted_and_laid_out_soon() -> None:
    """More than 200, as much text as a hundred of those that people write."""
    texts = ["\n".join(case.formula) for case in series_cases()] + [case.text for case in diagnostic_cases()]
    assert len(texts) > 200
    begin = process_time()
    for text in texts:
        check(text)
        lint(text)
        try:
            format_formula(text)
        except FormulaError as refused:
            assert refused.diagnostics
    assert process_time() - begin < 10.0  # 0.5 s where nothing else runs


def test_a_deep_stack_of_the_caller_does_not_matter() -> None:
    def descend(levels: int) -> list[str]:
        if levels:
            return descend(levels - 1)
        text = "-(1+" * 90 + "1" + ")" * 90
        evaluation = compile_formula(f"a = {text}").evaluate(Samples(), 0.0)
        return [diagnostic.code for diagnostic in check(text)] + [str(evaluation.error)]

    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    assert descend(sys.getrecursionlimit() - depth - 150) == ["None"]


def test_a_text_of_the_largest_size_is_accepted_and_a_longer_one_is_not() -> None:
    text = "$TargetDedicatedNodes = 1; //"
    longest = text + "x" * (MAX_LENGTH - len(text))
    assert compile_formula(longest).evaluate(Samples(), 0.0).dedicated == 1
    with pytest.raises(FormulaError) as refused:
        compile_formula(longest + "x")
    assert refused.value.code == "AutoScaleFormulaTooLong"
    assert [diagnostic.code for diagnostic in refused.value.diagnostics] == ["F100"]


def test_a_hundred_statements_are_accepted() -> None:
    assert check("a = 1;" * 100) == []
    assert [diagnostic.code for diagnostic in check("a = 1;" * 101)] == ["F101"]


def test_a_vector_that_doubles_itself_does_not_fill_the_memory() -> None:
    text = "a = vec(1, 2);" + "a = vec(a, a);" * 99
    error = compile_formula(text).evaluate(Samples(), 0.0).error
    assert error is not None
    assert "a vector of more than 100000 elements" in error.values[0][1]
