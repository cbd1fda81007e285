"""A clock that is so many times as fast as the machine's: who goes by it lives through an hour in a minute."""

from __future__ import annotations

import math
import queue
import time
from typing import Any


class QuickClock:
    """Shows `start` until it is wound up; from then on one of its seconds is 1/`speed` of a real one.

    It ticks every `tick` of its seconds. So a controller has that long for what is due at a tick, and is in time; by a
    clock that goes steadily it would be late by what takes it a millisecond, and that is `speed` times as much here.
    Safe to ask from several threads.
    """

    def __init__(self, start: float, speed: float, tick: float) -> None:
        self.start, self.speed, self.tick = start, speed, tick
        self._began: float | None = None

    def wind_up(self) -> None:
        self._began = time.monotonic()

    def now(self) -> float:
        began = self._began
        if began is None:
            return self.start
        return self.start + self.tick * math.floor((time.monotonic() - began) * self.speed / self.tick)

    def until(self, when: float) -> float:
        """Real seconds until it shows `when` or later, at least 0; infinite while it stands before."""
        began = self._began
        if began is None:
            return 0.0 if when <= self.start else math.inf
        ticks = math.ceil((when - self.start) / self.tick)
        return max(0.0, began + ticks * self.tick / self.speed - time.monotonic())

    def sleep_until(self, when: float) -> None:
        while (left := self.until(when)) > 0:
            time.sleep(min(left, 1.0))


class QuickInbox:
    """What waits for an engine that waits by such a clock."""

    def __init__(self, clock: QuickClock) -> None:
        self._clock = clock
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.put = self._queue.put
        self.get_nowait = self._queue.get_nowait

    def get(self, *, timeout: float) -> Any:
        """`timeout`: seconds of that clock. Raises queue.Empty."""
        left = self._clock.until(self._clock.now() + timeout)
        return self._queue.get(timeout=min(left, 0.05))  # it may stand, or be wound up meanwhile
