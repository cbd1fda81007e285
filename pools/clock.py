"""The one place that asks the machine for the time."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch, UTC."""


class SystemClock:
    """The machine's clock. When that is set back, time passes at half its speed until the two agree again: what waits
    for a time would wait so much longer otherwise, and VMs with it. Safe to ask from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told = time.time()
        self._asked = time.monotonic()

    def now(self) -> float:
        with self._lock:
            asked = time.monotonic()
            self._told = max(time.time(), self._told + (asked - self._asked) / 2)
            self._asked = asked
            return self._told
