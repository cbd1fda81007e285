"""A replay by days or hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .replays import Replay

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Period:
    """The runs of one day or hour. `start`: seconds since the epoch, UTC; `peak`: the most nodes at a time."""

    start: float
    runs: int
    failures: int
    dedicated_hours: float
    low_priority_hours: float
    peak: int


def periods(replay: Replay, seconds: float) -> list[Period]:
    """The periods of that length in which there are runs, counted from the epoch: 86400 makes days, UTC."""
    number = np.floor_divide(replay.times, seconds)
    if not len(number):
        return []
    first = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    runs = np.diff(first, append=len(number))
    failures = np.add.reduceat((replay.error >= 0).astype(np.int64), first)
    hours = replay.every / _HOUR
    columns = zip(
        (number[first] * seconds).tolist(),
        runs.tolist(),
        failures.tolist(),
        (np.add.reduceat(replay.dedicated, first, dtype=np.float64) * hours).tolist(),
        (np.add.reduceat(replay.low_priority, first, dtype=np.float64) * hours).tolist(),
        np.maximum.reduceat(replay.nodes, first).tolist(),
        strict=True,
    )
    return [Period(*column) for column in columns]
