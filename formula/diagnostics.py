"""What is wrong with a formula, for people and for machines.

The kinds of findings stand in `codes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .codes import CODES, Severity
from .source import Source


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that mends a finding without a person's judgement: text[start:end] becomes `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `start` and `end` are offsets into the text; line and column count from 1.

    `edits`: how `--fix` mends it, if it can; they do not overlap.
    """

    code: str
    message: str
    hint: str | None
    start: int
    end: int
    source: Source = field(repr=False, compare=False)
    edits: tuple[Edit, ...] = field(default=(), compare=False)

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

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


class DiagnosticList:
    """Collects the findings of the passes, in the order of the text and each only once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._items: dict[tuple[str, int, int], Diagnostic] = {}

    def add(
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        hint: str | None = None,
        edits: tuple[Edit, ...] = (),
    ) -> None:
        found = Diagnostic(code, message, hint, start, end, self.source, edits)
        self._items.setdefault((code, start, end), found)

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
