"""Where randomness enters this package."""

from __future__ import annotations

import os
import random


def chance() -> random.Random:
    """A generator that no other process repeats, for pauses that must not fall together."""
    return random.Random(os.urandom(16))
