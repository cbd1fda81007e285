"""The one place that asks the machine for the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch, UTC."""


class SystemClock:
    """The machine's clock. When that is set back, time passes at half its speed until the two agree again: what waits
    for a time would wait so much longer otherwise, and VMs with it. Safe to ask from several threads."""

    def __init__(self, wall: Callable[[], float] = time.time, ticks: Callable[[], float] = time.monotonic) -> None:
        """`ticks`: seconds since anything, never set."""
        self._lock = threading.Lock()
        self._wall = wall
        self._ticks = ticks
        self._told = wall()
        self._asked = ticks()

    def now(self) -> float:
        with self._lock:
            asked = self._ticks()
            told = max(self._wall(), self._told + (asked - self._asked) / 2)
            if told > self._told:  # else it was asked a moment ago: moments too short to be told add up
                self._told, self._asked = told, asked
            return self._told
