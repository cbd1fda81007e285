"""The members of timestamps for many runs at once: the rules are those of `builtins_table.MEMBERS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..builtins_table import MEMBERS
from ..faults import Fault
from .recording import Floats, Indices
from .rows import Failures, Numbers, Rows, is_array

_DAY = 86400
# (seconds of what is cut off, seconds of one) of the members that need no calendar
_CLOCK = {"hour": (_DAY, 3600), "minute": (3600, 60), "second": (60, 1)}
# Seconds of these years fit, and a float tells them from their neighbours.
_PLAIN = 2.0**40


def member(name: str, instants: Numbers, rows: Rows, failures: Failures, where: object) -> Any:
    """A member of timestamps."""
    if not is_array(instants):
        return _each(name, np.array([instants]), rows, failures, where)[0]
    plain = len(instants) and bool(instants.min() >= 0) and bool(instants.max() < _PLAIN)
    if plain:
        seconds = np.floor(instants).astype(np.int64)
        if name in _CLOCK:
            around, unit = _CLOCK[name]
            return ((seconds - seconds // around * around) // unit).astype(np.float64)
        days = seconds // _DAY
        if name == "weekday":
            days += 4
            return (days - days // 7 * 7).astype(np.float64)
        if bool((seconds == instants).all()):
            return _civil(name, days)
    return _each(name, instants, rows, failures, where)


def _civil(name: str, days: Indices) -> Floats:
    # Runs of one day stand side by side.
    cuts = np.flatnonzero(np.diff(days, prepend=days[:1] - 1))
    dates = days[cuts].astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    if name == "year":
        found = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    elif name == "month":
        found = months.astype(np.int64) % 12 + 1
    else:
        found = (dates - months).astype(np.int64) + 1
    return np.repeat(found, np.diff(cuts, append=len(days))).astype(np.float64)


def _each(name: str, instants: Floats, rows: Rows, failures: Failures, where: object) -> Floats:
    how = MEMBERS[name].how
    if isinstance(how, str):
        return _clock(name, instants)
    found = np.zeros(len(instants))
    failed = np.zeros(len(instants), dtype=np.bool_)
    function: Callable[[float], float] = how
    for at, instant in enumerate(instants.tolist()):
        try:
            found[at] = function(instant)
        except Fault:
            failed[at] = True
    failures.record(rows, failed if len(failed) > 1 else bool(failed.any()), ("calendar", where))
    return found


def _clock(name: str, instants: Floats) -> Floats:
    if name == "weekday":
        return np.mod(np.floor_divide(instants, 86400.0) + 4.0, 7.0)
    around, unit = _CLOCK[name]
    return np.floor_divide(np.mod(instants, float(around)), float(unit))
