"""The table of functions, metric methods and timestamp members: types, what computes them, and a line of
reference.

The checker, the compiler and the reference read these rows; a function is added here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import calendar_members, vectors
from .value_types import DOUBLE, INTERVAL, STRING, TIMESTAMP, VECTOR, TypeSet

Implementation = Callable[..., Any]
WINDOW_EDGE = INTERVAL | TIMESTAMP


@dataclass(frozen=True, slots=True)
class ListFunction:
    """Takes doubles and vectors in any number, joined to one vector."""

    name: str
    result: TypeSet
    compute: Implementation
    doc: str
    #: The form for exactly one double, which gives a double; only for functions that work per element.
    scalar: Implementation | None = None


@dataclass(frozen=True, slots=True)
class FixedFunction:
    """Takes arguments of fixed types; `required` of them at least."""

    name: str
    parameters: tuple[TypeSet, ...]
    required: int
    result: TypeSet
    doc: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a metric, with its overloads. `parameters` by overload, `result` of all."""

    name: str
    overloads: tuple[tuple[TypeSet, ...], ...]
    result: TypeSet
    doc: str


@dataclass(frozen=True, slots=True)
class TimestampMember:
    """Either `template`, Python for a float of seconds {a}, or a function of it."""

    name: str
    how: str | Implementation
    doc: str


def _per_element(name: str, function: Callable[[float], float], doc: str) -> ListFunction:
    return ListFunction(name, VECTOR, vectors.each(function), doc, scalar=function)


LIST_FUNCTIONS: Mapping[str, ListFunction] = {
    function.name: function
    for function in (
        ListFunction("avg", DOUBLE, vectors.mean, "mean; NaN of nothing"),
        ListFunction("len", DOUBLE, vectors.length, "number of elements"),
        ListFunction("max", DOUBLE, vectors.largest, "largest element, leaving out NaN; an error of nothing"),
        ListFunction("min", DOUBLE, vectors.smallest, "smallest element, leaving out NaN; an error of nothing"),
        ListFunction("norm", DOUBLE, vectors.norm, "Euclidean norm"),
        ListFunction("range", DOUBLE, vectors.spread, "largest minus smallest element; an error of nothing"),
        ListFunction("std", DOUBLE, vectors.standard_deviation, "standard deviation of a sample (n - 1)"),
        ListFunction("sum", DOUBLE, vectors.total, "sum; 0 of nothing"),
        ListFunction("vec", VECTOR, list, "the elements joined to one vector"),
        _per_element("lg", vectors.logarithm(math.log2), "logarithm to base 2"),
        _per_element("ln", vectors.logarithm(math.log), "natural logarithm"),
        _per_element("log", vectors.logarithm(math.log10), "logarithm to base 10"),
        _per_element("ceil", vectors.rounding(math.ceil), "rounded up"),
        _per_element("floor", vectors.rounding(math.floor), "rounded down"),
        _per_element(
            "round", vectors.rounding(vectors.half_away_from_zero), "rounded, halves away from zero"
        ),
    )
}

FIXED_FUNCTIONS: Mapping[str, FixedFunction] = {
    function.name: function
    for function in (
        FixedFunction(
            "percentile", (VECTOR, DOUBLE), 2, DOUBLE, "element at a percentage 0..100, nearest rank"
        ),
        FixedFunction("rand", (), 0, DOUBLE, "a random number, 0 <= x < 1"),
        FixedFunction("stop", (), 0, 0, "ends the evaluation; what was assigned so far counts"),
        FixedFunction("time", (STRING,), 0, TIMESTAMP, "now, or the time written in the string; UTC"),
        FixedFunction("val", (VECTOR, DOUBLE), 2, DOUBLE, "element at an index from 0"),
    )
}

FUNCTION_NAMES: tuple[str, ...] = tuple(sorted((*LIST_FUNCTIONS, *FIXED_FUNCTIONS)))

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "GetSample",
            (
                (DOUBLE,),
                (WINDOW_EDGE,),
                (WINDOW_EDGE, DOUBLE),
                (WINDOW_EDGE, WINDOW_EDGE),
                (WINDOW_EDGE, WINDOW_EDGE, DOUBLE),
            ),
            VECTOR,
            "samples, newest first: the newest `count`, or a window with at least `percent` (70) present",
        ),
        Method(
            "GetSamplePercent",
            ((WINDOW_EDGE,), (WINDOW_EDGE, WINDOW_EDGE)),
            DOUBLE,
            "samples present of those possible in a window, 0..100",
        ),
        Method("GetSamplePeriod", ((),), INTERVAL, "time between two samples"),
        Method("Count", ((),), DOUBLE, "samples in the history"),
        Method("HistoryBeginTime", ((),), TIMESTAMP, "time of the oldest sample"),
    )
}

MEMBERS: Mapping[str, TimestampMember] = {
    member.name: member
    for member in (
        TimestampMember("year", calendar_members.year, "year"),
        TimestampMember("month", calendar_members.month, "month, 1 to 12"),
        TimestampMember("day", calendar_members.day, "day of the month, from 1"),
        # The epoch was a Thursday, and .NET counts Sunday as 0.
        TimestampMember(
            "weekday", "(({a} // 86400.0 + 4.0) % 7.0)", "day of the week: 1 is Monday, 0 is Sunday"
        ),
        TimestampMember("hour", "({a} % 86400.0 // 3600.0)", "hour, 0 to 23"),
        TimestampMember("minute", "({a} % 3600.0 // 60.0)", "minute, 0 to 59"),
        TimestampMember("second", "({a} % 60.0 // 1.0)", "second, 0 to 59"),
    )
}
