"""What waits to be handled by the engine of a storm, in another order than it came in."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import Any

from runner.events import Event, VmsListed

from .faults import StormFaults

_Posted = tuple[Event, Any, Any]


class StormInbox:
    """What comes from the same source keeps its order; what comes from others may overtake it."""

    def __init__(
        self,
        faults: StormFaults,
        go_on: Callable[[float, Callable[[], bool]], None],
        heard: Callable[[VmsListed], None],
    ) -> None:
        """`go_on`: lets so many seconds pass in the world, or less if the condition holds before; `heard`: is told of
        each list of VMs that is handled."""
        self._faults = faults
        self._go_on = go_on
        self._heard = heard
        self._waiting: deque[_Posted] = deque()

    def put(self, item: _Posted) -> None:
        self._waiting.append(item)
        if len(self._waiting) > 1 and self._faults.strikes("reorder", self._faults.reorder_chance, item[0]):
            place = len(self._waiting) - 1
            while place and _source(self._waiting[place - 1]) != _source(item):
                self._waiting[place], self._waiting[place - 1] = self._waiting[place - 1], self._waiting[place]
                place -= 1

    def get(self, *, timeout: float) -> _Posted:
        self._go_on(timeout, lambda: bool(self._waiting))
        return self.get_nowait()

    def get_nowait(self) -> _Posted:
        if not self._waiting:
            raise queue.Empty
        item = self._waiting.popleft()
        if isinstance(item[0], VmsListed):
            self._heard(item[0])
        return item


def _source(item: _Posted) -> object:
    event, future, _ = item
    if future is not None:
        return "somebody"
    return getattr(event, "node_id", None) or getattr(event, "provider", None)


