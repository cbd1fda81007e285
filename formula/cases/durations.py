"""Lengths of time as people write them: 30s, 5m, 1h30m, 2d."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
DURATION = re.compile(rf"-?(?:{_PART.pattern})+", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds. `0` needs no unit. Raises ValueError with the cure."""
    if text in ("0", "-0"):
        return 0.0
    if not DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a length of time; write it like 30s, 5m or 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return -seconds if text.startswith("-") else seconds


def format_duration(seconds: float) -> str:
    """The shortest such text."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    parts = []
    for unit in ("d", "h", "m"):
        count, seconds = divmod(seconds, _UNITS[unit])
        if count:
            parts.append(f"{count:g}{unit}")
    if seconds or not parts:
        parts.append(f"{seconds:g}s")
    return "".join(parts)
