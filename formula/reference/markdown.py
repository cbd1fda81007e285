"""The reference as Markdown: what docs/formula.md and docs/formula-findings.md hold."""

from __future__ import annotations

from collections.abc import Iterator

from .entries import entries
from .entry import HEADINGS, Entry, Kind


def names_as_markdown() -> str:
    """Names and operators, by kind."""
    return "\n".join(_section(kind) for kind in HEADINGS if kind != "finding").rstrip("\n") + "\n"


def findings_as_markdown() -> str:
    """Every kind of finding, with what goes wrong and how to mend it."""
    findings = [entry for entry in entries().values() if entry.kind == "finding"]
    lines = ["| code | severity | finding |", "|---|---|---|"]
    lines += [
        f"| [{each.name}](#{each.name.lower()}) | {each.severity} | {_cell(each.summary)} |" for each in findings
    ]
    return "\n".join(lines) + "\n\n" + "\n".join(_finding(each) for each in findings).rstrip("\n") + "\n"


def _section(kind: Kind) -> str:
    rows = [entry for entry in entries().values() if entry.kind == kind]
    lines = [f"### {HEADINGS[kind]}", ""]
    if any(row.signatures for row in rows if kind not in ("target", "constant")):
        for row in rows:
            lines += [*_described(row), ""]
    else:
        lines += ["| name | meaning |", "|---|---|"]
        lines += [f"| `{_cell(row.name)}` | {_cell(_whole(row) + _in_a_row(row))} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def _described(row: Entry) -> Iterator[str]:
    yield f"#### `{row.name}`"
    yield ""
    yield from ("```text", *row.signatures, "```", "")
    yield _whole(row)
    if row.examples:
        yield ""
        yield "| example | value |"
        yield "|---|---|"
        for each in row.examples:
            yield f"| `{_cell(each.expression)}` | `{_cell(each.value)}` |"


def _in_a_row(row: Entry) -> str:
    """The examples as a sentence, where there is no room for a table."""
    each = ", ".join(f"`{example.expression}` is {example.value}" for example in row.examples)
    return f" {each}." if each else ""


def _finding(entry: Entry) -> str:
    lines = [f"## {entry.name}", "", f"**{entry.summary}** ({entry.severity})", ""]
    if entry.notes:
        lines += [entry.notes, ""]
    for word, formula in (("Wrong", entry.wrong), ("Right", entry.right)):
        if formula:
            lines += [f"{word}:", "", "```text", *formula.strip("\n").split("\n"), "```", ""]
    return "\n".join(lines)


def _whole(row: Entry) -> str:
    """The summary and the notes as sentences."""
    return f"{row.sentence} {row.notes}" if row.notes else row.sentence


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
