"""The case files: each diagnostic stands beside its line, each evaluation gives its results text."""

from __future__ import annotations

import re

import pytest

from formula import CODES, check, compile_formula, lint
from formula.builtins_table import FUNCTION_NAMES, MEMBERS, METHODS

from .case_files import NOW, DiagnosticCase, SeriesCase, diagnostic_cases, series_cases

DIAGNOSTICS = list(diagnostic_cases())
SERIES = list(series_cases())


@pytest.mark.parametrize("case", DIAGNOSTICS, ids=lambda case: case.name)
def test_what_is_found_stands_beside_the_lines(case: DiagnosticCase) -> None:
    if case.family:
        every = lint(case.text, now=NOW)
        found = [finding for finding in every if finding.is_error or finding.code.startswith(case.family)]
    else:
        found = check(case.text)
    shown = "\n".join(diagnostic.render() for diagnostic in found)
    assert sorted((diagnostic.line, diagnostic.code) for diagnostic in found) == list(case.expected), shown


@pytest.mark.parametrize("case", SERIES, ids=lambda case: case.name)
def test_an_evaluation_gives_its_results(case: SeriesCase) -> None:
    evaluation = compile_formula("\n".join(case.formula)).evaluate(case.samples, case.now)
    message = evaluation.error and evaluation.error.values[0][1]
    assert (evaluation.results, message, list(evaluation.warnings)) == (
        case.results,
        case.error,
        case.warnings,
    )


def test_every_code_has_a_case() -> None:
    seen = {code for case in DIAGNOSTICS for _, code in case.expected}
    # The size limits and the nesting have tests of their own: their texts are too long for a case file.
    assert seen == set(CODES) - {"F100", "F101", "F102"}


def test_every_function_method_and_member_has_an_evaluation() -> None:
    text = "\n".join(line for case in SERIES for line in case.formula)
    names = set(re.findall(r"\w+", text))
    assert not {*FUNCTION_NAMES, *METHODS, *MEMBERS} - names
