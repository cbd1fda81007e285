"""What `check` found, in the places of the document, whatever format it is then told in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .reading import Document, Problem

if TYPE_CHECKING:
    from formula import Diagnostic, Severity
    from formula.embedded import FormulaText


@dataclass(frozen=True, slots=True)
class Finding:
    """Lines and columns count from 1; the end is exclusive.

    `diagnostic`: what the formula's own finding is; None if the formula could not be read.
    """

    file: str
    code: str
    severity: Severity
    message: str
    hint: str | None
    line: int
    column: int
    end_line: int
    end_column: int
    diagnostic: Diagnostic | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "line": self.line,
            "column": self.column,
            "endLine": self.end_line,
            "endColumn": self.end_column,
        }


@dataclass(frozen=True, slots=True)
class CheckedFormula:
    """`formula`: None if it could not be read. `where`: its path in the document, empty if it is the document."""

    formula: FormulaText | None
    where: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    document: Document
    formulas: tuple[CheckedFormula, ...]

    def findings(self) -> Iterator[Finding]:
        for formula in self.formulas:
            yield from formula.findings


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was checked. `strict`: warnings fail as errors do."""

    documents: Sequence[CheckedDocument]
    problems: Sequence[Problem]
    strict: bool

    def findings(self) -> Iterator[Finding]:
        for document in self.documents:
            yield from document.findings()

    def fails(self, finding: Finding) -> bool:
        return finding.severity == "error" or (self.strict and finding.severity == "warning")


def check_document(document: Document, now: float, wanted: Callable[[str], bool]) -> CheckedDocument:
    """All formulas of a document. `now`: in seconds since the epoch; `wanted`: of the code of a finding."""
    from formula.codes import DOCUMENTS
    from formula.embedded import lint_formula

    source = document.reading.document
    checked = []
    for formula in document.reading.formulas:
        found = []
        for diagnostic in lint_formula(formula, now):
            if wanted(diagnostic.code):
                start, end = formula.place(diagnostic.start), formula.place(max(diagnostic.start, diagnostic.end))
                found.append(
                    Finding(
                        document.name,
                        diagnostic.code,
                        diagnostic.severity,
                        diagnostic.message,
                        diagnostic.hint,
                        *source.position(start),
                        *source.position(end),
                        diagnostic,
                    )
                )
        checked.append((formula.place(0), CheckedFormula(formula, formula.where, tuple(found))))
    for unreadable in document.reading.unreadable:
        code, severity = "F701", DOCUMENTS["F701"].severity
        finding = Finding(
            document.name,
            code,
            severity,
            unreadable.message,
            unreadable.hint,
            *source.position(unreadable.start),
            *source.position(unreadable.end),
        )
        findings = (finding,) if wanted(code) else ()
        checked.append((unreadable.start, CheckedFormula(None, unreadable.where, findings)))
    checked.sort(key=lambda placed: placed[0])
    return CheckedDocument(document, tuple(formula for _, formula in checked))
