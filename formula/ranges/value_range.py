"""What an expression can be: an interval of numbers, whether NaN, whether surely whole, and how many elements.

A number is a vector of exactly one element, so that one kind of range serves numbers, times and vectors. Bounds belong
to the range. They are computed with the operations that the formula itself uses, whose rounding is monotone; only sums,
which round otherwise, are widened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf, isfinite, nextafter

#: Samples, node counts and lengths are taken to be no larger than this. It is finite, so that the difference of two
#: samples is a number, and far from everything that a formula would write as a bound.
LARGEST = 1e60
#: A bound above this came from LARGEST: it is no bound.
BOUNDLESS = 1e30


@dataclass(frozen=True, slots=True)
class Range:
    """`low` <= every element <= `high`, or NaN if `nan`; no fraction if `whole`; `shortest` to `longest` elements."""

    low: float
    high: float
    nan: bool = False
    whole: bool = False
    shortest: float = 1.0
    longest: float = 1.0

    @property
    def impossible(self) -> bool:
        """Is there no value at all, because the evaluation never gets here or fails?"""
        return (self.low > self.high and not self.nan and self.shortest > 0) or self.shortest > self.longest

    @property
    def finite(self) -> bool:
        return not self.nan and isfinite(self.low) and isfinite(self.high)

    @property
    def constant(self) -> float | None:
        """The value of a number that has only one."""
        return self.low if self.low == self.high and not self.nan and self.longest == 1 else None

    @property
    def truth(self) -> bool | None:
        """As a condition: surely true, surely false, or None."""
        if self.low == self.high == 0:
            return False
        return True if self.low > 0 or self.high < 0 else None

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high

    def elements(self, shortest: float, longest: float) -> Range:
        return replace(self, shortest=shortest, longest=longest)


ANYTHING = Range(-inf, inf, nan=True, longest=LARGEST, shortest=0.0)
ANY_NUMBER = Range(-inf, inf, nan=True)
IMPOSSIBLE = Range(inf, -inf)
BOOLEAN = Range(0.0, 1.0, whole=True)
TRUE = Range(1.0, 1.0, whole=True)
FALSE = Range(0.0, 0.0, whole=True)
NOT_A_NUMBER = Range(inf, -inf, nan=True)
NO_ELEMENTS = Range(inf, -inf, shortest=0.0, longest=0.0)


def exactly(value: float) -> Range:
    return Range(value, value, whole=value.is_integer())


def between(low: float, high: float, whole: bool = False, nan: bool = False) -> Range:
    """A range whose bounds are whole if its values are."""
    if whole:
        low = float(ceil(low)) if isfinite(low) else low
        high = float(floor(high)) if isfinite(high) else high
    return Range(low, high, nan, whole)


def union(one: Range, other: Range) -> Range:
    if one.impossible:
        return other
    if other.impossible:
        return one
    return Range(
        min(one.low, other.low),
        max(one.high, other.high),
        one.nan or other.nan,
        (one.whole or one.low > one.high) and (other.whole or other.low > other.high),
        min(one.shortest, other.shortest),
        max(one.longest, other.longest),
    )


def intersection(one: Range, other: Range) -> Range:
    """What both say of the same value."""
    both = between(
        max(one.low, other.low), min(one.high, other.high), one.whole or other.whole, one.nan and other.nan
    )
    return both.elements(max(one.shortest, other.shortest), min(one.longest, other.longest))


def above(value: float, whole: bool) -> float:
    """The smallest number over `value`."""
    return floor(value) + 1.0 if whole and abs(value) < 2**53 else nextafter(value, inf)


def below(value: float, whole: bool) -> float:
    """The largest number under `value`."""
    return ceil(value) - 1.0 if whole and abs(value) < 2**53 else nextafter(value, -inf)


def widened(value: Range) -> Range:
    """Room for the rounding of sums and of functions that are not exact."""
    if value.whole:
        return value
    low, high = value.low, value.high
    return replace(
        value,
        low=low - abs(low) * 1e-12 if isfinite(low) else low,
        high=high + abs(high) * 1e-12 if isfinite(high) else high,
    )


def _has(value: Range, infinity: float) -> bool:
    return value.high == inf if infinity > 0 else value.low == -inf


def _elementwise(one: Range, other: Range, low: float, high: float, nan: bool, whole: bool) -> Range:
    if one.longest == 0 or other.longest == 0:
        return NO_ELEMENTS
    if one.impossible or other.impossible:
        return IMPOSSIBLE
    result = Range(low, high, nan or one.nan or other.nan, whole)
    if one.shortest == one.longest == other.shortest == other.longest == 1:
        return result
    return result.elements(min(one.shortest, other.shortest), max(one.longest, other.longest))


def add(one: Range, other: Range) -> Range:
    low, high = one.low + other.low, one.high + other.high
    return _elementwise(
        one,
        other,
        -inf if low != low else low,
        inf if high != high else high,
        (_has(one, 1) and _has(other, -1)) or (_has(one, -1) and _has(other, 1)),
        one.whole and other.whole,
    )


def negated(value: Range) -> Range:
    return replace(value, low=-value.high, high=-value.low)


def subtract(one: Range, other: Range) -> Range:
    return add(one, negated(other))


def _corners(one: Range, other: Range, operation: Callable[[float, float], float]) -> tuple[float, float]:
    values = [operation(a, b) for a in (one.low, one.high) for b in (other.low, other.high)]
    return min(values), max(values)


def _product(a: float, b: float) -> float:
    # A bound of infinity stands for large numbers, which zero times are zero.
    return 0.0 if a == 0 or b == 0 else a * b


def multiply(one: Range, other: Range) -> Range:
    low, high = _corners(one, other, _product)
    infinite = _has(one, 1) or _has(one, -1), _has(other, 1) or _has(other, -1)
    nan = (infinite[0] and other.contains(0)) or (infinite[1] and one.contains(0))
    return _elementwise(one, other, low, high, nan, one.whole and other.whole)


def _quotient(a: float, b: float) -> float:
    return 0.0 if abs(b) == inf else a / b


def divide(one: Range, other: Range) -> Range:
    """Division by zero ends the evaluation, so what is computed was divided by something else."""
    smallest = 1.0 if other.whole else nextafter(0.0, 1.0)
    result = IMPOSSIBLE
    nan = (_has(one, 1) or _has(one, -1)) and (_has(other, 1) or _has(other, -1))
    for part in (
        replace(other, low=max(other.low, smallest)),
        replace(other, high=min(other.high, -smallest)),
    ):
        if part.low <= part.high:
            low, high = _corners(one, part, _quotient)
            result = union(result, _elementwise(one, part, low, high, nan, False))
    if result.impossible and (other.nan or one.nan):
        return NOT_A_NUMBER.elements(min(one.shortest, other.shortest), max(one.longest, other.longest))
    if one.nan or other.nan:
        result = replace(result, nan=True)
    if one.longest == 0 or other.longest == 0:
        return NO_ELEMENTS
    # The quotient of vectors may have no elements even where every element would be divided by zero.
    if result.impossible and min(one.shortest, other.shortest) == 0:
        return NO_ELEMENTS
    return result


ARITHMETIC: dict[str, Callable[[Range, Range], Range]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
}


def compare(operator: str, one: Range, other: Range) -> Range:
    """TRUE, FALSE or BOOLEAN. NaN compares as unequal, and as neither less nor more."""
    if one.impossible or other.impossible:
        return IMPOSSIBLE
    nan = one.nan or other.nan
    match operator:
        case "<":
            sure, never = one.high < other.low, one.low >= other.high
        case "<=":
            sure, never = one.high <= other.low, one.low > other.high
        case ">":
            sure, never = one.low > other.high, one.high <= other.low
        case ">=":
            sure, never = one.low >= other.high, one.high < other.low
        case _:
            never = one.high < other.low or one.low > other.high
            sure = one.low == one.high == other.low == other.high
            if operator == "!=":
                return TRUE if never else FALSE if sure and not nan else BOOLEAN
    return FALSE if never else TRUE if sure and not nan else BOOLEAN


def joined(parts: Iterable[Range]) -> Range:
    """The vector of the elements of all parts."""
    low, high, nan, whole, shortest, longest = inf, -inf, False, True, 0.0, 0.0
    for part in parts:
        if part.longest > 0:
            low, high = min(low, part.low), max(high, part.high)
            nan, whole = nan or part.nan, whole and part.whole
        shortest += part.shortest
        longest += part.longest
    return Range(low, high, nan, whole, shortest, longest)


def smallest_of(parts: Sequence[Range]) -> Range:
    """`min(...)`: NaN and what is not there are left out; of nothing it fails."""
    everything = joined(parts)
    if everything.longest == 0:
        return IMPOSSIBLE
    sure = [part.high for part in parts if part.shortest >= 1 and not part.nan]
    high = min(sure) if sure else everything.high
    return Range(everything.low, high, not sure and everything.nan, everything.whole)


def largest_of(parts: Sequence[Range]) -> Range:
    """`max(...)`."""
    return negated(smallest_of([negated(part) for part in parts]))


def sum_of(parts: Iterable[Range]) -> Range:
    low = high = 0.0
    nan, whole = False, True
    for part in parts:
        if part.longest == 0:
            continue
        low += part.low * (part.longest if part.low < 0 else part.shortest) if part.low else 0.0
        high += part.high * (part.longest if part.high > 0 else part.shortest) if part.high else 0.0
        nan, whole = nan or part.nan or not part.finite, whole and part.whole
    if low != low or high != high:
        return ANY_NUMBER
    return widened(Range(low, high, nan, whole))


def mean_of(parts: Sequence[Range]) -> Range:
    """`avg(...)`: NaN of nothing."""
    everything = joined(parts)
    if everything.longest == 0:
        return NOT_A_NUMBER
    single = everything.shortest == everything.longest == 1
    nan = everything.nan or everything.shortest == 0 or not everything.finite
    result = Range(everything.low, everything.high, nan, everything.whole and single)
    # A mean of whole numbers within whole bounds is exact at the bounds.
    return result if everything.whole else widened(result)
