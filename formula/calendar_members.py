"""The parts of a timestamp that need a calendar, UTC, from seconds since the epoch; and time from text."""

from __future__ import annotations

from .faults import Fault
from .timestamps import civil, parse_time


def year(instant: float) -> float:
    return float(_civil(instant)[0])


def month(instant: float) -> float:
    return float(_civil(instant)[1])


def day(instant: float) -> float:
    return float(_civil(instant)[2])


def _civil(instant: float) -> tuple[int, int, int]:
    try:
        # Whole seconds, as for the other members: the last instant of a year is not rounded into the next one.
        moment = civil(instant // 1.0)
    except ValueError as reason:
        raise Fault(str(reason)) from None
    return moment.year, moment.month, moment.day


def time_of(text: str, now: float) -> float:
    """time(string): the empty string is now."""
    if not text.strip():
        return now
    try:
        return parse_time(text)
    except ValueError as reason:
        raise Fault(f'time("{text}"): {reason}') from None
