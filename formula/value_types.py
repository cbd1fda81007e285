"""The types of the language, and their values in Python.

A type is a set of the kinds of value that an expression may have: a bit mask. Most have one bit. The branches
of a `?:` may differ, which gives two or more. No bit at all means that no value arrives here: after `stop()`,
or after an error that was reported already.

Known statically, a timestamp (seconds since the epoch, UTC) and a time interval (seconds) are plain floats, a
double is a float or a bool, a doubleVec a sequence of doubles, newest sample first. Where the kind is only
known at run time, and in results, timestamps and intervals are the float subclasses below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

TypeSet: TypeAlias = int

NOTHING: TypeSet = 0
DOUBLE: TypeSet = 1
VECTOR: TypeSet = 2
STRING: TypeSet = 4
TIMESTAMP: TypeSet = 8
INTERVAL: TypeSet = 16
OPTION: TypeSet = 32  # a node deallocation option
NUMBERS: TypeSet = DOUBLE | VECTOR

NAMES: dict[TypeSet, str] = {
    DOUBLE: "double",
    VECTOR: "doubleVec",
    STRING: "string",
    TIMESTAMP: "timestamp",
    INTERVAL: "timeinterval",
    OPTION: "node deallocation option",
}


class Timestamp(float):
    """Seconds since the epoch, UTC."""

    __slots__ = ()


class TimeInterval(float):
    """A length of time in seconds."""

    __slots__ = ()


Value: TypeAlias = float | str | Timestamp | TimeInterval | Sequence[float]


def is_single(types: TypeSet) -> bool:
    """Is exactly one kind of value possible?"""
    return types in NAMES


def members(types: TypeSet) -> Iterator[TypeSet]:
    """The single types of a set."""
    return (single for single in NAMES if types & single)


def describe(types: TypeSet) -> str:
    """The types for a message, such as `double or doubleVec`."""
    return " or ".join(NAMES[single] for single in members(types)) or "nothing"


def type_of(value: object) -> TypeSet:
    """The kind of a run-time value whose timestamps and intervals are marked."""
    if isinstance(value, Timestamp):
        return TIMESTAMP
    if isinstance(value, TimeInterval):
        return INTERVAL
    if isinstance(value, str):
        return STRING
    if isinstance(value, (float, int)):
        return DOUBLE
    return VECTOR


def marked(value: Value, types: TypeSet) -> Value:
    """The value in the form that shows its kind, given its static type."""
    if types == DOUBLE:
        return float(value)  # type: ignore[arg-type]  # a double may be a bool inside
    if types == TIMESTAMP:
        return Timestamp(value)  # type: ignore[arg-type]
    if types == INTERVAL:
        return TimeInterval(value)  # type: ignore[arg-type]
    kind = type_of(value)
    if kind == VECTOR:
        return tuple(float(element) for element in value)  # type: ignore[union-attr]
    return float(value) if kind == DOUBLE else value  # type: ignore[arg-type]
