"""The faults of a formula that stands in a workload file, at their places in that file."""

from __future__ import annotations

from formula import Diagnostic, check

from .cursor import Cursor
from .positions import Scalar
from .problems import Place, Problems


def check_formula(value: Cursor, lines: list[str], problems: Problems) -> None:
    """`lines` are those of the file."""
    scalar = value.tree
    if not isinstance(scalar, Scalar):
        return
    for found in check(scalar.text):
        place = _place(scalar, found, lines)
        text = f"{found.code}: {found.message}"
        if place is None:
            place = scalar.place
            text = f"line {found.line}, column {found.column} of the formula: {text}"
        if not found.is_error:
            problems.warn(place, value.path, text + (f"; {found.hint}" if found.hint else ""))
            continue
        excerpt = found.source.excerpt(found.start, found.end)
        problems.error(place, value.path, text, excerpt + (f"\n = {found.hint}" if found.hint else ""))


def _place(scalar: Scalar, found: Diagnostic, lines: list[str]) -> Place | None:
    """Where a fault stands in the file; None if the file writes the formula in another way than it reads."""
    if scalar.style == "|":
        number = scalar.place.line + found.line
        wanted = found.source.line(found.line)
    else:
        number = scalar.place.line
        wanted = scalar.text
    line = lines[number - 1] if number <= len(lines) else ""
    if not wanted:
        return Place(number, 1)
    at = len(line) - len(wanted) if scalar.style == "|" else line.find(wanted, scalar.place.column - 1)
    if at < 0 or line[at : at + len(wanted)] != wanted or (scalar.style != "|" and found.line > 1):
        return None
    return Place(number, at + found.column)
