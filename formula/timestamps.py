"""Dates and times of the language: seconds since the epoch, UTC, to and from text. No clock in here."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# W3C-DTF. The service accepts up to seven digits of a second; nine failed in practice.
_W3C = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_RFC1123 = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{1,2}) "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4})"
    r" (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC|Z)",
    re.ASCII | re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MOST_DIGITS = 7


def parse_time(text: str) -> float:
    """Seconds since the epoch of a W3C-DTF (ISO 8601) or RFC 1123 text; without an offset it is UTC.

    Raises ValueError with the reason.
    """
    text = text.strip()
    match = _RFC1123.fullmatch(text)
    if match:
        day, month, year, hour, minute, second = match.groups()
        number = _MONTHS.index(month.lower()) + 1
        return _seconds(int(year), number, int(day), int(hour), int(minute), int(second))
    match = _W3C.fullmatch(text)
    if not match:
        raise ValueError("write it like 2026-01-31T08:00:00Z or Sat, 31 Jan 2026 08:00:00 GMT")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if fraction and len(fraction) > _MOST_DIGITS:
        raise ValueError(f"a second has at most {_MOST_DIGITS} fraction digits, not {len(fraction)}")
    whole = _seconds(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0)
    )
    return whole + (float("0." + fraction) if fraction else 0.0) - _offset(zone)


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> float:
    return (datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _EPOCH).total_seconds()


def _offset(zone: str | None) -> float:
    if not zone or zone in "Zz":
        return 0.0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return float(-seconds if zone[0] == "-" else seconds)


def civil(instant: float) -> datetime:
    """The UTC date and time. Raises ValueError outside the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(seconds=instant)
    except (OverflowError, ValueError):
        raise ValueError("the time is outside the years 1 to 9999") from None


def format_time(instant: float) -> str:
    """ISO 8601 with milliseconds and `Z`, as the service prints it; milliseconds are cut, not rounded."""
    try:
        moment = civil(instant)
    except ValueError:
        return "NaN" if instant != instant else repr(float(instant))
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def format_interval(seconds: float) -> str:
    """A finite length of time as [-][days.]hh:mm:ss[.fffffff]."""
    sign = "-" if seconds < 0 else ""
    whole, part = divmod(abs(seconds), 1.0)
    # The part alone is multiplied: a long interval would overflow.
    whole, fraction = divmod(int(whole) * 10_000_000 + round(part * 10_000_000), 10_000_000)
    days, rest = divmod(whole, 86400)
    text = f"{sign}{f'{days}.' if days else ''}{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{text}.{fraction:07d}" if fraction else text
