"""The language once more, as a plain walk over the tree: slow, obvious, and independent of the compiler.

It shares the parser, and the value types for timestamps and intervals; semantics are written out again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from formula import Samples, TimeInterval, Timestamp, parse_time
from formula.parser import parse_statements
from formula.syntax import (
    Assignment,
    Call,
    Chain,
    Expression,
    Group,
    Logic,
    Member,
    MethodCall,
    Name,
    Number,
    String,
    Ternary,
    Unary,
)


def rounded(way: str, value: float) -> float:
    return float(Decimal(value).to_integral_value(way)) if math.isfinite(value) else value


def logarithm(base: float, value: float) -> float:
    if value > 0:
        return {2: math.log2, 10: math.log10, math.e: math.log}[base](value)
    return -math.inf if value == 0 else math.nan


#: Functions of a number, or of every element of a vector.
EACH: dict[str, Callable[[float], float]] = {
    "ceil": partial(rounded, ROUND_CEILING),
    "floor": partial(rounded, ROUND_FLOOR),
    "round": partial(rounded, ROUND_HALF_UP),  # away from zero, as the decimal module means it
    "lg": partial(logarithm, 2),
    "ln": partial(logarithm, math.e),
    "log": partial(logarithm, 10),
}
# Outside of the years 1 to 9999 there are no dates, but a clock.
CLOCK: dict[str, Callable[[float], float]] = {
    "weekday": lambda instant: (instant // 86400 + 4) % 7,
    "hour": lambda instant: instant % 86400 // 3600,
    "minute": lambda instant: instant % 3600 // 60,
    "second": lambda instant: instant % 60 // 1,
}
UNITS = {"Zero": 0, "Second": 1, "Minute": 60, "Hour": 3600, "Day": 86400}


class Failure(Exception):
    """The formula fails at run time."""


def numbers(values: list[Any]) -> list[float]:
    return [number for value in values for number in (value if isinstance(value, tuple) else (value,))]


def exact_sum(values: list[float]) -> float:
    exact = sum(map(Fraction, values), Fraction(0))
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


class Walk:
    def __init__(self, samples: Samples, now: float) -> None:
        self.samples = samples
        self.now = now
        self.variables: dict[str, Any] = {}
        #: The offset of the last operator of arithmetic or comparison.
        self.place = 0

    def run(self, text: str) -> dict[str, Any]:
        for statement in parse_statements(text):
            assert isinstance(statement, Assignment)
            self.variables[statement.name] = self.value(statement.value)
        return self.variables

    def truth(self, node: Expression) -> bool:
        value = self.value(node)
        if math.isnan(value):
            raise Failure
        return value != 0

    def value(self, node: Expression) -> Any:
        match node:
            case Number(value=value) | String(value=value):
                return value
            case Name(name=name):
                return self.name(name)
            case Group(inner=inner):
                return self.value(inner)
            case Unary(operator="!", operand=operand):
                return 0.0 if self.truth(operand) else 1.0
            case Unary(operand=operand):
                value = self.value(operand)
                return type(value)(-value)
            case Logic(operator=operator, operands=operands):
                decisive = operator == "||"
                return float(decisive if any(self.truth(o) is decisive for o in operands) else not decisive)
            case Ternary():
                return self.value(node.then if self.truth(node.condition) else node.otherwise)
            case Chain():
                result = self.value(node.operands[0])
                for operator, operand, place in zip(node.operators, node.operands[1:], node.places, strict=True):
                    other = self.value(operand)
                    self.place = place
                    result = self.binary(operator, result, other)
                return result
            case Member(receiver=receiver, member=member):
                instant = float(self.value(receiver))
                if member in CLOCK and not abs(instant) < 1e11:
                    return CLOCK[member](instant)
                moment = datetime.fromtimestamp(math.floor(instant), UTC)
                return float(moment.isoweekday() % 7 if member == "weekday" else getattr(moment, member))
            case Call(function=function, arguments=arguments):
                return self.call(function, [self.value(argument) for argument in arguments])
            case MethodCall(receiver=Name(name=name)):
                return self.method(name, node.method, [self.value(argument) for argument in node.arguments])
            case _:
                raise AssertionError(node)

    def name(self, name: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        if name.startswith("TimeInterval_"):
            return TimeInterval(UNITS[name.removeprefix("TimeInterval_")])
        pool = self.samples.pool
        return float(
            {
                "$CurrentDedicatedNodes": pool.current_dedicated,
                "$TargetDedicatedNodes": pool.target_dedicated,
            }[name]
        )

    def binary(self, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, tuple) or isinstance(right, tuple):
            first = left if isinstance(left, tuple) else (left,)
            second = right if isinstance(right, tuple) else (right,)
            if len(first) != len(second) and 1 not in (len(first), len(second)):
                raise Failure
            length = (
                min(len(first), len(second))
                if 0 in (len(first), len(second))
                else max(len(first), len(second))
            )
            stretched = [part * length if len(part) == 1 else part for part in (first, second)]
            return tuple(self.binary(operator, a, b) for a, b in zip(*stretched, strict=False))
        a, b = float(left), float(right)
        match operator:
            case "<" | "<=" | "==" | ">=" | ">" | "!=":
                holds = {"<": a < b, "<=": a <= b, "==": a == b, ">=": a >= b, ">": a > b, "!=": a != b}
                return float(holds[operator])
            case "+":
                result = a + b
            case "-":
                result = a - b
            case "*":
                result = a * b
            case _:
                if b == 0:
                    raise Failure
                result = a / b
        kinds = (type(left), type(right))
        if kinds == (Timestamp, Timestamp):
            return TimeInterval(result)
        if Timestamp in kinds:
            return Timestamp(result)
        return TimeInterval(result) if TimeInterval in kinds else result

    def call(self, function: str, arguments: list[Any]) -> Any:
        if function == "time":
            return Timestamp(parse_time(arguments[0]) if arguments and arguments[0] else self.now)
        if function == "val":
            vector, index = arguments
            if math.isnan(index) or not -1 < index < max(1, len(vector)):
                raise Failure
            return vector[int(index)] if vector else math.nan
        if function in EACH:
            mapped = tuple(EACH[function](element) for element in numbers(arguments))
            return mapped[0] if len(arguments) == 1 and not isinstance(arguments[0], tuple) else mapped
        if function == "percentile":
            ranked, percent = sorted(x for x in arguments[0] if x == x), arguments[1]
            if not arguments[0] or not 0 <= percent <= 100:
                raise Failure
            return ranked[max(1, math.ceil(percent * len(ranked) / 100)) - 1] if ranked else math.nan
        values = numbers(arguments)
        match function:
            case "max" | "min":
                if not values:
                    raise Failure
                good = [value for value in values if not math.isnan(value)]
                return (max(good) if function == "max" else min(good)) if good else math.nan
            case "sum" | "avg":
                total = exact_sum(values) if all(map(math.isfinite, values)) else sum(values)
                if function == "sum":
                    return total
                return total / len(values) if values else math.nan
            case "range":
                return self.call("max", [*values]) - self.call("min", [*values])
            case "norm":
                return math.hypot(*values)
            case "std":
                middle = self.call("avg", [*values])
                squares = [(value - middle) * (value - middle) for value in values]
                return math.sqrt(self.call("sum", squares) / (len(values) - 1)) if len(values) > 1 else math.nan
            case "len":
                return float(len(values))
            case "vec":
                return tuple(values)
            case _:
                raise AssertionError(function)

    def method(self, metric: str, method: str, arguments: list[Any]) -> Any:
        series = self.samples.series[metric]
        history = list(zip(series.times, series.values, strict=True))[::-1]
        if method == "Count":
            return float(len(history))
        if method == "GetSamplePeriod":
            return TimeInterval(self.samples.period)
        if method == "HistoryBeginTime":
            if not history:
                raise Failure
            return Timestamp(history[-1][0])
        if type(arguments[0]) is float:
            if math.isnan(arguments[0]):
                raise Failure
            return tuple(value for index, (_, value) in enumerate(history) if index + 1 <= arguments[0])
        wanted = 70.0
        if type(arguments[-1]) is float:
            wanted = arguments.pop()
        back = [self.now - edge if isinstance(edge, Timestamp) else float(edge) for edge in arguments]
        if not all(map(math.isfinite, back)):
            raise Failure
        far, near = (
            max(*back, back[0] if len(back) > 1 else 0.0),
            min(*back, back[0] if len(back) > 1 else 0.0),
        )
        inside = tuple(value for time, value in history if self.now - far < time <= self.now - near)
        possible = max(1, math.floor((far - near) / self.samples.period + 1e-6))
        percent = min(100.0, 100.0 * len(inside) / possible)
        if method == "GetSamplePercent":
            return percent
        if not percent >= wanted:
            raise Failure
        return inside
