"""Traces as CSV: a row for each task, with the columns `time`, `duration` and, if there is one, `slots`.

A time is in seconds since the trace's beginning (or since the epoch), or as RFC 3339 has it; a duration is in seconds
or as ISO 8601 has it. Commas, semicolons or tabs part the cells; other columns count for nothing.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator, Sequence
from math import isfinite

from ..decoding import nearest
from ..iso8601 import parse_duration, parse_instant
from .arrivals import MOST_TASKS
from .distributions import LONGEST
from .trace_file import FIRST_INSTANT, LAST_INSTANT, TracedTasks, TraceError

_NEEDED = ("time", "duration")
_KNOWN = (*_NEEDED, "slots")


def csv_tasks(data: bytes, most_slots: int) -> TracedTasks:
    """`most_slots`: those of a node. Raises TraceError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise TraceError(data.count(b"\n", 0, exc.start) + 1, "is not UTF-8; save the file as UTF-8") from None
    lines = text.splitlines(keepends=True)
    head = next((line for line in lines if line.strip()), None)
    if head is None:
        raise TraceError(0, "is empty; its first line is to name the columns: time,duration,slots")
    rows = _rows(lines, max(",;\t", key=head.count))
    first, names = next(rows)
    columns, notes = _columns(first, names)
    times, durations, slots = array("d"), array("d"), array("i")
    at_time, at_duration, at_slots = columns
    in_dates: bool | None = None
    for line, row in rows:
        if len(row) != len(names):
            raise TraceError(line, f"{len(row)} cells, and the first line names {len(names)} columns")
        time, is_date = _time(row[at_time], line)
        if in_dates is None:
            in_dates = is_date
        elif in_dates is not is_date:
            raise TraceError(line, f"{row[at_time].strip()!r}: some times are seconds, others dates; write all alike")
        times.append(time)
        durations.append(_duration(row[at_duration], line))
        slots.append(1 if at_slots is None else _slots(row[at_slots], most_slots, line))
        if len(times) > MOST_TASKS:
            raise TraceError(line, f"a workload has at most {MOST_TASKS} tasks")
    return TracedTasks(times, durations, slots, None, notes)


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Those that are not empty, with the numbers of the lines where they end."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                yield reader.line_num, row
    except csv.Error as exc:
        raise TraceError(reader.line_num, f"is no CSV: {exc}") from None


def _columns(line: int, names: Sequence[str]) -> tuple[tuple[int, int, int | None], tuple[str, ...]]:
    """Where the columns are, and a note on those that count for nothing."""
    plain = [name.strip().lower() for name in names]
    for name in _KNOWN:
        if plain.count(name) > 1:
            raise TraceError(line, f"two columns are called {name}; rename one")
    for name in _NEEDED:
        if name not in plain:
            found = nearest(name, [each for each in plain if each not in _KNOWN])
            cure = f"rename {found!r}" if found else f"there are {', '.join(map(repr, names[:20]))}"
            raise TraceError(line, f"no column is called {name!r}; {cure}")
    others = [name.strip() for name in names if name.strip().lower() not in _KNOWN]
    notes = (f"columns that count for nothing: {', '.join(others)}",) if others else ()
    return (plain.index("time"), plain.index("duration"), plain.index("slots") if "slots" in plain else None), notes


def _time(cell: str, line: int) -> tuple[float, bool]:
    """In seconds, and whether it is an Instant."""
    try:
        time = float(cell)
    except ValueError:
        time, is_date = _parsed(lambda: parse_instant(cell).timestamp(), "time", line), True
    else:
        is_date = time >= FIRST_INSTANT
    if not 0 <= time < LAST_INSTANT:
        raise TraceError(line, f"the time {cell.strip()!r} is none; it must be seconds from 0 on, or a date and time")
    return time, is_date


def _duration(cell: str, line: int) -> float:
    try:
        duration = float(cell)
    except ValueError:
        duration = _parsed(lambda: parse_duration(cell).total_seconds(), "duration", line)
    if not (isfinite(duration) and 0 < duration <= LONGEST):
        raise TraceError(line, f"the duration {cell.strip()!r} must be above 0 and at most {LONGEST:g} seconds")
    return duration


def _parsed(parse: Callable[[], float], what: str, line: int) -> float:
    try:
        return parse()
    except ValueError as exc:
        raise TraceError(line, f"the {what} {exc}; or write seconds") from None


def _slots(cell: str, most: int, line: int) -> int:
    text = cell.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        raise TraceError(line, f"the slots {text!r} must be a whole number, at least 1")
    if int(text) > most:
        raise TraceError(line, f"{text} slots, and a node has {most}; raise the world's taskSlotsPerNode")
    return int(text)
