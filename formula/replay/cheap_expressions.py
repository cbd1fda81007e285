"""Expressions that arrays compute for all rows, also for those that do not need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..operators import COMPARISONS
from ..syntax import Call, Chain, Expression, Group, Logic, Member, Name, Number
from ..value_types import DOUBLE, INTERVAL, OPTION, TIMESTAMP, TypeSet
from ..variables import INTERVALS, OPTIONS

_FUNCTIONS = ("max", "min")
_MEMBERS = ("weekday", "hour", "minute", "second")


def is_cheap(
    node: Expression, types: Mapping[int, TypeSet], variables: Mapping[str, Any], truth: bool = False
) -> bool:
    """Can it not fail, and costs less than leaving out the rows that do not need it?

    `truth`: as a condition, which must not be NaN.
    """

    def cheap(part: Expression, truth: bool = False) -> bool:
        return is_cheap(part, types, variables, truth)

    kind = types[id(node)]
    if kind not in (DOUBLE, TIMESTAMP, INTERVAL) and not (kind == OPTION and not truth):
        return False
    match node:
        case Number():
            return True
        case Group(inner=inner):
            return cheap(inner, truth)
        case Name(name=name):
            value = variables.get(name)
            if truth:
                return value is not None and np.asarray(value).dtype == np.bool_
            return value is not None or name in INTERVALS or name in OPTIONS
        case Chain(operands=operands, operators=operators):
            decided = not truth or operators[-1] in COMPARISONS
            return decided and "/" not in operators and all(map(cheap, operands))
        case Logic(operands=operands):
            return all(cheap(operand, truth=True) for operand in operands)
        case Member(receiver=receiver, member=name):
            return not truth and name in _MEMBERS and cheap(receiver)
        case Call(function="time", arguments=arguments):
            return not arguments
        case Call(function=name, arguments=arguments):
            return not truth and name in _FUNCTIONS and len(arguments) > 0 and all(map(cheap, arguments))
        case _:
            return False
