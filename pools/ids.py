"""The one place that makes identifiers and random numbers."""

from __future__ import annotations

import random
import secrets
from typing import Protocol


class Ids(Protocol):
    def new(self) -> str:
        """A short identifier, unique for ever: 12 characters of 0-9a-f."""

    def several(self, count: int) -> list[str]:
        """So many of them."""

    def random(self) -> random.Random:
        """A source of randomness for formulas and back-off jitter."""


class RandomIds:
    def __init__(self) -> None:
        self._random = random.Random(secrets.randbits(128))

    def new(self) -> str:
        return f"{self._random.getrandbits(48):012x}"

    def several(self, count: int) -> list[str]:
        drawn = self._random.randbytes(6 * count).hex()
        return [drawn[at : at + 12] for at in range(0, 12 * count, 12)]

    def random(self) -> random.Random:
        return self._random


class CountingIds:
    """Identifiers that repeat from run to run, for simulations and tests."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def new(self) -> str:
        self._count += 1
        return f"{self._count:012x}"

    def several(self, count: int) -> list[str]:
        return [self.new() for _ in range(count)]

    def random(self) -> random.Random:
        return self._random
