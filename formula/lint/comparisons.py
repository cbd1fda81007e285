"""Comparisons with a constant, brought into one form."""

from __future__ import annotations

import operator as python
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ..operators import MIRRORED
from ..syntax import Chain, Expression
from .facts import Facts

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": python.lt,
    "<=": python.le,
    "==": python.eq,
    ">=": python.ge,
    ">": python.gt,
    "!=": python.ne,
}


@dataclass(frozen=True, slots=True)
class ConstantComparison:
    """`subject operator value`; `constant` is the expression of the value."""

    subject: Expression
    operator: str
    value: float
    constant: Expression


def constant_comparison(facts: Facts, node: Expression) -> ConstantComparison | None:
    if not (isinstance(node, Chain) and len(node.operators) == 1 and node.operators[0] in COMPARE):
        return None
    left, right = node.operands
    operator = node.operators[0]
    if facts.constant(left) is not None:
        left, operator, right = right, MIRRORED[operator], left
    value = facts.constant(right)
    return None if value is None else ConstantComparison(left, operator, value, right)


def constant_comparisons(facts: Facts) -> Iterator[ConstantComparison]:
    found = (constant_comparison(facts, node) for node in facts.nodes())
    return (comparison for comparison in found if comparison is not None)
