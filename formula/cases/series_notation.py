"""The short way to write samples: `0x4 1..5 _ 5x10m | 3+1x4`."""

from __future__ import annotations

import re

from ..samples import TimeSeries
from .durations import DURATION, parse_duration

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN = re.compile(
    rf"(?:(?P<missing>_)|(?P<value>{_NUMBER})(?:\.\.(?P<to>{_NUMBER})|(?P<step>[-+](?:\d+(?:\.\d*)?|\.\d+)))?)"
    r"(?:x(?P<times>\S+))?",
    re.ASCII,
)
_NOW = "|"
#: Nobody means more samples than this: a year of them, one a second.
_MOST_SAMPLES = 32_000_000


def read_values(text: str, period: float) -> tuple[list[float | None], int]:
    """The values, oldest first, None for a missing sample, and how many of them are not later than now.

    Raises ValueError that names the token and the cure.
    """
    values: list[float | None] = []
    until_now: int | None = None
    for token in text.split():
        if token == _NOW:
            if until_now is not None:
                raise ValueError("`|` marks now, and stands there only once")
            until_now = len(values)
            continue
        values += _expand(token, period)
        if len(values) > _MOST_SAMPLES:
            raise ValueError(f"{token!r} makes more than {_MOST_SAMPLES} samples")
    return values, len(values) if until_now is None else until_now


def read_series(text: str, now: float, period: float) -> TimeSeries:
    """The samples of a series, one each period (seconds): the last one before `|`, or of all, is taken at `now`."""
    values, until_now = read_values(text, period)
    first = now - (until_now - 1) * period
    return TimeSeries((first + index * period, value) for index, value in enumerate(values) if value is not None)


def _expand(token: str, period: float) -> list[float | None]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise ValueError(
            f"{token!r} is no sample; write a number, _ for a missing one, 4x10 or 4x5m to repeat it, 1..5 to count, "
            "or 0+2x10 to climb"
        )
    times = _times(match["times"], token, period)
    if match["missing"]:
        return [None] * times
    value = float(match["value"])
    if match["to"]:
        if match["times"]:
            raise ValueError(f"{token!r}: what counts from one number to another cannot be repeated")
        return _ramp(value, float(match["to"]), token)
    if match["step"]:
        if not match["times"]:
            raise ValueError(f"{token!r}: say how many samples climb, as in {token}x10")
        step = float(match["step"])
        return [value + index * step for index in range(times)]
    return [value] * times


def _ramp(first: float, last: float, token: str) -> list[float | None]:
    distance = abs(last - first)
    if distance != int(distance) or distance > _MOST_SAMPLES:
        raise ValueError(f"{token!r}: counting goes in steps of 1; for others write it like 0+0.5x10")
    step = 1.0 if last > first else -1.0
    return [first + index * step for index in range(int(distance) + 1)]


def _times(text: str | None, token: str, period: float) -> int:
    if text is None:
        return 1
    if text.isascii() and text.isdigit():
        count = float(text)
    elif DURATION.fullmatch(text):
        count = parse_duration(text) / period
        if abs(count - round(count)) > 1e-6:
            raise ValueError(f"{token!r}: {text} is no whole number of periods of {period:g} seconds")
    else:
        raise ValueError(f"{token!r}: behind x stands how often (4x10) or for how long (4x5m)")
    if not 0 <= count <= _MOST_SAMPLES:
        raise ValueError(f"{token!r}: makes too many samples or none; at most {_MOST_SAMPLES}")
    return round(count)
