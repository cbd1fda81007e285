"""What a benchmark found, as tables to read and as an object for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class Report:
    name: str
    lines: list[str]
    figures: dict[str, Any]
    #: the key ratios, in one line
    last: str

    def text(self) -> str:
        return "\n".join([*self.lines, f"{self.name}: {self.last}"])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, figures to the right; a row may end early: its last cell is a remark."""
    full = [head, *(row for row in rows if len(row) == len(head))]
    widths = [max(len(row[at]) for row in full) for at in range(len(head))]
    widths[0] = max(widths[0], *(len(row[0]) for row in rows))
    lines = []
    for row in (head, *rows):
        if len(row) < len(head):
            lines.append(f"  {row[0]:<{widths[0]}}  {'  '.join(row[1:])}")
            continue
        cells = [f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([f"  {row[0]:<{widths[0]}}", *cells]).rstrip())
    return lines
