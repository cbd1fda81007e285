"""Durations and instants as the Batch REST API writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from math import floor

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?"
    r"(?P<time>T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:[.,]\d+)?)S)?)?",
    re.ASCII,
)

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def parse_duration(text: str) -> timedelta:
    """`PT5M`, `P1D`, `P2W`, `PT0.5S`, and the Azure CLI's `PT05M00S`. Raises ValueError with the cure."""
    match = _DURATION.fullmatch(text.strip())
    parts = match.groupdict() if match else {}
    if not any(value for name, value in parts.items() if name != "time") or parts["time"] == "T":
        raise ValueError(f"is no ISO 8601 duration: {text!r}; write for instance PT30S, PT5M or P1D")
    if parts["years"] or parts["months"]:
        raise ValueError(
            f"holds years or months, which have no fixed length: {text!r}; write days, such as P30D"
        )
    seconds = (parts["seconds"] or "0").replace(",", ".")
    try:
        return timedelta(
            weeks=int(parts["weeks"] or 0),
            days=int(parts["days"] or 0),
            hours=int(parts["hours"] or 0),
            minutes=int(parts["minutes"] or 0),
            seconds=float(seconds),
        )
    except (
        OverflowError,
        ValueError,
    ):  # more digits than Python turns into a number, or more days than it counts
        raise ValueError("is a longer duration than can be counted; P10675199D means without limit") from None


def format_duration(duration: timedelta) -> str:
    """The shortest of the usual spellings: `PT30S`, `PT5M`, `P1DT12H`."""
    days, rest = duration.days, duration.seconds
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{duration.microseconds:06d}".rstrip("0") if duration.microseconds else ""
    date = f"{days}D" if days else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    time += f"{seconds}{fraction}S" if seconds or fraction else ""
    if not date and not time:
        return "PT0S"
    return f"P{date}T{time}" if time else f"P{date}"


def format_instant(instant: float) -> str:
    """Seconds since the epoch as `2026-01-31T12:00:00.250Z`. What lies outside the years 1 to 9999 is told as the
    first or last moment of them."""
    try:
        moment = datetime.fromtimestamp(instant, UTC)
    except (ValueError, OverflowError, OSError):  # the last one beyond what the system counts
        moment = _FIRST if instant < 0 else _LAST
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_exactly(instant: float) -> str:
    """The same with seven digits of a second: `formula.parse_time` makes the same float of it (from 1970 to 2100)."""
    try:
        moment = datetime.fromtimestamp(floor(instant), UTC)
    except (ValueError, OverflowError, OSError):
        return format_instant(instant)
    part = round((instant - floor(instant)) * 1e7)
    if part == 10_000_000:
        return format_exactly(floor(instant) + 1)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}.{part:07d}Z"


def parse_instant(text: str) -> datetime:
    """A moment with its time zone. Raises ValueError with the cure."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"is no date and time: {text!r}; write for instance 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"says no time zone: {text!r}; write for instance 2026-01-31T12:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        text = f"{text!r}; write for instance 2026-01-31T12:00:00Z"
        raise ValueError(f"lies outside the years 1 to 9999 of UTC: {text}") from None
