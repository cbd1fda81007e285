"""Things to do later, in one thread, in the order of their times."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable


class Alarms:
    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Do `action` after that time; never if it is infinite or the alarms are closed before."""
        if seconds == math.inf:
            return
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), action))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="rig-alarms", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._due or self._due[0][0] > time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                _, _, action = heapq.heappop(self._due)
            action()
