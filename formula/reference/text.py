"""The reference as plain text, for a terminal."""

from __future__ import annotations

from textwrap import fill, indent

from .entries import entries
from .entry import HEADINGS, Entry

_WIDTH = 96
_HISTORY = " (on Monday 2026-03-02, 14:30 UTC; the newest samples of $PendingTasks are 4, 6, 2, then zeros)"


def overview() -> str:
    """Every name with its summary in one line, by kind."""
    groups = []
    for kind, heading in HEADINGS.items():
        rows = [entry for entry in entries().values() if entry.kind == kind]
        width = max(len(row.name) for row in rows) + 2
        lines = [f"  {row.name:{width}}{_tag(row)}{row.summary}" for row in rows]
        groups.append("\n".join([heading, *lines]))
    return "\n\n".join(groups)


def as_text(entry: Entry) -> str:
    """Everything about one name."""
    parts = [f"{entry.name}  ({_kind(entry)})", _wrapped(entry.sentence)]
    if entry.signatures:
        parts.insert(1, "\n".join(f"  {signature}" for signature in entry.signatures))
    if entry.notes:
        parts.append(_wrapped(entry.notes))
    if entry.examples:
        width = max(len(each.expression) for each in entry.examples) + 2
        rows = [f"    {each.expression:{width}}{each.value}" for each in entry.examples]
        history = _HISTORY if any("$" in row or "time()" in row for row in rows) else ""
        parts.append("\n".join([f"  Examples{history}:", *rows]))
    if entry.wrong:
        parts.append("  Wrong:\n" + indent(entry.wrong.strip("\n"), "    "))
    if entry.right:
        parts.append("  Right:\n" + indent(entry.right.strip("\n"), "    "))
    return "\n\n".join(parts)


def _kind(entry: Entry) -> str:
    return f"finding: {entry.severity}" if entry.kind == "finding" else entry.kind


def _tag(entry: Entry) -> str:
    return f"{entry.severity or '':9}" if entry.kind == "finding" else ""


def _wrapped(text: str) -> str:
    return fill(text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False)
