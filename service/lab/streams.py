"""Chance, from one seed: each thing that is left to it draws from a stream of its own, so that one of them does not
change because another is asked more often."""

from __future__ import annotations

from random import Random


def stream(seed: int, name: str) -> Random:
    """The stream of that name, such as `arrivals` or `boots`; the same for the same seed."""
    return Random(f"{seed}/{name}")
