"""Asking for what every create call needs: one asks, the others wait, and what it hears they hear."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import ProviderError


class Turns:
    """A lock under which EC2 is asked. Whoever waited while another asked in vain gets that error instead of a turn:
    fifty creates at an endpoint that never answers wait one time-out, not fifty one after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: tuple[float, ProviderError] | None = None

    @contextmanager
    def take(self) -> Iterator[None]:
        """Raises the retryable ProviderError that ended a turn meanwhile."""
        came = time.monotonic()
        with self._lock:
            if self._failed is not None and self._failed[0] >= came:
                error = self._failed[1]
                raise copy.copy(error) from error.__cause__
            try:
                yield
            except ProviderError as exc:
                if exc.retryable:
                    self._failed = (time.monotonic(), exc)
                raise
