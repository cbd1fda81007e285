"""Values of many runs at once, and which runs failed.

`Rows` are the numbers of the runs that an expression is computed for, None for all. A value is one for all rows, or an
array with one for each row; conditions are arrays of bool, node deallocation options numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .recording import Floats, Indices, RecordedSeries

Rows: TypeAlias = Indices | None
Flags: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = Any  # float | bool | Floats | Flags


class Unsupported(Exception):
    """Arrays cannot do it, the loop can."""


@dataclass(frozen=True, eq=False)
class Window:
    """Samples first..stop of a series for each row, newest first."""

    series: RecordedSeries
    first: Indices
    stop: Indices

    @property
    def lengths(self) -> Indices:
        return self.stop - self.first


#: A doubleVec: windows and numbers, joined.
Vector: TypeAlias = tuple[Any, ...]


def is_array(value: object) -> bool:
    return isinstance(value, np.ndarray)


def take(value: Any, at: Indices) -> Any:
    """The value of some of its rows."""
    if isinstance(value, tuple):
        return tuple(take(part, at) for part in value)
    if isinstance(value, Window):
        return Window(value.series, value.first[at], value.stop[at])
    return value[at] if is_array(value) else value


def put(value: Any, at: Indices, into: Any, size: int) -> Any:
    """`into`, a value of `size` rows, None if it is not defined, with some rows replaced by `value`."""
    if isinstance(value, tuple):
        before = (None,) * len(value) if into is None else into
        if len(before) != len(value):
            raise Unsupported("vectors made of different parts")
        return tuple(put(part, at, old, size) for part, old in zip(value, before, strict=True))
    if isinstance(value, Window):
        if into is not None and (not isinstance(into, Window) or into.series is not value.series):
            raise Unsupported("vectors made of different series")
        nothing = np.zeros(size, dtype=np.int64)
        first, stop = (into.first, into.stop) if into else (nothing, nothing)
        return Window(value.series, put(value.first, at, first, size), put(value.stop, at, stop, size))
    if isinstance(into, (tuple, Window)) or isinstance(value, str):
        raise Unsupported("values of different kinds")
    array = np.asarray(value)
    if into is None:
        result = np.zeros(size, dtype=array.dtype)
    else:
        result = np.empty(size, dtype=np.result_type(np.asarray(into).dtype, array.dtype))
        result[:] = into
    result[at] = array
    return result


def numbers(value: Numbers) -> Any:
    """A bool counts as 0 or 1."""
    if isinstance(value, np.ndarray):
        return value if value.dtype == np.float64 else value.astype(np.float64)
    return float(value)


@dataclass(eq=False)
class Failures:
    """The first failure of each run. `site` numbers what failed where (0: nothing did); together with two figures it
    decides the message."""

    count: int
    sites: dict[object, int] = field(default_factory=dict)
    site: Indices = field(init=False)
    figures: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.site = np.zeros(self.count, dtype=np.int64)
        self.figures = np.zeros((2, self.count))
        self.any = False

    def record(self, rows: Rows, failed: Flags | bool, where: object, one: Numbers = 0.0, other: Numbers = 0.0) -> None:
        """Of the rows those that `failed`, if they did not fail before."""
        if isinstance(failed, (bool, np.bool_)):
            if not failed:
                return
            failed = np.ones(self.count if rows is None else len(rows), dtype=np.bool_)
        at = np.flatnonzero(failed)
        if not len(at):
            return
        run = at if rows is None else rows[at]
        new = self.site[run] == 0
        run, at = run[new], at[new]
        self.site[run] = self.sites.setdefault(where, len(self.sites) + 1)
        self.figures[0, run] = take(one, at)
        self.figures[1, run] = take(other, at)
        self.any = True

    def without(self, rows: Rows) -> Rows:
        """The rows that did not fail."""
        if not self.any:
            return rows
        if rows is None:
            return np.flatnonzero(self.site == 0)
        left: Indices = rows[self.site[rows] == 0]
        return left

    def kinds(self) -> list[Indices]:
        """The runs that failed, in groups that have the same message."""
        runs = np.flatnonzero(self.site)
        if not len(runs):
            return []
        keys = np.vstack([self.site[runs], self.figures[:, runs].view(np.int64)])
        order = np.lexsort(keys[::-1])
        ordered = keys[:, order]
        cuts = np.flatnonzero((ordered[:, 1:] != ordered[:, :-1]).any(axis=0)) + 1
        return np.split(runs[order], cuts)


def each(function: Callable[[float], float], values: Numbers) -> Any:
    """A function of one number, that does not fail, on every row."""
    if not is_array(values):
        return function(float(values))
    return np.array([function(value) for value in numbers(values).tolist()], dtype=np.float64)
