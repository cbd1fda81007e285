"""The figures of the compared formulas as a table of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from .outcome import Outcome
from .report.figures_table import BOUNDS, figure_groups

#: Between two columns.
_GAP = "  "
#: Where there is too little room, names are broken into parts so wide, or as wide as what stands below them.
_NARROW = 10


@dataclass(frozen=True, slots=True)
class _Column:
    """`head`: lines from the top; `cells`: a text for each row."""

    head: Sequence[str]
    cells: Sequence[str]

    @property
    def width(self) -> int:
        return max(map(len, (*self.head, *self.cells)))


def figures_text(outcome: Outcome, width: int) -> Iterator[str]:
    """A line for each figure, a column for each formula, then the bounds; numbers stand to the right. Where that is
    wider than `width` characters, names are broken; where that is not enough, there are several tables."""
    labels, formulas, bounds = _columns(outcome)
    if _wide(labels, [*formulas, *bounds]) > width:
        formulas, bounds = ([_narrowed(column) for column in columns] for columns in (formulas, bounds))
    tables = [[*formulas, *bounds]]
    if _wide(labels, tables[0]) > width:
        tables = [*_fitting(labels, formulas, width), *_fitting(labels, bounds, width)]
    for number, columns in enumerate(tables):
        if number:
            yield ""
        yield from _table(labels, columns, briefly=columns[0] in bounds)


def _columns(outcome: Outcome) -> tuple[_Column, list[_Column], list[_Column]]:
    """The names of the figures, which may be the titles of those below; the formulas; the bounds."""
    runs = [run.figures for run in outcome.runs]
    known = [(f"[{name}]", getattr(outcome.bounds, field, None)) for field, name, _ in BOUNDS]
    given = [(name, bound) for name, bound in known if bound is not None]
    labels: list[str] = []
    rows: list[list[str]] = []
    for title, group in figure_groups(outcome):
        labels.append(title)
        rows.append([""] * (len(runs) + len(given)))
        for row in group:
            labels.append(f"  {row.name}")
            told = ["" if row.bound is None else row.bound(bound) for _, bound in given]
            rows.append([*map(row.told, runs), *told])
    names = [*(figures.formula for figures in runs), *(name for name, _ in given)]
    columns = [_Column([name], cells) for name, cells in zip(names, zip(*rows, strict=True), strict=True)]
    return _Column([""], labels), columns[: len(runs)], columns[len(runs) :]


def _narrowed(column: _Column) -> _Column:
    room = max(_NARROW, *map(len, column.cells))
    return _Column(wrap(column.head[0], room) or [""], column.cells)


def _wide(labels: _Column, columns: Sequence[_Column]) -> int:
    return labels.width + sum(len(_GAP) + column.width for column in columns)


def _fitting(labels: _Column, columns: Sequence[_Column], width: int) -> Iterator[list[_Column]]:
    """As many to a table as there is room for, one at least."""
    table: list[_Column] = []
    for column in columns:
        if table and _wide(labels, [*table, column]) > width:
            yield table
            table = []
        table.append(column)
    if table:
        yield table


def _table(labels: _Column, columns: Sequence[_Column], briefly: bool) -> Iterator[str]:
    """`briefly`: without the rows that tell nothing."""
    tall = max(len(column.head) for column in columns)
    heads = [[*[""] * (tall - len(column.head)), *column.head] for column in columns]
    for cells in zip(*heads, strict=True):
        yield _line("", cells, labels, columns)
    rows = zip(labels.cells, zip(*(column.cells for column in columns), strict=True), strict=True)
    title: str | None = None
    for label, cells in rows:
        if not briefly:
            yield _line(label, cells, labels, columns)
        elif not label.startswith(" "):
            title = label
        elif any(cells):
            if title is not None:
                yield title
            title = None
            yield _line(label, cells, labels, columns)


def _line(label: str, cells: Sequence[str], labels: _Column, columns: Sequence[_Column]) -> str:
    told = (cell.rjust(column.width) for cell, column in zip(cells, columns, strict=True))
    return _GAP.join((label.ljust(labels.width), *told)).rstrip()
