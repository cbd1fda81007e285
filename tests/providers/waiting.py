"""Waiting for a state instead of sleeping."""

import time
from collections.abc import Callable
from typing import Any


def wait_until(condition: Callable[[], Any], within: float = 60.0, pause: float = 0.005) -> Any:
    """The first true value of `condition`; fails after `within` seconds, which a loaded machine may well need."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(pause)
    return value
