"""The first of many paths, in their order, without holding all of them."""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

MOST = 10_000
MOST_LENGTH = 8 << 20  # characters of all paths together


class Listed:
    """`paths` with what is known of each (`described`); `truncated`: there are more behind the last of them."""

    def __init__(self, after: str) -> None:
        """Only what stands behind `after` counts; "": all."""
        self._after = after
        self._length = 0
        self.paths: list[str] = []
        self.described: list[Message] = []
        self.truncated = False

    def wants(self, path: str) -> bool:
        return path > self._after and not (self.truncated and path > self.paths[-1])

    def add(self, path: str, described: Message) -> None:
        at = bisect_right(self.paths, path)
        self.paths.insert(at, path)
        self.described.insert(at, described)
        self._length += len(path)
        while len(self.paths) > MOST or (self._length > MOST_LENGTH and len(self.paths) > 1):
            self._length -= len(self.paths.pop())
            self.described.pop()
            self.truncated = True
