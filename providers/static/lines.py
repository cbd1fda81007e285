"""One at a time by name, and different names at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Lines:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        with self._lock:
            line, count = self._lines.get(name, (threading.Lock(), 0))
            self._lines[name] = (line, count + 1)
        try:
            with line:
                yield
        finally:
            with self._lock:
                line, count = self._lines[name]
                if count == 1:
                    del self._lines[name]
                else:
                    self._lines[name] = (line, count - 1)
