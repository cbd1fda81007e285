"""Which of the connections that a node forwards is served next, so that no task keeps the door from the others. Pure.

Connections of one source (the user id on the node) wait for each other, sources take turns. A source may have only so
many at a time as leave some free for the next that comes: less than SHARE times what is free then.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
Key = tuple[int, int]

#: One source alone gets 3/4 of all, two 3/7 each, and so on.
SHARE = 3


class DoorQueue(Generic[T]):
    """`key`: what a connection is known by, never twice the same. A source is None until it is told."""

    def __init__(self, served: int, waiting: int) -> None:
        self._served = served
        self._most = waiting
        self._serving: dict[Key, int | None] = {}
        self._waiting: dict[int | None, deque[tuple[Key, T]]] = {}

    @property
    def serving(self) -> int:
        return len(self._serving)

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def unknown(self) -> frozenset[Key]:
        """Keys of those whose source has not been told."""
        served = (key for key, source in self._serving.items() if source is None)
        return frozenset((*served, *(key for key, _ in self._waiting.get(None, ()))))

    def add(self, key: Key, item: T) -> T | None:
        """One that has come. Returns one that is to be refused: of those that wait, the newest of whoever has most."""
        self._waiting.setdefault(None, deque()).append((key, item))
        if self.waiting <= self._most:
            return None
        longest = max(self._waiting, key=lambda source: len(self._waiting[source]))
        _, refused = self._waiting[longest].pop()
        self._drop(longest)
        return refused

    def told(self, sources: Mapping[Key, int]) -> None:
        """Where connections come from, by key."""
        for key, source in self._serving.items():
            if source is None:
                self._serving[key] = sources.get(key)
        for key, item in self._waiting.pop(None, ()):
            self._waiting.setdefault(sources.get(key), deque()).append((key, item))

    def next(self, strangers: bool = True) -> tuple[Key, T] | None:
        """One that is to be served now; say `done` of its key then. `strangers`: also one whose source is unknown."""
        counts = Counter(self._serving.values())
        free = self._served - self.serving
        for source, those in self._waiting.items():
            if counts[source] < SHARE * free and (strangers or source is not None):
                key, item = those.popleft()
                self._serving[key] = source
                # its turn comes again after the others'
                self._waiting[source] = self._waiting.pop(source)
                self._drop(source)
                return key, item
        return None

    def done(self, key: Key) -> None:
        self._serving.pop(key, None)

    def clear(self) -> list[T]:
        """Nobody waits any more; returns who did."""
        waiting = [item for those in self._waiting.values() for _, item in those]
        self._waiting.clear()
        return waiting

    def _drop(self, source: int | None) -> None:
        if not self._waiting[source]:
            del self._waiting[source]
