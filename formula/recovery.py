"""Parsing a text with syntax errors: statement by statement, so that one error does not hide the next.

The text is cut at `;` (which stands only between statements, outside strings and comments), each piece is
parsed alone, and where a piece fails, `syntax_faults` says why. A missing `;` is seen for what it is, and the
parse goes on behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .diagnostics import DiagnosticList
from .foreign_text import without_foreign_text
from .shift_reduce import UnexpectedText
from .syntax import MAX_DEPTH, Statement, Unparsed
from .syntax_faults import explain, first_character
from .tree_builder import NestedTooDeep

# What must not be searched for a `;`, and the `;` itself.
_CUT = re.compile(r'"[^"\r\n]*"|//[^\r\n]*|;')
_ASSIGNED = re.compile(r"(\$?[A-Za-z_]\w*)\s*=(?!=)", re.ASCII)
_ASSIGNED_LINE = re.compile(r"(?<=\n)[ \t]*" + _ASSIGNED.pattern, re.ASCII)
# Enough for people; hostile text must not cost a parse per character.
_MOST_FAULTS = 50


def parse_piecewise(text: str, findings: DiagnosticList) -> tuple[Statement, ...]:
    """Every statement of the text, with an `Unparsed` for each that has a syntax error."""
    text = without_foreign_text(text, findings, _MOST_FAULTS)
    statements: list[Statement] = []
    for start, end in _pieces(text):
        position: int | None = start
        while position is not None and len(findings) < _MOST_FAULTS:
            parsed, position = _parse_piece(text, position, end, findings)
            statements.extend(parsed)
    return tuple(statements)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _CUT.finditer(text):
        if match.group() == ";":
            yield start, match.start()
            start = match.end()
    yield start, len(text)


def _parse_piece(
    text: str, start: int, end: int, findings: DiagnosticList
) -> tuple[tuple[Statement, ...], int | None]:
    """Parse text[start:end]; the second value is where to go on in this piece, None at its end."""
    from .parser import parse_statements

    try:
        return parse_statements(text, start, end), None
    except NestedTooDeep as too_deep:
        findings.add(
            "F102",
            too_deep.start,
            too_deep.end,
            f"nested more than {MAX_DEPTH} deep",
            "compute parts of it in variables of their own",
        )
        return (_unparsed(text, start, end),), None
    except UnexpectedText as unexpected:
        fault = explain(text, start, end, unexpected.place)
    findings.add(fault.code, fault.start, fault.end, fault.message, fault.hint, fault.edits)
    if fault.resume is None:
        # A line that begins as an assignment is a statement, even if the broken one before it lacks its `;` too.
        line = _ASSIGNED_LINE.search(text, fault.end, end)
        if line is None:
            return (_unparsed(text, start, end),), None
        return (_unparsed(text, start, line.start()),), line.start()
    try:
        # The part before a missing `;` is a statement of its own, one that breaks off is not.
        return parse_statements(text, start, fault.resume), fault.resume
    except (UnexpectedText, NestedTooDeep):
        return (_unparsed(text, start, fault.resume),), fault.resume


def _unparsed(text: str, start: int, end: int) -> Unparsed:
    match = _ASSIGNED.match(text, first_character(text, start, end), end)
    return Unparsed(match.group(1) if match else None, start, end)
