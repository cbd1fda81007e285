"""Amounts, for people."""

from __future__ import annotations

_UNITS = ((120, 1, "s"), (120 * 60, 60, "min"), (48 * 3600, 3600, "h"), (float("inf"), 86400, "days"))


def told_duration(seconds: float) -> str:
    """Three digits at least, and one unit: `7.25 s`, `12.4 min`, `3.1 h`, `365 days`."""
    for most, unit, name in _UNITS:
        if seconds < most:
            return f"{_three_digits(seconds / unit)} {name}"
    raise ValueError(f"no duration: {seconds}")


def told_hours(seconds: float) -> str:
    """Node-seconds as node-hours."""
    return _three_digits(seconds / 3600)


def told_ratio(part: float, whole: float) -> str:
    return f"{part / whole:.2f}×" if whole > 0 else "–"


def told_share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole > 0 else "–"


def _three_digits(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"
