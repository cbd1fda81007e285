"""What is wrong with a formula in a document."""

from __future__ import annotations

import re

from ..diagnostics import Diagnostic
from ..lint import lint
from .formula_text import FormulaText

_TOKEN = re.compile(r'"[^"\r\n]*"|//[^\r\n]*|\d+\.\d+|[^"/\d]+|.', re.S)


def lint_formula(formula: FormulaText, now: float | None = None) -> list[Diagnostic]:
    """The findings of `lint` but for those about what stands in for a placeholder. Offsets are those of the text."""
    found = lint(formula.text, unknown=formula.unknown, now=now)
    if not formula.holes:
        return found
    stand_ins = _stand_ins(formula)
    return [
        diagnostic
        for diagnostic in found
        if not any(start <= diagnostic.start and diagnostic.end <= end for start, end in stand_ins)
    ]


def _stand_ins(formula: FormulaText) -> list[tuple[int, int]]:
    """From where to where the numbers, strings and comments stand that hold a placeholder."""
    return [
        match.span()
        for match in _TOKEN.finditer(formula.text)
        if match.start() in formula.unknown
        or (match[0][0] in '"/' and any(stand_in in match[0] for stand_in in formula.holes))
    ]
