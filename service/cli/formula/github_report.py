"""Findings as GitHub Actions shows them beside the lines: workflow commands.

Source: "Workflow commands for GitHub Actions" of the GitHub documentation; the escapes are those of its toolkit.
"""

from __future__ import annotations

from collections.abc import Iterator

from .finding import Finding, Outcome

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def github_report(outcome: Outcome) -> Iterator[str]:
    for finding in outcome.findings():
        yield _command(finding, outcome.fails(finding))
    for problem in outcome.problems:
        yield f"::error file={_property(problem.name)}::{_data(problem.message)}"


def _command(finding: Finding, fails: bool) -> str:
    properties = {"file": finding.file, "line": finding.line, "endLine": finding.end_line, "title": finding.code}
    if finding.line == finding.end_line:  # columns are for findings within one line
        properties |= {"col": finding.column, "endColumn": finding.end_column}
    order = ("file", "line", "col", "endLine", "endColumn", "title")
    listed = ",".join(f"{name}={_property(str(properties[name]))}" for name in order if name in properties)
    text = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    return f"::{'error' if fails else _COMMANDS[finding.severity]} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
