"""The values of expectations: reading them, and comparing what a formula computed with them."""

from __future__ import annotations

import operator as python
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any, cast

from ..evaluation import format_value
from ..timestamps import parse_time
from ..value_types import NAMES, TimeInterval, Timestamp, Value, type_of
from .durations import DURATION, parse_duration

_TIME = re.compile(r"\d{4}-\d{2}", re.ASCII)
_CLOCK = re.compile(r"-?(?:(\d+)\.)?(\d{2}):(\d{2}):(\d{2}(?:\.\d+)?)", re.ASCII)
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": python.lt,
    "<=": python.le,
    ">": python.gt,
    ">=": python.ge,
}


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a number may be off: absolute, or a part of the expected one."""

    amount: float = 0.0
    relative: bool = False

    def allows(self, actual: float, expected: float) -> bool:
        if actual != actual or expected != expected:
            return actual != actual and expected != expected
        room = self.amount * abs(expected) if self.relative else self.amount
        return isclose(actual, expected, rel_tol=1e-9, abs_tol=max(room, 1e-12))


def read_value(text: str) -> Value:
    """A number, a vector `[1, 2]`, a time, an interval (`90s`, `00:01:30`), or else text, with or without quotes.

    Raises ValueError with the cure.
    """
    if text.startswith("["):
        try:
            return _vector(text)
        except ValueError:
            raise ValueError(f"{text!r} is no vector; write it like [1, 2.5]") from None
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            raise ValueError(f"{text}: the closing quote is missing")
        return text[1:-1]
    if _TIME.match(text):
        return Timestamp(parse_time(text))
    if clock := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        length = days * 86400 + hours * 3600 + minutes * 60 + seconds
        return TimeInterval(-length if text.startswith("-") else length)
    if DURATION.fullmatch(text):
        return TimeInterval(parse_duration(text))
    try:
        return float(text)
    except ValueError:
        return text


def _vector(text: str) -> tuple[float, ...]:
    if not text.endswith("]"):
        raise ValueError(text)
    inner = text[1:-1].strip()
    return tuple(float(element) for element in inner.split(",")) if inner else ()


def holds(actual: Value, operator: str, expected: Value, tolerance: Tolerance) -> bool:
    """Whether the comparison holds. Raises ValueError if the values cannot be compared so."""
    kind, wanted = type_of(actual), type_of(expected)
    if kind != wanted:
        raise ValueError(f"it is a {NAMES[kind]}, and {format_value(expected)} is a {NAMES[wanted]}")
    if operator in _ORDER:
        if not isinstance(actual, float | int) or not isinstance(expected, float | int):
            raise ValueError(f"a {NAMES[kind]} can only be compared with == and !=")
        # What is equal within the tolerance is also as good as less and more.
        near = tolerance.allows(actual, expected)
        return _ORDER[operator](actual, expected) if not near else "=" in operator
    return _equal(actual, expected, tolerance) == (operator == "==")


def _equal(actual: Value, expected: Value, tolerance: Tolerance) -> bool:
    if isinstance(actual, str):
        return actual == expected
    if isinstance(actual, float | int):
        return tolerance.allows(actual, cast(float, expected))
    one, other = actual, cast("Sequence[float]", expected)
    return len(one) == len(other) and all(map(tolerance.allows, one, other))
