"""What goes wrong in a story, and when: every incident has a name, so that a story can be told again with some of them
left out.

Each kind of incident has randomness of its own: leaving one out changes nothing of the others but what follows from it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Incident:
    """`name`: its kind, and the how manieth time the question was whether one of that kind happens. `time`: seconds
    since the story began."""

    name: str
    time: float
    what: object

    @property
    def kind(self) -> str:
        return self.name.partition("#")[0]

    def __str__(self) -> str:
        return f"{self.time:9.3f} s  {self.name:<24} {self.what}"


class Chances:
    def __init__(self, seed: int, only: frozenset[str] | None = None) -> None:
        """`only`: the names of the incidents that may happen; None: all may."""
        self._seed = seed
        self._only = only
        self._streams: dict[str, random.Random] = {}
        self._asked: Counter[str] = Counter()
        #: seconds since the story began
        self.clock: Callable[[], float] = lambda: 0.0
        self.happened: list[Incident] = []

    def stream(self, kind: str) -> random.Random:
        found = self._streams.get(kind)
        if found is None:
            found = self._streams[kind] = random.Random(f"{self._seed} {kind}")
        return found

    def strikes(self, kind: str, chance: float, what: object = "") -> bool:
        """Does an incident of that kind happen now?"""
        self._asked[kind] += 1
        if self.stream(kind).random() >= chance:
            return False
        name = f"{kind}#{self._asked[kind]}"
        if self._only is not None and name not in self._only:
            return False
        self.happened.append(Incident(name, self.clock(), what))
        return True

    def pick(self, kind: str, options: Sequence[T]) -> T:
        return self.stream(kind).choice(options)
