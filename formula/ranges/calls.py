"""What functions, methods and members can give, from what their arguments can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import floor, inf, sqrt

from ..builtins_table import LIST_FUNCTIONS
from ..expression_types import bare
from ..sampling import DEFAULT_PERCENT
from ..syntax import Call, Member, MethodCall, Name, String
from ..timestamps import parse_time
from ..value_types import DOUBLE, TypeSet
from ..variables import series_name
from .value_range import (
    ANY_NUMBER,
    IMPOSSIBLE,
    LARGEST,
    NO_ELEMENTS,
    NOT_A_NUMBER,
    Range,
    between,
    exactly,
    joined,
    largest_of,
    mean_of,
    smallest_of,
    sum_of,
    widened,
)
from .world import EVERY_INSTANT, INSTANT, MEMBERS, PERCENT, PERIOD, RANDOM, World


def function_range(node: Call, arguments: Sequence[Range]) -> Range:
    if any(argument.impossible for argument in arguments):
        return IMPOSSIBLE
    match node.function:
        case "rand":
            return RANDOM
        case "stop":
            return IMPOSSIBLE
        case "time":
            return _time(node)
        case "val":
            return _element(arguments[0])
        case "percentile":
            return replace(_element(arguments[0]), nan=arguments[0].nan)
        case "lg" | "ln" | "log" | "ceil" | "floor" | "round":
            return _per_element(node.function, arguments)
        case name:
            return _REDUCTIONS[name](arguments)


def _time(node: Call) -> Range:
    if not node.arguments:
        return INSTANT
    text = node.arguments[0]
    if not isinstance(text, String):
        return EVERY_INSTANT
    return exactly(parse_time(text.value)) if text.value.strip() else INSTANT


def _element(vector: Range) -> Range:
    """Of no elements the first is NaN."""
    if vector.longest == 0:
        return NOT_A_NUMBER
    return Range(vector.low, vector.high, vector.nan or vector.shortest < 1, vector.whole)


def _per_element(name: str, arguments: Sequence[Range]) -> Range:
    everything = joined(arguments)
    if everything.longest == 0:
        return NO_ELEMENTS
    scalar = LIST_FUNCTIONS[name].scalar
    assert scalar is not None
    if everything.low > everything.high:
        return everything
    if name in ("ceil", "floor", "round"):
        return replace(everything, low=scalar(everything.low), high=scalar(everything.high), whole=True)
    if everything.high < 0:
        return NOT_A_NUMBER.elements(everything.shortest, everything.longest)
    low, high = (_logarithm(scalar, max(bound, 0.0)) for bound in (everything.low, everything.high))
    result = replace(everything, low=low, high=high, nan=everything.nan or everything.low < 0, whole=False)
    return widened(result)


def _logarithm(scalar: Callable[[float], float], value: float) -> float:
    return inf if value == inf else scalar(value)


def _length(arguments: Sequence[Range]) -> Range:
    everything = joined(arguments)
    return between(everything.shortest, everything.longest, whole=True)


def _norm(arguments: Sequence[Range]) -> Range:
    everything = joined(arguments)
    if everything.longest == 0:
        return exactly(0.0)
    largest = max(abs(everything.low), abs(everything.high))
    return widened(Range(0.0, largest * sqrt(everything.longest), not everything.finite))


def _spread(arguments: Sequence[Range]) -> Range:
    everything = joined(arguments)
    if everything.longest == 0:
        return IMPOSSIBLE
    if not everything.finite:
        return ANY_NUMBER
    return Range(0.0, everything.high - everything.low, whole=everything.whole)


def _deviation(arguments: Sequence[Range]) -> Range:
    everything = joined(arguments)
    if everything.longest < 2:
        return NOT_A_NUMBER
    nan = not everything.finite or everything.shortest < 2
    # The deviation of two values is their distance over the root of two; more values have less.
    return widened(Range(0.0, max(0.0, everything.high - everything.low) if everything.finite else inf, nan))


_REDUCTIONS: dict[str, Callable[[Sequence[Range]], Range]] = {
    "avg": mean_of,
    "len": _length,
    "max": largest_of,
    "min": smallest_of,
    "norm": _norm,
    "range": _spread,
    "std": _deviation,
    "sum": sum_of,
    "vec": joined,
}


def method_range(node: MethodCall, arguments: Sequence[Range], types: Sequence[TypeSet], world: World) -> Range:
    """`types` of the arguments tell the overloads apart."""
    receiver = bare(node.receiver)
    if any(argument.impossible for argument in arguments) or not isinstance(receiver, Name):
        return IMPOSSIBLE
    match node.method:
        case "GetSamplePercent":
            return PERCENT
        case "GetSamplePeriod":
            return PERIOD
        case "Count":
            return between(0.0, LARGEST, whole=True)
        case "HistoryBeginTime":
            return EVERY_INSTANT
    metric = series_name(receiver.name)
    sample = world.element(metric)
    if types[0] == DOUBLE:
        most = float(floor(min(arguments[0].high, LARGEST))) if arguments[0].high >= 1 else 0.0
        return sample.elements(0.0, most) if most else NO_ELEMENTS
    wanted = arguments[-1].low if len(arguments) > 1 and types[-1] == DOUBLE else DEFAULT_PERCENT
    return sample.elements(1.0 if wanted > 0 else 0.0, LARGEST)


def member_range(node: Member, receiver: Range) -> Range:
    if receiver.impossible:
        return IMPOSSIBLE
    return replace(MEMBERS[node.member], nan=not receiver.finite)
