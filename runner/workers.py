"""Threads for what takes time. While the system gives no further one, work waits for those that there are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

log = logging.getLogger(__name__)


class Workers:
    def __init__(self, threads: int, name: str) -> None:
        """`threads`: at most. Raises RuntimeError if not even one can be had."""
        self._name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._few = self._closed = False
        self._pool.submit(int)  # brings the one that stays, whatever comes

    def submit(self, work: Callable[..., object], *args: Any) -> None:
        """Does not block. Raises RuntimeError after `close`."""
        try:
            self._pool.submit(work, *args)
        except RuntimeError as exc:
            if self._closed:
                raise
            # it stands in line all the same
            if not self._few:
                log.warning("work waits for those threads that there are (%s): %s", self._name, exc)
            self._few = True
        else:
            self._few = False

    def close(self, *, drop: bool) -> None:
        """Wait for what is under way; what stands in line is dropped, or done first."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=drop)
