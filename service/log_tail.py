"""Where the last lines of a file begin."""

from __future__ import annotations

from collections.abc import Callable

_BLOCK = 1 << 16


def start_of_last_lines(read: Callable[[int, int], bytes], size: int, lines: int) -> int:
    """`read`: bytes at a place, so many at most. `size`: of the file."""
    if not lines:
        return size
    found, at = 0, size
    while at > 0:
        start = max(0, at - _BLOCK)
        block = read(start, at - start)
        for index in range(len(block) - 1, -1, -1):
            if block[index] == 0x0A and start + index != size - 1:
                found += 1
                if found == lines:
                    return start + index + 1
        at = start
    return 0
