"""The example formulas: their case files pass, take every branch, and notice a change of the formula."""

from pathlib import Path

import pytest

from formula import lint
from formula.cases import (
    CoveredFormulas,
    case_files,
    coverage_record,
    failure_text,
    read_case_file,
    read_cases,
    run_case,
)
from formula.layout import format_formula

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "formulas"
FILES = case_files([EXAMPLES])


def test_every_formula_has_a_case_file():
    formulas = {path.stem for path in EXAMPLES.iterdir() if path.suffix in {".formula", ".json"}}
    assert formulas == {path.stem for path in FILES}
    assert len(formulas) >= 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_cases_pass_and_take_every_branch(path):
    covered = CoveredFormulas()
    for case in read_case_file(path).cases:
        result = run_case(case)
        assert result.passed, failure_text(result)
        assert not [found for found in lint(case.formula.text) if found.severity != "info"]
        covered.add(coverage_record(result))
    assert covered.percent == 100.0, covered.lines()


def test_they_are_laid_out_as_fmt_does():
    for path in EXAMPLES.glob("*.formula"):
        text = path.read_text(encoding="utf-8")
        assert format_formula(text) == text


CHANGES = [
    ("pending-tasks.formula", "< 70", "< 0"),
    ("pending-tasks.formula", "5 * ", "9 * "),
    ("pending-tasks.formula", "ceil(", "floor("),
    ("pending-tasks.formula", "= 20", "= 21"),
    ("pending-tasks.formula", "taskcompletion", "requeue"),
    ("workday.formula", "weekday <= 5", "weekday <= 6"),
    ("workday.formula", "hour < 18", "hour <= 18"),
    ("workday.formula", "+ 1 *", "+ 0 *"),
    ("spot-pool.json", "nodes - dedicated", "nodes"),
    ("spot-pool.json", "min(40", "min(50"),
]


@pytest.mark.parametrize(("name", "before", "after"), CHANGES)
def test_a_changed_formula_is_noticed(name, before, after, tmp_path):
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert before in text
    (tmp_path / name).write_text(text.replace(before, after), encoding="utf-8")
    cases = (EXAMPLES / name).with_suffix(".formula-test")
    file = read_cases(cases.name, cases.read_text(encoding="utf-8"), tmp_path)
    assert not all(run_case(case).passed for case in file.cases)
