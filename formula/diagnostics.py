"""What is wrong with a formula, for people and for machines.

Codes are stable: F1xx syntax and size, F2xx names, F3xx types and arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .source import Source

Severity = Literal["error", "warning", "info"]

#: Every code: its severity and what it stands for.
CODES: Mapping[str, tuple[Severity, str]] = {
    "F100": ("error", "the formula is too long"),
    "F101": ("error", "the formula has too many statements"),
    "F102": ("error", "nested too deeply"),
    "F103": ("error", "the number is too large"),
    "F104": ("error", "unexpected text"),
    "F105": ("error", "a `;` is missing between two statements"),
    "F106": ("error", "invalid character"),
    "F107": ("error", "`#` does not start a comment"),
    "F108": ("error", "`/* */` is not a comment"),
    "F109": ("error", "strings need double quotes"),
    "F110": ("error", "a quote is escaped"),
    "F111": ("error", "a template placeholder is left in the text"),
    "F112": ("error", "the string is not closed"),
    "F113": ("error", "a parenthesis is not closed"),
    "F114": ("error", "no such operator"),
    "F115": ("error", "there are no vector literals"),
    "F116": ("error", "not a decimal number"),
    "F117": ("error", "the formula ends in the middle of an expression"),
    "F201": ("error", "undefined variable"),
    "F202": ("error", "unknown function"),
    "F203": ("error", "unknown method"),
    "F204": ("error", "unknown member"),
    "F205": ("error", "no such service variable"),
    "F206": ("error", "assignment to something read-only"),
    "F207": ("warning", "differs from a service variable only in upper and lower case"),
    "F301": ("error", "the operator does not take these types"),
    "F302": ("error", "the condition is not a number"),
    "F303": ("error", "an argument has the wrong type"),
    "F304": ("error", "wrong number of arguments"),
    "F305": ("error", "a target must be a number"),
    "F306": ("error", "not a node deallocation option"),
    "F307": ("error", "a node deallocation option in the wrong place"),
    "F308": ("error", "methods belong to metrics"),
    "F309": ("error", "not a date and time"),
    "F310": ("warning", "a metric used as a number"),
    "F311": ("error", "members belong to timestamps"),
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `start` and `end` are offsets into the text; line and column count from 1."""

    code: str
    message: str
    hint: str | None
    start: int
    end: int
    source: Source = field(repr=False, compare=False)

    @property
    def severity(self) -> Severity:
        return CODES[self.code][0]

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    def render(self, file: str = "formula") -> str:
        """The finding for people: place, message, the line with carets, and the cure."""
        lines = [
            f"{file}:{self.line}:{self.column}: {self.severity} {self.code}: {self.message}",
            self.source.excerpt(self.start, self.end),
        ]
        if self.hint:
            lines.append(f" = {self.hint}")
        return "\n".join(lines)

    def to_json(self, file: str) -> dict[str, str | int | None]:
        """One element of what `ebbtide formula check --json` prints."""
        line, column = self.source.position(self.start)
        end_line, end_column = self.source.position(max(self.end, self.start))
        return {
            "file": file,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "line": line,
            "column": column,
            "endLine": end_line,
            "endColumn": end_column,
        }


class DiagnosticList:
    """Collects the findings of the passes, in the order of the text and each only once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._items: dict[tuple[str, int, int], Diagnostic] = {}

    def add(self, code: str, start: int, end: int, message: str, hint: str | None = None) -> None:
        self._items.setdefault((code, start, end), Diagnostic(code, message, hint, start, end, self.source))

    def __len__(self) -> int:
        return len(self._items)

    def sorted(self) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._items.values(), key=lambda found: (found.start, found.end, found.code)))


class FormulaError(ValueError):
    """The text is not a formula: a syntax error, or over the size limits. Holds every diagnostic.

    `code` is the error code of the Batch REST API for it.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        too_long = any(found.code == "F100" for found in self.diagnostics)
        self.code = "AutoScaleFormulaTooLong" if too_long else "AutoScalingFormulaSyntaxError"
        super().__init__("\n".join(found.render() for found in self.diagnostics if found.is_error))
