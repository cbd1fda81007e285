"""Samples from JSON, the format of `ebbtide formula eval --samples`.

    {"now": T, "period": 30,
     "pool": {"targetDedicatedNodes": 3, "currentDedicatedNodes": 3, ...},
     "series": {"$PendingTasks": {"end": T, "values": [4, null, 6]}}}

T is ISO 8601 or seconds since the epoch. Values are oldest first, the last one taken at `end` (default: now),
null is a missing sample. Everything but `series` may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from .samples import DEFAULT_PERIOD, PoolValues, Samples, TimeSeries
from .spelling import did_you_mean
from .timestamps import civil, parse_time
from .variables import METRICS, PoolField

#: The pool's values as JSON names them.
POOL_FIELDS: Mapping[str, PoolField] = {
    "targetDedicatedNodes": "target_dedicated",
    "targetLowPriorityNodes": "target_low_priority",
    "currentDedicatedNodes": "current_dedicated",
    "currentLowPriorityNodes": "current_low_priority",
    "preemptedNodeCount": "preempted",
    "usableNodeCount": "usable",
    "taskSlotsPerNode": "task_slots_per_node",
}
_TOP = ("now", "period", "pool", "series")


def samples_from_json(data: object, now: float | None = None) -> tuple[Samples, float | None]:
    """The samples and the time to evaluate at: `now` if given, else that of the data, else None.

    Raises ValueError that names the place and the cure.
    """
    top = _mapping(data, "the samples")
    _only(top, _TOP, "the samples")
    if "series" not in top:
        raise ValueError('the samples need "series": {"$PendingTasks": {"values": [...]}}')
    if now is None and top.get("now") is not None:
        now = read_time(top["now"], "now")
    period = _number(top.get("period", DEFAULT_PERIOD), "period")
    if period <= 0:
        raise ValueError(f"period: must be positive, not {period:g}")
    pool = _mapping(top.get("pool") or {}, "pool")
    _only(pool, tuple(POOL_FIELDS), "pool")
    values = {POOL_FIELDS[name]: _number(value, f"pool.{name}") for name, value in pool.items()}
    series = {
        name: _series(name, item, period, now) for name, item in _mapping(top["series"], "series").items()
    }
    return Samples(period, series, PoolValues(**values)), now


def read_time(value: object, where: str) -> float:
    """Seconds since the epoch from ISO 8601 text or a number. Raises ValueError naming `where`."""
    if isinstance(value, str):
        try:
            return parse_time(value)
        except ValueError as reason:
            raise ValueError(f"{where}: {value!r} is not a time: {reason}") from None
    return seconds_since_epoch(_number(value, where), f"{where}: {value!r}")


def seconds_since_epoch(number: float, told: str) -> float:
    """The number, if it is a time of the years 1 to 9999. Raises ValueError; `told`: how it was written."""
    try:
        civil(number)
    except ValueError as reason:
        raise ValueError(f"{told} is not a time: {reason}; write seconds since 1970, not milliseconds") from None
    return number


def _series(name: str, item: object, period: float, now: float | None) -> TimeSeries:
    where = f"series.{name}"
    metric = METRICS.get(name)
    if metric is None or metric.series:
        hint = f"did you mean {metric.series}?" if metric else did_you_mean(name, METRICS)
        raise ValueError(f"{where}: there is no such metric" + (f"; {hint}" if hint else ""))
    fields = _mapping(item, where)
    _only(fields, ("end", "values"), where)
    end = read_time(fields["end"], f"{where}.end") if fields.get("end") is not None else now
    values = fields.get("values")
    if not isinstance(values, (list, tuple)):
        raise ValueError(f"{where}.values: must be an array of numbers, null for a missing sample")
    if end is None:
        raise ValueError(f'{where}.end: say when the last sample was taken, or give "now"')
    series = TimeSeries()
    for index, value in enumerate(values):
        if value is not None:
            number = _number(value, f"{where}.values[{index}]")
            series.append(end - (len(values) - 1 - index) * period, number)
    return series


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: must be a JSON object, not {_told(value)}")
    return value


def _only(value: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in value:
        if name not in known:
            hint = did_you_mean(name, known) or f"known are {', '.join(known)}"
            raise ValueError(f"{where}: unknown property {name!r}; {hint}")


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{where}: must be a number, not {_told(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{where}: is larger than any number of a formula") from None
    if not isfinite(number):
        raise ValueError(f"{where}: must be finite, not {_told(value)}")
    return number


def _told(value: object) -> str:
    """A value as JSON writes it, shortened."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else f"{text[:37]}..."
