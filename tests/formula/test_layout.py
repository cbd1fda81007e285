"""The canonical layout: what it looks like, and what it never changes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formula import MAX_LENGTH, FormulaError
from formula.layout import format_formula
from formula.parser import parse_statements

from .case_files import HERE, chunks
from .generated_programs import programs
from .test_limits import HOSTILE

_COMMENT = re.compile(r'"[^"\r\n]*"|//[^\r\n]*')
_TOKEN = re.compile(r'"[^"]*"|\$?[A-Za-z_]\w*|[\d.]+(?:[eE][+-]?\d+)?|[<>=!]=|&&|\|\||\S')


def layout_cases() -> list[tuple[str, str, str]]:
    """(place, text, its layout): the two halves of a case stand around a line of `=>`."""
    cases = []
    for path in sorted((HERE / "layouts").glob("*.layouts")):
        for place, lines in chunks(path):
            middle = lines.index("=>")
            before, after = lines[:middle], lines[middle + 1 :]
            cases.append((place, "\n".join(before), "".join(f"{line}\n" for line in after)))
    return cases


CASES = layout_cases()


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_layout(text: str, expected: str) -> None:
    assert format_formula(text) == expected
    assert format_formula(expected) == expected


def comments(text: str) -> list[str]:
    found = (match.group() for match in _COMMENT.finditer(text))
    return [comment.rstrip(" \t") for comment in found if comment.startswith("//")]


BETWEEN = st.sampled_from(["", "", "", " ", "\n", "\n\n\n", " // why\n", "\n// note;\n", '\t//"x \n  // y\n', "\r\n"])


@st.composite
def untidy_programs(draw: st.DrawFn) -> str:
    """Programs with blanks, line ends and comments between any two tokens."""
    pieces = []
    for token in _TOKEN.findall(draw(programs()) + draw(st.sampled_from(["", ";", ";;\n;"]))):
        # No two tokens of a program grow together without a blank.
        pieces += [draw(BETWEEN), token]
        if token == ";" and draw(st.booleans()):
            pieces.append(";")
    return "".join(pieces) + draw(BETWEEN)


@settings(max_examples=300)
@given(untidy_programs())
def test_the_meaning_and_the_comments_stay_and_twice_is_once(text: str) -> None:
    laid_out = format_formula(text)
    assert parse_statements(laid_out) == parse_statements(text)
    assert comments(laid_out) == comments(text)
    assert format_formula(laid_out) == laid_out
    assert not re.search(r"[ \t]\r?\n|\n\r?\n\r?\n|^\r?\n", laid_out)


@settings(max_examples=200)
@given(programs())
def test_lines_pass_the_width_only_where_nothing_can_be_broken(text: str) -> None:
    for line in format_formula(text).splitlines():
        code = line.partition("//")[0].rstrip()
        if len(code) > 100:
            # One operand behind its operator, deep inside of many parentheses.
            assert len(code.lstrip()) < 80


@given(untidy_programs())
def test_the_layout_before_does_not_matter(text: str) -> None:
    bare = _COMMENT.sub(lambda match: match.group() if match.group().startswith('"') else "", text)
    tokens = _TOKEN.findall(bare)
    once = format_formula(" ".join(tokens))
    assert format_formula("\n".join(tokens)) == once


@pytest.mark.parametrize("text", [text for text, _ in HOSTILE.values()], ids=HOSTILE)
def test_hostile_text_is_laid_out_or_refused_soon(text: str) -> None:
    begin = process_time()
    try:
        laid_out = format_formula(text)
    except FormulaError as refused:
        laid_out = None
        assert refused.diagnostics
    assert process_time() - begin < 5.0  # at most 0.5 s where nothing else runs
    if laid_out is not None:
        assert len(laid_out) <= MAX_LENGTH
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(10_000)  # only for the comparison of two trees
        try:
            assert parse_statements(laid_out) == parse_statements(text)
        finally:
            sys.setrecursionlimit(limit)


def test_a_deep_stack_of_the_caller_does_not_matter() -> None:
    def descend(levels: int) -> str:
        return descend(levels - 1) if levels else format_formula("a = " + "-(1+" * 90 + "1" + ")" * 90)

    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    assert descend(sys.getrecursionlimit() - depth - 150).startswith("a = -(")


def test_a_syntax_error_is_refused_with_its_place() -> None:
    with pytest.raises(FormulaError) as refused:
        format_formula("a = 1;\nb = (2;\nc = 3 d = 4;")
    assert [(found.line, found.code) for found in refused.value.diagnostics] == [(2, "F113"), (3, "F105")]


def test_errors_that_are_no_syntax_errors_do_not_matter() -> None:
    assert format_formula("$TargetSpotNodes=nothing+vec( 1 )<2") == "$TargetSpotNodes = nothing + vec(1) < 2;\n"


def test_a_layout_never_makes_a_formula_too_long() -> None:
    text = "a=1" + "+1" * 4000
    with pytest.raises(FormulaError) as refused:
        format_formula(text)
    (found,) = refused.value.diagnostics
    assert found.code == "F100"
    assert "16" in found.message
    assert str(MAX_LENGTH) in found.message


def test_lines_are_not_broken_if_indentation_makes_the_formula_too_long() -> None:
    text = "a = " + "max(1, " * 150 + "2" + ")" * 150
    assert format_formula(text) == f"{text};\n"
    broken = "a = " + "max(1, " * 20 + "2" + ")" * 20
    assert format_formula(broken).count("\n") > 20


@pytest.mark.parametrize(
    ("text", "end"), [("a=1;\r\nb=2;\n", "\r\n"), ("a=1;\nb=2;\r\n", "\n"), ("a=1;b=2", "\n"), ("a=1;\rb=2", "\n")]
)
def test_line_ends_are_those_of_the_first_line(text: str, end: str) -> None:
    assert format_formula(text) == f"a = 1;{end}b = 2;{end}"


def test_the_files_of_cases_are_there() -> None:
    assert Path(HERE / "layouts").is_dir()
    assert len(CASES) > 25
