"""Tables that stay readable on a narrow terminal: texts shrink, numbers are whole or not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

#: Cells that a text keeps as long as other columns can go; what is shorter is shown whole.
_LEAST = 12
#: Cells between two columns; fewer where there is no room.
_GAP, _NARROW = 2, 1


@dataclass(frozen=True, slots=True)
class Column:
    """`text`: it may be cut. `goes`: of the columns that may go where there is no room, the lowest goes first; 0: none
    of these."""

    head: str
    text: bool = False
    goes: int = 0


class Fitted:
    """A table as wide as what it is shown on."""

    def __init__(self, *columns: Column) -> None:
        self._columns = columns
        #: the first one holds the heads
        self._rows = [tuple(column.head for column in columns)]

    def add_row(self, *cells: str) -> None:
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [max(map(cell_len, cells)) for cells in zip(*self._rows, strict=True)]
        room, gap, shown = options.max_width, _GAP, list(range(len(self._columns)))
        if _width(widths, _GAP) > room:
            gap = _NARROW
            for place in sorted(shown, key=lambda place: self._columns[place].goes):
                least = [min(widths[each], _LEAST) if self._columns[each].text else widths[each] for each in shown]
                if self._columns[place].goes and _width(least, gap) > room:
                    shown.remove(place)
        table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=False)
        for place in shown:
            table.add_column(no_wrap=not self._columns[place].text)
        for number, row in enumerate(self._rows):
            style = "" if number else "bold"
            table.add_row(*(Text(row[place], style, no_wrap=True, overflow="ellipsis") for place in shown))
        yield table


def _width(columns: Sequence[int], gap: int) -> int:
    return sum(columns) + gap * (len(columns) - 1)
