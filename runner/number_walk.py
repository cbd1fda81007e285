"""Two ways of asking about whole numbers in ranges without touching each number of each range. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Walk:
    """From a number to the next one that does not pass a test which, once passed, stays passed, unless `fails` says
    otherwise."""

    def __init__(self, passes: Callable[[int], bool]) -> None:
        self._passes = passes
        self._known: dict[int, int] = {}

    def next(self, start: int, end: int) -> int:
        """The first number from `start` to `end` that does not pass; end + 1 if all do."""
        number, known, passes = start, self._known, self._passes
        while number <= end:
            further = known.get(number)
            if further is not None:
                number = further
            elif passes(number):
                number += 1
            else:
                break
        if number > start + 1:
            known[start] = max(number, known.get(start, 0))
        return min(number, end + 1)

    def fails(self, number: int) -> None:
        """The number may not pass any more."""
        if self._known:
            self._known = {at: further for at, further in self._known.items() if not at <= number < further}


class Ranges(Generic[T]):
    """Ranges of numbers, each with a thing; all that hold a number can be taken out at once."""

    #: so many new ones are looked at one by one before they are sorted in
    FRESH = 64

    def __init__(self) -> None:
        self._sorted: list[tuple[int, int, T]] = []
        self._starts: list[int] = []
        #: a tree over the sorted ones: the greatest end below each node; -1 for what was taken out
        self._ends: list[int] = []
        self._fresh: list[tuple[int, int, T]] = []

    def add(self, start: int, end: int, thing: T) -> None:
        self._fresh.append((start, end, thing))

    def take(self, number: int) -> list[T]:
        """Take out all whose range holds the number."""
        if len(self._fresh) > self.FRESH + len(self._sorted) // 8:
            self._sort_in()
        found = [thing for start, end, thing in self._fresh if start <= number <= end]
        if found:
            self._fresh = [each for each in self._fresh if not each[0] <= number <= each[1]]
        upto = bisect_right(self._starts, number)
        if upto:
            found.extend(self._take(1, 0, len(self._ends) // 2, upto, number))
        return found

    def _take(self, node: int, low: int, high: int, upto: int, number: int) -> Iterator[T]:
        """Of the sorted ones from `low` to before `high`, which are below the tree's `node`, those before `upto`."""
        ends = self._ends
        if low >= upto or ends[node] < number:
            return
        if high - low == 1:
            ends[node] = -1
            yield self._sorted[low][2]
            return
        middle = (low + high) // 2
        yield from self._take(2 * node, low, middle, upto, number)
        yield from self._take(2 * node + 1, middle, high, upto, number)
        ends[node] = max(ends[2 * node], ends[2 * node + 1])

    def _sort_in(self) -> None:
        size = len(self._ends) // 2
        left = [each for i, each in enumerate(self._sorted) if self._ends[size + i] >= 0]
        self._sorted = sorted((*left, *self._fresh), key=lambda each: each[0])
        self._fresh = []
        self._starts = [each[0] for each in self._sorted]
        size = 1
        while size < len(self._sorted):
            size *= 2
        self._ends = [-1] * (2 * size)
        self._ends[size : size + len(self._sorted)] = [each[1] for each in self._sorted]
        for node in range(size - 1, 0, -1):
            self._ends[node] = max(self._ends[2 * node], self._ends[2 * node + 1])
