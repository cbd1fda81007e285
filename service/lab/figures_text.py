"""The figures of the compared formulas as a table of text."""

from __future__ import annotations

from collections.abc import Iterator

from .outcome import Outcome
from .report.figures_table import BOUNDS, figure_groups


def figures_text(outcome: Outcome) -> Iterator[str]:
    """A line for each figure, a column for each formula, then the bounds; numbers stand to the right."""
    runs = [run.figures for run in outcome.runs]
    known = [(name, getattr(outcome.bounds, field, None)) for field, name, _ in BOUNDS]
    bounds = [(name, bound) for name, bound in known if bound is not None]
    rows = [("", *(figures.formula for figures in runs), *(f"[{name}]" for name, _ in bounds))]
    for title, group in figure_groups(outcome):
        rows.append((title, *[""] * (len(runs) + len(bounds))))
        for row in group:
            told = ["" if row.bound is None else row.bound(bound) for _, bound in bounds]
            rows.append((f"  {row.name}", *map(row.told, runs), *told))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for name, *told_ones in rows:
        cells = (cell.rjust(width) for cell, width in zip(told_ones, widths[1:], strict=True))
        yield "  ".join((name.ljust(widths[0]), *cells)).rstrip()
