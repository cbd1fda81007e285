"""Functions of vectors and numbers for many runs at once: the rules are those of `vectors`."""

from __future__ import annotations

import numpy as np

from .. import vectors
from ..builtins_table import LIST_FUNCTIONS
from .recording import Floats
from .rows import Failures, Numbers, Rows, Unsupported, Vector, Window, each, is_array, numbers

_ROUNDINGS = {"ceil": np.ceil, "floor": np.floor}
# Whole numbers below this can be added in any order.
_SMALL = 2.0**50


def scalar(name: str, value: Numbers) -> Numbers:
    """A function that works per element, of one number."""
    value = numbers(value)
    if name in _ROUNDINGS:
        return _ROUNDINGS[name](value)
    if name == "round":
        whole = np.floor(np.abs(value))
        return np.copysign(whole + (np.abs(value) - whole >= 0.5), value)
    function = LIST_FUNCTIONS[name].scalar
    if function is None:
        raise Unsupported(name)
    return each(function, value)


def length(parts: Vector) -> Numbers:
    return sum((part.lengths if isinstance(part, Window) else 1 for part in parts), 0.0)


def total(parts: Vector) -> Numbers:
    """The sum, correctly rounded."""
    windows = [part.series.sums(part.first, part.stop) for part in parts if isinstance(part, Window)]
    singles = [numbers(part) for part in parts if not isinstance(part, Window)]
    found = windows + singles
    if len(found) < 2 or (len(found) == 2 and not windows):
        # One sum is rounded once, and so is that of two numbers.
        return sum(found[1:], found[0]) if found else 0.0
    whole = all(part.series.is_whole for part in parts if isinstance(part, Window))
    if not whole or not all(bool(np.all((np.rint(part) == part) & (np.abs(part) < _SMALL))) for part in singles):
        raise Unsupported("a sum of fractions in several vectors")
    return sum(found[1:], found[0])


def mean(parts: Vector) -> Numbers:
    counted = length(parts)
    if not is_array(counted):
        return total(parts) / counted if counted else np.nan
    return np.where(counted > 0, np.divide(total(parts), counted), np.nan)


def extreme(parts: Vector, rows: Rows, failures: Failures, where: object, largest: bool) -> Numbers:
    """The largest or smallest of what is not NaN."""
    failures.record(rows, np.equal(length(parts), 0), ("empty", where))
    choose = np.fmax if largest else np.fmin
    found: Numbers = np.nan
    for part in parts:
        one = part.series.extremes(part.first, part.stop, largest) if isinstance(part, Window) else numbers(part)
        found = choose(found, one)
    return found


def element(vector: Vector, index: Numbers, rows: Rows, failures: Failures, where: object) -> Numbers:
    """val(): the element at a zero-based index; the first of an empty vector is NaN."""
    if len(vector) != 1 or not isinstance(vector[0], Window):
        raise Unsupported("an element of joined vectors")
    window = vector[0]
    lengths = window.lengths
    nothing = (lengths == 0) & np.less(-1, index) & np.less(index, 1)
    inside = np.less(-1, index) & np.less(index, lengths) & ~nothing
    failures.record(rows, ~(inside | nothing), ("element", where), index, lengths)
    values = window.series.values
    if not len(values):
        return np.full(len(lengths), np.nan)
    at = window.stop - 1 - np.where(inside, np.trunc(index), 0.0).astype(np.int64)
    found: Floats = np.where(inside, values[np.clip(at, 0, len(values) - 1)], vectors.NAN)
    return found
