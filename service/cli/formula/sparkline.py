"""Samples as one line: bars on a terminal, numbers elsewhere. Gaps stay gaps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_MOST_BARS = 60
_MOST_NUMBERS = 40


def sparkline(values: Sequence[float | None]) -> str:
    """One bar for each value, oldest first, from 0 (or the smallest) to the largest; None is a gap.

    Of more than 60 values neighbours share a bar, which shows the largest of them.
    """
    columns = _gathered(values)
    given = [value for value in columns if value is not None]
    lowest = min([0.0, *given])
    height = max([0.0, *given]) - lowest
    return "".join(_GAP if value is None else _bar((value - lowest) / height if height else 0.0) for value in columns)


def numbers(values: Sequence[float | None]) -> str:
    """The values, oldest first, `_` for a gap; of many only the newest."""
    shown = values[-_MOST_NUMBERS:]
    text = " ".join("_" if value is None else f"{value:g}" for value in shown)
    return f"... {text}" if len(values) > len(shown) else text


def _bar(part: float) -> str:
    return _BARS[min(int(part * len(_BARS)), len(_BARS) - 1)]


def _gathered(values: Sequence[float | None]) -> Sequence[float | None]:
    if len(values) <= _MOST_BARS:
        return values
    edges = [index * len(values) // _MOST_BARS for index in range(_MOST_BARS + 1)]
    parts = (values[first:stop] for first, stop in pairwise(edges))
    return [max((value for value in part if value is not None), default=None) for part in parts]
