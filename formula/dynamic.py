"""Operations on values whose kind is only known at run time, after a `?:` with branches of different types.

The checker saw to it that every kind that can arrive has a row in the table of operators.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from typing import Any, cast

from .faults import Fault
from .operators import OPERATORS
from .value_types import DOUBLE, INTERVAL, TIMESTAMP, VECTOR, TimeInterval, Timestamp, Value, type_of
from .vectors import ARITHMETIC, DIVISION_BY_ZERO, Vector, elementwise

_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    **ARITHMETIC,
    "<": python.lt,
    "<=": python.le,
    "==": python.eq,
    ">=": python.ge,
    ">": python.gt,
    "!=": python.ne,
}


def binary(symbol: str, left: Value, right: Value, at: int) -> Value:
    row = OPERATORS[symbol, type_of(left), type_of(right)]
    if row.result == VECTOR:
        return elementwise(symbol, cast("float | Vector", left), cast("float | Vector", right), at)
    try:
        result = _PLAIN[symbol](left, right)
    except ZeroDivisionError:
        raise Fault(DIVISION_BY_ZERO, at) from None
    if row.result == TIMESTAMP:
        return Timestamp(result)
    if row.result == INTERVAL:
        return TimeInterval(result)
    return cast(float, result)


def negate(value: float) -> float:
    return TimeInterval(-value) if isinstance(value, TimeInterval) else -value


def look_back(edge: float, now: float) -> float:
    """A window edge as seconds before now."""
    return now - edge if isinstance(edge, Timestamp) else edge


def per_element(
    scalar: Callable[[float], float], vector: Callable[[Vector], list[float]]
) -> Callable[[float | Vector], float | list[float]]:
    """The function for an argument that is a double or a vector."""

    def either(value: float | Vector) -> float | list[float]:
        if type_of(cast(Value, value)) == DOUBLE:
            return scalar(cast(float, value))
        return vector(cast(Vector, value))

    return either
