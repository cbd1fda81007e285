"""Binary operators for many runs at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dynamic import binary
from ..operators import COMPARISONS
from .rows import Failures, Rows, numbers

_ARITHMETIC = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
_COMPARE = {
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    ">=": np.greater_equal,
    ">": np.greater,
    "!=": np.not_equal,
}


def joined(operator: str, left: Any, right: Any, rows: Rows, failures: Failures, place: int) -> Any:
    """`left operator right` of numbers, times, intervals or two texts; `place` is the operator's."""
    if isinstance(left, str):
        return binary(operator, left, right, place)
    if operator in COMPARISONS:
        return _COMPARE[operator](left, right)
    left, right = numbers(left), numbers(right)
    if operator == "/":
        failures.record(rows, np.equal(right, 0.0), ("division", place))
    return _ARITHMETIC[operator](left, right)
