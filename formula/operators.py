"""The table of operators: which types they take, what comes out, and how generated code writes it.

Rows marked `documented=False` are accepted though the documentation does not list them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .value_types import (
    DOUBLE,
    INTERVAL,
    NOTHING,
    STRING,
    TIMESTAMP,
    VECTOR,
    TypeSet,
    members,
)


@dataclass(frozen=True, slots=True)
class Operator:
    """One row. `template` is Python for plain values, with {a} and {b}; None: elementwise, by a helper."""

    symbol: str
    left: TypeSet
    right: TypeSet
    result: TypeSet
    template: str | None
    documented: bool = True


COMPARISONS = ("<", "<=", "==", ">=", ">", "!=")
#: How to write a comparison with its sides exchanged.
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
#: How to write that a comparison does not hold (of numbers that are not NaN).
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def _rows() -> Iterator[Operator]:
    for symbol in "+-*/":
        plain = f"({{a}} {symbol} {{b}})"
        yield Operator(symbol, DOUBLE, DOUBLE, DOUBLE, plain)
        yield Operator(symbol, VECTOR, DOUBLE, VECTOR, None)
        yield Operator(symbol, VECTOR, VECTOR, VECTOR, None)
        yield Operator(symbol, DOUBLE, VECTOR, VECTOR, None, documented=False)
    yield Operator("*", DOUBLE, INTERVAL, INTERVAL, "({a} * {b})")
    yield Operator("*", INTERVAL, DOUBLE, INTERVAL, "({a} * {b})")
    yield Operator("/", INTERVAL, DOUBLE, INTERVAL, "({a} / {b})")
    yield Operator("+", INTERVAL, INTERVAL, INTERVAL, "({a} + {b})")
    yield Operator("-", INTERVAL, INTERVAL, INTERVAL, "({a} - {b})")
    yield Operator("+", INTERVAL, TIMESTAMP, TIMESTAMP, "({a} + {b})")
    yield Operator("+", TIMESTAMP, INTERVAL, TIMESTAMP, "({a} + {b})")
    yield Operator("-", TIMESTAMP, TIMESTAMP, INTERVAL, "({a} - {b})")
    yield Operator("-", TIMESTAMP, INTERVAL, TIMESTAMP, "({a} - {b})", documented=False)
    for symbol in COMPARISONS:
        for kind in (DOUBLE, STRING, TIMESTAMP, INTERVAL):
            yield Operator(symbol, kind, kind, DOUBLE, f"({{a}} {symbol} {{b}})")


OPERATORS: dict[tuple[str, TypeSet, TypeSet], Operator] = {
    (row.symbol, row.left, row.right): row for row in _rows()
}

#: Unary minus. `!` takes a double and is logic, as && and || are.
NEGATABLE = DOUBLE | INTERVAL


def binary_result(symbol: str, left: TypeSet, right: TypeSet) -> TypeSet | None:
    """The types that can come out; None if some pair of the possible operands has no row."""
    row = OPERATORS.get((symbol, left, right))
    if row is not None:
        return row.result
    result = NOTHING
    for one in members(left):
        for other in members(right):
            row = OPERATORS.get((symbol, one, other))
            if row is None:
                return None
            result |= row.result
    return result
