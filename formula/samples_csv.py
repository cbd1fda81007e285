"""Samples from CSV: a column of times and one column for each variable.

    time,$PendingTasks,CurrentDedicatedNodes
    2026-01-31T08:00:00Z,4,2
    2026-01-31T08:00:30Z,,2

The column of times is named `time` or `timestamp`, else it is the first. A time is ISO 8601 or seconds since the epoch.
The `$` of a name may be left out; an empty cell is a missing sample. Commas, semicolons or tabs part the cells. Rows
stand in the order of time, and the sampling period is the usual distance between two of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from math import isfinite, isinf, nan
from operator import lt
from typing import Any

from .samples import DEFAULT_PERIOD, PoolValues, Samples, TimeSeries
from .samples_json import seconds_since_epoch
from .spelling import did_you_mean
from .timestamps import civil, parse_time
from .variables import METRICS, TARGETS, PoolField, series_name

#: Metrics, and the targets that the pool had.
COLUMNS: Mapping[str, PoolField | None] = {
    **{name: metric.field for name, metric in METRICS.items() if not metric.series},
    **{name: target.field for name, target in TARGETS.items() if target.full_name == name},
}
_TIME_NAMES = ("time", "timestamp")
_MISSING = frozenset(("", "null", "nan", "na"))
_PART = 16_384
_PLAIN_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?Z?", re.ASCII)


@dataclass(frozen=True)
class SampleTable:
    """A recording, by columns. `times`: seconds since the epoch, rising; `columns`: by name with its `$`, NaN where
    a sample is missing."""

    times: Sequence[float]
    columns: Mapping[str, Sequence[float]]

    @property
    def period(self) -> float:
        """The usual distance between two rows in seconds; whole seconds if it is a second or more."""
        times = self.times
        if len(times) < 2:
            return DEFAULT_PERIOD
        between = sorted([times[at + 1] - times[at] for at in range(len(times) - 1)])[(len(times) - 1) // 2]
        return float(round(between)) if between >= 1 else between

    def samples(self, now: float | None = None) -> tuple[Samples, float | None]:
        """What was visible at `now` (default: the last row), and that time; None without any row."""
        if now is None and self.times:
            now = self.times[-1]
        series = {
            name: TimeSeries(
                (time, value)
                for time, value in zip(self.times, values, strict=True)
                if value == value and (now is None or time <= now)
            )
            for name, values in self.columns.items()
        }
        return Samples(self.period, series, pool_at_end(series)), now


def pool_at_end(series: Mapping[str, TimeSeries]) -> PoolValues:
    """The pool as the newest samples tell it."""
    values: dict[str, float] = {}
    for name, recorded in series.items():
        field = COLUMNS.get(name)
        if field is not None and recorded.values:
            values[field] = recorded.values[-1]
    return PoolValues(**values)


def read_table(text: str) -> SampleTable:
    """Raises ValueError that names the line and the cure."""
    lines = text.removeprefix("\ufeff").splitlines()
    head = next((number for number, line in enumerate(lines) if line.strip()), None)
    if head is None:
        raise ValueError("the file is empty; the first line names the columns: time,$PendingTasks")
    delimiter = _delimiter(lines[head])
    names, time_column = _columns(_quoted_rows(lines[head : head + 1], head + 1, delimiter)[0], head + 1)
    times: list[float] = []
    columns: dict[str, list[float]] = {name: [] for index, name in enumerate(names) if index != time_column}
    for first in range(head + 1, len(lines), _PART):
        cells, numbers = _cells(lines[first : first + _PART], first + 1, delimiter, len(names))
        times += _times(cells[time_column], numbers)
        for index, name in enumerate(names):
            if index != time_column:
                columns[name] += _values(cells[index], numbers, name)
        _check_order(times, numbers)
    return SampleTable(times, columns)


def _cells(lines: list[str], first: int, delimiter: str, width: int) -> tuple[list[list[str]], Sequence[int]]:
    """The cells by column, and the numbers of their lines, of which the first is given."""
    numbers: Sequence[int] = range(first, first + len(lines))
    joined = delimiter.join(lines)
    if set(map(str.count, lines, repeat(delimiter))) == {width - 1} and '"' not in joined:
        # Without a list for each row: a million of them would take most of the time.
        flat = joined.split(delimiter)
        return [flat[index::width] for index in range(width)], numbers
    rows = _quoted_rows(lines, first, delimiter)
    filled = [(number, row) for number, row in zip(numbers, rows, strict=False) if row]
    for number, row in filled:
        if len(row) != width:
            raise ValueError(f"line {number}: {len(row)} cells, but the first line names {width} columns")
    return [[row[index] for _, row in filled] for index in range(width)], [number for number, _ in filled]


def _quoted_rows(lines: Sequence[str], first: int, delimiter: str) -> list[list[str]]:
    """The cells of each line. Raises ValueError for quotes that do not end on their line."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if reader.line_num > len(rows) + 1:
                raise csv.Error("a line ends inside of quotes")
            rows.append(row)
    except csv.Error as reason:
        raise ValueError(f"line {first + len(rows)}: {reason}; each quote must be closed on its line") from None
    return rows


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _columns(cells: list[str], line: int) -> tuple[list[str], int]:
    """The names of the columns, and which one holds the times."""
    plain = [cell.strip() for cell in cells]
    time_column = next((index for index, name in enumerate(plain) if name.lower() in _TIME_NAMES), 0)
    names: list[str] = []
    for index, name in enumerate(plain):
        if index == time_column:
            names.append("time")
            continue
        if not name:
            raise ValueError(f"line {line}: column {index + 1} has no name; name it, or remove it")
        full = "$" + name.removeprefix("$")
        if full in METRICS:
            full = series_name(full)
        if full in TARGETS:
            full = TARGETS[full].full_name
        if full not in COLUMNS:
            hint = did_you_mean(full, COLUMNS) or "remove its column"
            raise ValueError(f"line {line}: there is no variable {name}; {hint}")
        if full in names:
            raise ValueError(f"line {line}: {full} has two columns; remove one")
        names.append(full)
    if len(names) == 1:
        raise ValueError(f"line {line}: only one column; name a column of times and the variables: time,$PendingTasks")
    return names, time_column


def _values(cells: Sequence[str], lines: Sequence[int], name: str) -> list[float]:
    try:
        values = [float(cell or "nan") for cell in cells]
    except ValueError:
        return _each(cells, lines, partial(_number, name))
    return _each(cells, lines, partial(_number, name)) if any(map(isinf, values)) else values


def _number(name: str, cell: str) -> float:
    if cell.strip().lower() in _MISSING:
        return nan
    try:
        number = float(cell)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {cell!r}; leave a missing sample empty") from None
    if not isfinite(number):
        raise ValueError(f"{name} must be finite, not {cell!r}")
    return number


def _times(cells: Sequence[str], lines: Sequence[int]) -> list[float]:
    try:
        seconds = list(map(float, cells))
        if all(map(isfinite, seconds)):
            civil(min(seconds, default=0.0))
            civil(max(seconds, default=0.0))
            return seconds
    except ValueError:
        pass
    # Short files are read before numpy would be loaded.
    if len(cells) == _PART and _PLAIN_TIME.fullmatch(cells[0]):
        try:
            return _plain_times(cells)
        except ValueError:
            # Some are written otherwise; which one is wrong, if any, shows below.
            pass
    return _each(cells, lines, _time)


def _plain_times(cells: Sequence[str]) -> list[float]:
    """Times that are all written as the first one. Raises ValueError."""
    import numpy

    texts: Any = numpy.array(cells, dtype="S")
    width, zone = len(cells[0]), cells[0][-1] == "Z"
    if texts.dtype.itemsize != width or not all(map(width.__eq__, map(len, cells))):
        raise ValueError("texts of different lengths")
    if zone:
        if set(texts.view("S1")[width - 1 :: width].tolist()) != {b"Z"}:
            raise ValueError("some have another time zone")
        texts = texts.astype(f"S{width - 1}")
    moments = texts.astype("datetime64[us]")
    seconds: list[float] = (moments.astype("int64") / 1e6).tolist()
    return seconds


def _time(cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        try:
            return parse_time(cell)
        except ValueError as reason:
            raise ValueError(f"{cell!r} is not a time: {reason}") from None
    if not isfinite(number):
        raise ValueError(f"{cell!r} is not a time: it must be finite")
    return seconds_since_epoch(number, repr(cell))


def _each(cells: Sequence[str], lines: Sequence[int], read: Callable[[str], float]) -> list[float]:
    values = []
    for cell, line in zip(cells, lines, strict=True):
        try:
            values.append(read(cell))
        except ValueError as reason:
            raise ValueError(f"line {line}: {reason}") from None
    return values


def _check_order(times: Sequence[float], lines: Sequence[int]) -> None:
    """Of the last rows, which stand in these lines, and of the one before them."""
    first = max(0, len(times) - len(lines) - 1)
    new = times[first:]
    if all(map(lt, new, new[1:])):
        return
    skipped = len(times) - len(lines)
    for at, line in enumerate(lines):
        if skipped + at and not times[skipped + at - 1] < times[skipped + at]:
            raise ValueError(f"line {line}: its time is not after that of the row before; sort the rows by time")
