"""One canonical layout for formulas, so that two people's formulas differ only where they say something else.

A statement stands on one line, or is broken at its loosest operators. The layout depends on the tokens, on comments and
on blank lines between statements, never on how a text was laid out before: laying out twice changes nothing.
"""

from __future__ import annotations

from ..diagnostics import DiagnosticList, FormulaError
from ..parser import MAX_LENGTH, parse
from ..source import Source
from .lines import Layout
from .tokens import line_end

#: Columns that a line should not pass. Comments and what cannot be broken may.
WIDTH = 100


def format_formula(text: str) -> str:
    """The text in canonical layout, with the same meaning and the same comments.

    Line ends become those of the text's first one (LF or CRLF), the last line gets one. Raises FormulaError for a text
    that is not a formula, and for one that only its layout would make longer than the service takes (F100).
    """
    parsed = parse(Source(text))
    if any(found.is_error for found in parsed.diagnostics):
        raise FormulaError(parsed.diagnostics)
    end = line_end(text)
    layout = Layout(text, parsed.statements)
    result = layout.text(WIDTH, end)
    if len(result) > MAX_LENGTH:
        # Indentation is what can be spared of a layout.
        result = layout.text(None, end)
    if len(result) > MAX_LENGTH:
        findings = DiagnosticList(parsed.source)
        findings.add(
            "F100",
            0,
            len(text),
            f"laid out, the formula would have {len(result)} characters, and {MAX_LENGTH} are allowed",
            "shorten its comments, or leave its layout as it is",
        )
        raise FormulaError(findings.sorted())
    return result
