"""Findings for people: the place, the message, the line with carets, the cure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ...printable import printable
from .finding import CheckedDocument, Finding, Outcome

if TYPE_CHECKING:
    from formula import Source

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
#: A longer line, such as a whole document in one, is shown around the finding only.
_WIDEST = 140

def text_report(outcome: Outcome) -> Iterator[str]:
    """Lines, with colours that `click.echo` takes away where they do not belong."""
    for document in outcome.documents:
        for finding in document.findings():
            yield from _finding_lines(document, finding)


def summary(outcome: Outcome) -> str:
    """`3 files, 1 error, 2 warnings`."""
    severities: list[str] = [finding.severity for finding in outcome.findings()]
    parts = [_count(len(outcome.documents), "file")]
    parts += [
        _count(number, word)
        for severity, word in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if (number := severities.count(severity))
    ]
    if outcome.problems:
        parts.append(f"{len(outcome.problems)} not usable")
    return ", ".join(parts) if len(parts) > 1 else f"{parts[0]}, no faults"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _finding_lines(document: CheckedDocument, finding: Finding) -> Iterator[str]:
    place = click.style(f"{printable(finding.file)}:{finding.line}:{finding.column}:", bold=True)
    kind = click.style(f"{finding.severity} {finding.code}:", fg=_COLOURS[finding.severity], bold=True)
    yield f"{place} {kind} {printable(finding.message)}"
    line, carets = _excerpt(document.document.reading.document, finding)
    yield f" | {line}"
    yield f" | {click.style(carets, fg=_COLOURS[finding.severity])}"
    if finding.hint:
        yield f" = {printable(finding.hint)}"


def _excerpt(source: Source, finding: Finding) -> tuple[str, str]:
    """The line, or a part of it, and the carets under it."""
    line = source.line(finding.line)
    first = finding.column - 1
    width = (finding.end_column if finding.end_line == finding.line else len(line) + 1) - finding.column
    begin = 0
    before = after = ""
    if len(line) > _WIDEST:
        begin = max(0, first - _WIDEST // 3)
        before = "…" if begin else ""
        after = "…" if begin + _WIDEST < len(line) else ""
    shown = before + line[begin : begin + _WIDEST] + after
    at = first - begin + len(before)
    # A tab stays a tab, so that the carets stand right whatever width the terminal gives it.
    lead = "".join("\t" if character == "\t" else " " for character in shown[:at])
    return printable(shown), lead + "^" * max(1, min(width, len(shown) - at))
