"""Arithmetic of ranges against that of values: what is in a range stays in it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from formula import vectors
from formula.faults import Fault
from formula.ranges.conditions import Knowledge
from formula.ranges.numbering import Form
from formula.ranges.value_range import (
    ARITHMETIC,
    Range,
    compare,
    intersection,
    joined,
    largest_of,
    mean_of,
    smallest_of,
    sum_of,
    union,
)

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
    "!=": operator.ne,
}
FLOATS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.1, 0.3, 5e-324, -0.0, 1e300, math.inf, -math.inf, math.nan, 70.0]),
    st.floats(-10, 10),
)
SLACK = st.sampled_from([0.0, 0.0, 0.5, 3.0, math.inf])


@st.composite
def vectors_in_ranges(draw: st.DrawFn, most: int = 4, least: int = 0) -> tuple[list[float], Range]:
    """Values, and a range that holds them, tightly or not."""
    values = draw(st.lists(FLOATS, min_size=least, max_size=most))
    numbers = [value for value in values if value == value]
    low = min(numbers, default=math.inf) - draw(SLACK)
    high = max(numbers, default=-math.inf) + draw(SLACK)
    low, high = (math.inf, -math.inf) if low != low or high != high or not numbers else (low, high)
    if numbers and low > high:
        low, high = -math.inf, math.inf
    whole = all(math.isinf(value) or value.is_integer() for value in numbers)
    tight = least == most
    return values, Range(
        low,
        high,
        len(numbers) < len(values) or draw(st.booleans()),
        whole and draw(st.booleans()),
        len(values) if tight else max(0.0, len(values) - draw(st.integers(0, 2))),
        len(values) if tight else len(values) + draw(st.integers(0, 2)),
    )


NUMBERS = vectors_in_ranges(1, 1)


def holds(known: Range, values: list[float]) -> bool:
    return known.shortest <= len(values) <= known.longest and all(
        known.nan
        if value != value
        else known.contains(value) and (not known.whole or math.isinf(value) or value.is_integer())
        for value in values
    )


@settings(max_examples=400)
@given(vectors_in_ranges(), vectors_in_ranges(), st.sampled_from("+-*/"))
def test_arithmetic(one: tuple[list[float], Range], other: tuple[list[float], Range], symbol: str) -> None:
    try:
        computed = vectors.elementwise(symbol, one[0], other[0], 0)
    except (Fault, ZeroDivisionError):
        return
    assert holds(ARITHMETIC[symbol](one[1], other[1]), computed)


@settings(max_examples=300)
@given(st.lists(vectors_in_ranges(), min_size=1, max_size=3))
def test_reductions(parts: list[tuple[list[float], Range]]) -> None:
    values = [value for part, _ in parts for value in part]
    ranges = [known for _, known in parts]
    assert holds(joined(ranges), values)
    for reduce, known in (
        (vectors.largest, largest_of),
        (vectors.smallest, smallest_of),
        (vectors.total, sum_of),
        (vectors.mean, mean_of),
    ):
        try:
            computed = reduce(values)
        except Fault:
            continue
        assert holds(known(ranges), [computed]), (reduce, computed, known(ranges))


@given(vectors_in_ranges(), vectors_in_ranges())
def test_union_and_intersection(one: tuple[list[float], Range], other: tuple[list[float], Range]) -> None:
    assert holds(union(one[1], other[1]), one[0])
    assert holds(union(one[1], other[1]), other[0])
    if holds(other[1], one[0]):
        assert holds(intersection(one[1], other[1]), one[0])


@settings(max_examples=400)
@given(NUMBERS, NUMBERS, st.sampled_from([*COMPARISONS]))
def test_comparisons_and_what_they_tell(
    one: tuple[list[float], Range], other: tuple[list[float], Range], symbol: str
) -> None:
    (a,), (b,) = one[0], other[0]
    true = COMPARISONS[symbol](a, b)
    result = compare(symbol, one[1], other[1])
    assert holds(result, [float(true)])
    # Number 2 is the comparison of 0 and 1, number 3 its opposite.
    knowledge = Knowledge([Form(""), Form(""), Form(symbol, (0, 1)), Form("!", (2,))])
    knowledge.learn(0, one[1])
    knowledge.learn(1, other[1])
    for condition, said in ((2, true), (3, not true)):
        knowledge.enter(condition, said)
        assert not knowledge.unreachable
        assert holds(knowledge.of(0), [a])
        assert holds(knowledge.of(1), [b])
        knowledge.leave()
        assert (knowledge.of(0), knowledge.of(1)) == (one[1], other[1])


def test_what_conditions_tell_together() -> None:
    knowledge = Knowledge([Form(""), Form(""), Form("<", (0, 1)), Form("&&", (2, 0))])
    for number in (0, 1):
        knowledge.learn(number, Range(0.0, 9.0, whole=True))
    knowledge.enter(2, True)
    assert (knowledge.of(0).high, knowledge.of(1).low) == (8.0, 1.0)
    knowledge.enter(0, False)
    assert knowledge.of(0).constant == 0
    knowledge.leave()
    knowledge.leave()
    knowledge.enter(3, True)
    assert (knowledge.of(0).low, knowledge.of(0).high) == (1.0, 8.0)
    knowledge.enter(0, False)
    assert knowledge.unreachable
    knowledge.leave()
    assert not knowledge.unreachable


def test_bounds_are_tight() -> None:
    """A rule is only as good as the bounds, which tests of what holds would let be anything."""
    small = [0.0, 1.0, 3.0]
    for symbol, (a, b) in product("+-*", product(small, small)):
        known = ARITHMETIC[symbol](Range(-a, a, whole=True), Range(b, b + 1, whole=True))
        corners = [vectors.ARITHMETIC[symbol](x, y) for x in (-a, a) for y in (b, b + 1)]
        assert (known.low, known.high, known.whole, known.nan) == (min(corners), max(corners), True, False)
    half = ARITHMETIC["/"](Range(1.0, 8.0), Range(2.0, 4.0))
    assert (half.low, half.high, half.nan) == (0.25, 4.0, False)
    vector = Range(0.0, 7.0, whole=True, shortest=2, longest=3)
    cap = Range(5.0, 5.0, whole=True)
    assert (smallest_of([vector, cap]).high, largest_of([vector, cap]).low) == (5.0, 5.0)
    assert (mean_of([vector]).low, mean_of([vector]).high, mean_of([vector]).nan) == (0.0, 7.0, False)
    assert (sum_of([vector, cap]).low, sum_of([vector, cap]).high) == (5.0, 26.0)


def test_where_nan_comes_from() -> None:
    large, zero = Range(1.0, math.inf), Range(-1.0, 1.0)
    assert ARITHMETIC["*"](large, zero).nan
    assert ARITHMETIC["*"](zero, large).nan
    assert not ARITHMETIC["*"](large, Range(1.0, 2.0)).nan
    assert ARITHMETIC["-"](large, large).nan
    assert not ARITHMETIC["+"](large, large).nan
    assert ARITHMETIC["/"](large, large).nan


def test_the_mean_of_equal_fractions_may_round_over_them() -> None:
    for value, count in product((0.1, 0.7, 1 / 3), range(1, 60)):
        known = Range(value, value, shortest=count, longest=count)
        assert holds(mean_of([known]), [vectors.mean([value] * count)])
    assert any(vectors.mean([value] * count) > value for value in (0.1, 0.7, 1 / 3) for count in range(1, 60))


def test_a_divisor_may_be_under_one_unless_it_is_whole() -> None:
    one, small = Range(1.0, 1.0), Range(0.0, 1.0)
    assert ARITHMETIC["/"](one, small).high == math.inf
    assert ARITHMETIC["/"](one, replace(small, whole=True)).high == 1.0
    assert ARITHMETIC["/"](one, Range(-4.0, 2.0, whole=True)) == Range(-1.0, 1.0)
    assert ARITHMETIC["/"](one, Range(0.0, 0.0)).impossible
