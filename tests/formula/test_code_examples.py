"""Every kind of finding is explained, and its examples show it."""

from __future__ import annotations

import pytest

from formula import CODES, Code, lint

from .case_files import NOW

#: Their examples would be pages long, or are documents and no formulas.
WITHOUT_EXAMPLES = {"F100", "F101", "F102"}
EXPLAINED = list(CODES.values())
WITH_EXAMPLES = [code for code in EXPLAINED if code.wrong]


@pytest.mark.parametrize("code", EXPLAINED, ids=lambda code: code.code)
def test_is_explained(code: Code) -> None:
    assert code.title
    assert len(code.explanation) > 40, "say what goes wrong, why, and how to mend it"
    assert code.explanation.endswith(".")


@pytest.mark.parametrize("code", WITH_EXAMPLES, ids=lambda code: code.code)
def test_the_wrong_example_has_it_and_the_right_one_has_not(code: Code) -> None:
    assert code.code in {found.code for found in lint(code.wrong, now=NOW)}
    right = lint(code.right, now=NOW)
    assert not [found.render() for found in right if found.code == code.code or found.is_error]


def test_every_formula_finding_has_examples() -> None:
    assert {code.code for code in EXPLAINED if not code.wrong and code.code < "F7"} == WITHOUT_EXAMPLES
