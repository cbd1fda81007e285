"""Calling a cloud that says "too many calls": a short back-off with full jitter, and a brake that all callers share.

Only throttling is retried here. A cloud that is busy for longer is the caller's business: it hears ThrottledError.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from . import ids
from .errors import ThrottledError

T = TypeVar("T")

_BASE = 0.2  # seconds: the most that the first repetition waits
_CAP = 3.0  # seconds: the most that any repetition waits, unless the cloud asks for more
_GENTLE = 0.05  # seconds: a pause shorter than this is none


class Retrying:
    """One for each account and region, used by every thread that calls it.

    Each throttled answer doubles the pause that every caller makes before its next call of the same kind, each good one
    takes a quarter off: fifty threads slow down together and speed up again, instead of each hammering on its own.
    Clouds count calls of each kind apart: a queue at one of them keeps nobody from the others.
    """

    def __init__(
        self,
        limit: float = 10.0,
        *,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit`: seconds after which a call that is still throttled raises."""
        self._limit = limit
        self._sleep = sleep
        self._random = chance if chance is not None else ids.chance()
        self._clock = clock
        self._lock = threading.Lock()
        self._pauses: dict[str, float] = {}

    @property
    def pause(self) -> float:
        """Seconds that a caller waits at most before its next call, whatever its kind."""
        return max(list(self._pauses.values()), default=0.0)

    def __call__(self, call: Callable[[], T], kind: str = "") -> T:
        """What `call` returns. Raises what it raises; ThrottledError only when the limit is over. `kind`: what the
        cloud counts it as."""
        end = self._clock() + self._limit
        waits = _BASE
        while True:
            self._brake(kind, end)
            try:
                result = call()
            except ThrottledError as exc:
                self._harder(kind)
                wait = max(self._random.uniform(0.0, waits), exc.retry_after or 0.0)
                if self._clock() + wait > end:
                    raise
                self._sleep(wait)
                waits = min(_CAP, waits * 2)
            else:
                self._softer(kind)
                return result

    def _brake(self, kind: str, end: float) -> None:
        pause = self._pauses.get(kind, 0.0)
        if pause >= _GENTLE:
            self._sleep(min(self._random.uniform(0.0, pause), max(0.0, end - self._clock())))

    def _harder(self, kind: str) -> None:
        with self._lock:
            self._pauses[kind] = min(_CAP, max(_GENTLE, self._pauses.get(kind, 0.0) * 2))

    def _softer(self, kind: str) -> None:
        if self._pauses.get(kind):
            with self._lock:
                pause = self._pauses.get(kind, 0.0)
                self._pauses[kind] = pause * 0.75 if pause >= _GENTLE else 0.0
