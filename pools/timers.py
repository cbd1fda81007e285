"""When which object wants to be looked at again. Not stored: `recover` sets the timers anew from the
records."""

from __future__ import annotations

import heapq

#: So many settings that were overtaken are kept in any case.
_SLACK = 64


class Timers:
    def __init__(self) -> None:
        self._when: dict[tuple[str, str], float] = {}
        self._heap: list[tuple[float, tuple[str, str]]] = []
        #: how many have rung, ever
        self.rung = 0

    def set(self, kind: str, key: str, when: float) -> None:
        """(Re)set the timer of this kind for this object; an earlier setting is forgotten."""
        if self._when.get((kind, key)) == when:
            return
        self._when[kind, key] = when
        heapq.heappush(self._heap, (when, (kind, key)))
        if len(self._heap) > 2 * len(self._when) + _SLACK:
            # what was set for a far time and set anew again and again would stay in here until then
            self._heap = [(when, timer) for timer, when in self._when.items()]
            heapq.heapify(self._heap)

    def set_earlier(self, kind: str, key: str, when: float) -> None:
        """Set the timer unless it rings before `when` anyway."""
        present = self._when.get((kind, key))
        if present is None or present > when:
            self.set(kind, key, when)

    def delay(self, kind: str, key: str, seconds: float) -> None:
        """Let the timer ring so much later, if it is set."""
        present = self._when.get((kind, key))
        if present is not None:
            self.set(kind, key, present + seconds)

    def cancel(self, kind: str, key: str) -> None:
        self._when.pop((kind, key), None)

    def due(self, now: float) -> list[tuple[str, str]]:
        """The timers that have rung, earliest first; each is cleared."""
        rung = []
        while self._heap and self._heap[0][0] <= now:
            when, timer = heapq.heappop(self._heap)
            if self._when.get(timer) == when:
                del self._when[timer]
                rung.append(timer)
        self.rung += len(rung)
        return rung

    def next(self) -> float | None:
        """The time of the earliest timer."""
        while self._heap and self._when.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
