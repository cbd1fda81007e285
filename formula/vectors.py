"""Arithmetic and reductions of vectors: what the functions of the language compute. Pure.

Every reduction takes one flat sequence of doubles. Sums are correctly rounded, so that the order of the
samples, and whether they are added one by one or taken from running totals, cannot change a decision.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

from .faults import Fault

Vector = Sequence[float]
NAN = math.nan
DIVISION_BY_ZERO = "division by zero"
#: A formula that joins a vector with itself over and over must not fill the memory.
MAX_LENGTH = 100_000


def flat(*parts: float | Vector) -> list[float]:
    """Doubles and vectors joined to one vector."""
    joined: list[float] = []
    for part in parts:
        if isinstance(part, (float, int)):
            joined.append(part)
        else:
            joined.extend(part)
            if len(joined) > MAX_LENGTH:
                raise Fault(f"a vector of more than {MAX_LENGTH} elements")
    return joined


def total(values: Vector) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        # A sum, or a part of it, is out of range. That of much smaller values is not, in whatever order.
        return total([value * 2.0**-64 for value in values]) * 2.0**64
    except ValueError:
        return NAN  # Infinities of both signs.


def mean(values: Vector) -> float:
    return total(values) / len(values) if values else NAN


def length(values: Vector) -> float:
    return float(len(values))


def largest(values: Vector) -> float:
    """The largest value; NaN counts only if there is nothing else: `max(0, NaN)` guards against no data."""
    if not values:
        raise Fault("max of no values")
    return max((value for value in values if value == value), default=NAN)


def smallest(values: Vector) -> float:
    """The smallest value; NaN counts only if there is nothing else."""
    if not values:
        raise Fault("min of no values")
    return min((value for value in values if value == value), default=NAN)


def spread(values: Vector) -> float:
    if not values:
        raise Fault("range of no values")
    return largest(values) - smallest(values)


def norm(values: Vector) -> float:
    """The Euclidean norm."""
    return math.hypot(*values)


def standard_deviation(values: Vector) -> float:
    """Of a sample (n - 1); NaN for fewer than two values."""
    if len(values) < 2:
        return NAN
    middle = mean(values)
    return math.sqrt(total([(value - middle) * (value - middle) for value in values]) / (len(values) - 1))


def percentile(values: Vector, percent: float) -> float:
    """The nearest-rank percentile, an element of the vector; percent in 0..100."""
    if not 0 <= percent <= 100:
        raise Fault(f"percentile takes a percentage from 0 to 100, not {percent:g}")
    if not values:
        raise Fault("percentile of no values")
    ranked = sorted(value for value in values if value == value)
    if not ranked:
        return NAN
    return ranked[max(0, math.ceil(percent * len(ranked) / 100) - 1)]


def element(values: Vector, index: float) -> float:
    """The element at a zero-based index, whose fraction is cut off.

    The first element of an empty vector is NaN: on a new pool `val($m.GetSample(1), 0)` does not fail.
    """
    if not values and -1 < index < 1:
        return NAN
    if not -1 < index < len(values):
        raise Fault(f"val: there is no element {index:g}, the vector has {len(values)}")
    return values[int(index)]


def logarithm(base: Callable[[float], float]) -> Callable[[float], float]:
    """A logarithm that answers as IEEE arithmetic does where Python's raises."""

    def scalar(value: float) -> float:
        if value > 0:
            return base(value)
        return -math.inf if value == 0 else NAN

    return scalar


def rounding(function: Callable[[float], float]) -> Callable[[float], float]:
    """A rounding that leaves NaN and infinities alone, which Python's refuse."""

    def scalar(value: float) -> float:
        return float(function(value)) if math.isfinite(value) else value

    return scalar


def half_away_from_zero(value: float) -> float:
    whole = math.floor(abs(value))
    return math.copysign(whole + (abs(value) - whole >= 0.5), value)


def each(scalar: Callable[[float], float]) -> Callable[[Vector], list[float]]:
    """The function on every element."""
    return lambda values: [scalar(value) for value in values]


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def elementwise(symbol: str, left: float | Vector, right: float | Vector, at: int) -> list[float]:
    """`left symbol right` per element; a double, and a vector of one element, goes with every element.

    Raises Fault at the offset `at` for vectors of unequal length and for a division by zero.
    """
    try:
        return _elementwise(symbol, left, right, at)
    except ZeroDivisionError:
        raise Fault(DIVISION_BY_ZERO, at) from None


def _elementwise(symbol: str, left: float | Vector, right: float | Vector, at: int) -> list[float]:
    scalar = ARITHMETIC[symbol]
    first = [left] if isinstance(left, (float, int)) else left
    second = [right] if isinstance(right, (float, int)) else right
    if len(first) == len(second):
        return [scalar(a, b) for a, b in zip(first, second, strict=True)]
    if len(second) == 1:
        b = second[0]
        return [scalar(a, b) for a in first]
    if len(first) == 1:
        a = first[0]
        return [scalar(a, b) for b in second]
    raise Fault(f"`{symbol}` of vectors of unequal length, {len(first)} and {len(second)}", at)
