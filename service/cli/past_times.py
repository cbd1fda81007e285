"""Times of a pool's past, as somebody names them who asks for them."""

from __future__ import annotations

import re
from math import floor

import click

_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?Z?", re.ASCII)
_DAY = 86400.0
#: All of one that is told.
_SECOND = 0.999999

HELP = "ISO 8601 in UTC (2026-01-31T03:10:00Z), a time of day (03:10) or how long ago (PT2H)"


def past_time(text: str | None, option: str, now: float, *, end: bool = False) -> float | None:
    """Of a time of day: the last one, today or yesterday. A day, a month or a year means its begin. `end`: a time to
    the second means the end of that second, for lists name times so. Raises click.BadParameter."""
    from ..iso8601 import parse_duration

    if text is None:
        return None
    text = text.strip()
    try:
        if text.startswith("P"):
            return now - parse_duration(text).total_seconds()
        found_at = _named(text, now)
    except ValueError as exc:
        raise click.BadParameter(f"{text!r} is no time: {exc}; {HELP}", param_hint=option) from None
    return found_at + _SECOND if end and found_at == floor(found_at) else found_at


def _named(text: str, now: float) -> float:
    from formula import parse_time

    found = _OF_DAY.fullmatch(text)
    if found is None:
        return parse_time(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    today = floor(now / _DAY) * _DAY + hours * 3600 + minutes * 60 + seconds
    return today if today <= now else today - _DAY


def time_range(start: str | None, end: str | None, now: float) -> tuple[float | None, float | None]:
    """Raises click.BadParameter, click.UsageError."""
    first, last = past_time(start, "--from", now), past_time(end, "--to", now, end=True)
    if first is not None and last is not None and first > last:
        raise click.UsageError(f"--from {start} is later than --to {end}")
    return first, last
