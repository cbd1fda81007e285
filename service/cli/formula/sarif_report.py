"""Findings as SARIF 2.1.0, which code scanning services read.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .finding import CheckedDocument, CheckedFormula, Finding, Outcome
from .reading import changed

if TYPE_CHECKING:
    from formula import Code, Source

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_report(outcome: Outcome) -> str:
    codes = sorted({finding.code for finding in outcome.findings()})
    notifications = [
        {
            "level": "error",
            "message": {"text": problem.message},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(problem.name)}}}],
        }
        for problem in outcome.problems
    ]
    run = {
        "tool": {
            "driver": {"name": "ebbtide", "version": version("ebbtide"), "rules": [_rule(code) for code in codes]}
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": not outcome.problems, "toolExecutionNotifications": notifications}
        ],
        "results": [
            _result(document, formula, finding, codes.index(finding.code))
            for document in outcome.documents
            for formula in document.formulas
            for finding in formula.findings
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(name: str) -> dict[str, Any]:
    from formula import CODES
    from formula.codes import DOCUMENTS

    code = {**CODES, **DOCUMENTS}[name]
    text = code.explanation or code.title
    return {
        "id": code.code,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": text},
        "help": {"text": _help(code, text, "\n"), "markdown": _help(code, text, "\n```\n")},
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
    }


def _help(code: Code, text: str, fence: str) -> str:
    examples = [("Wrong:", code.wrong), ("Right:", code.right)]
    return "\n\n".join([text, *(f"{title}\n{fence}{formula.strip()}{fence}" for title, formula in examples if formula)])


def _result(document: CheckedDocument, checked: CheckedFormula, finding: Finding, index: int) -> dict[str, Any]:
    artifact = {"uri": _uri(finding.file)}
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
    }
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    if checked.where:
        location["logicalLocations"] = [{"fullyQualifiedName": checked.where}]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.hint}" if finding.hint else finding.message},
        "locations": [location],
    }
    replacement = _replacement(document, checked, finding)
    if replacement is not None:
        changes = [{"artifactLocation": artifact, "replacements": [replacement]}]
        result["fixes"] = [{"description": {"text": f"Mend {finding.code}"}, "artifactChanges": changes}]
    return result


def _replacement(document: CheckedDocument, checked: CheckedFormula, finding: Finding) -> dict[str, Any] | None:
    """How the document's own text changes if the finding is mended; None if that takes a person."""
    from formula import apply_fixes
    from formula.embedded import FormulaFileError

    if checked.formula is None or finding.diagnostic is None or not finding.diagnostic.edits:
        return None
    mended, _ = apply_fixes(checked.formula.text, [finding.diagnostic])
    try:
        content = changed(document.document, {checked.formula: mended})
    except FormulaFileError:
        return None
    source = document.document.reading.document
    old, new = source.text, content.removeprefix("\ufeff")
    start = _common(old, new)
    behind = _common(old[start:][::-1], new[start:][::-1])
    region = _region(source, start, len(old) - behind)
    return {"deletedRegion": region, "insertedContent": {"text": new[start : len(new) - behind]}}


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    length = min(len(one), len(other))
    return next((at for at in range(length) if one[at] != other[at]), length)


def _region(source: Source, start: int, end: int) -> dict[str, int]:
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _uri(name: str) -> str:
    """A relative path is relative to where the command runs."""
    return ("file://" if name.startswith("/") else "") + quote(name)
