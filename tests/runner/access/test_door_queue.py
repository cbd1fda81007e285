"""Nobody keeps the door from the others."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from runner.door_queue import DoorQueue, Key


class Door:
    """A queue whose sources are known at once; the connection is its own key."""

    def __init__(self, served: int, waiting: int = 1000) -> None:
        self.queue: DoorQueue[Key] = DoorQueue(served, waiting)
        self._number = 0

    def come(self, source: int, count: int = 1) -> list[Key]:
        """Those that were refused."""
        refused = []
        for _ in range(count):
            self._number += 1
            key = (self._number, source)
            gone = self.queue.add(key, key)
            if gone is not None:
                refused.append(gone)
            self.queue.told({each: each[1] for each in self.queue.unknown()})
        return refused

    def serve(self) -> list[Key]:
        found = []
        while (one := self.queue.next()) is not None:
            found.append(one[1])
        return found


def test_one_alone_leaves_room_for_the_next() -> None:
    door = Door(64)
    door.come(1, 500)
    assert len(door.serve()) == 48
    door.come(2)
    assert door.serve() == [(501, 2)]
    for key in [(number, 1) for number in range(1, 49)]:
        door.queue.done(key)
    assert len(door.serve()) == 48


def test_sources_take_turns() -> None:
    door = Door(4)
    door.come(1, 10)
    assert len(door.serve()) == 3
    door.come(2, 3)
    door.come(3, 3)
    assert [source for _, source in door.serve()] == [2]
    for number in range(1, 4):
        door.queue.done((number, 1))
    assert Counter(source for _, source in door.serve()) == {1: 1, 2: 1, 3: 1}


def test_who_has_most_waiting_is_refused_first() -> None:
    door = Door(2, waiting=5)
    assert door.come(1, 5) == []
    assert door.come(2) == [(5, 1)]
    assert door.come(1) == [(4, 1)]
    assert door.queue.waiting == 5


def test_strangers_wait_until_it_is_known_whose_they_are() -> None:
    queue: DoorQueue[str] = DoorQueue(8, 10)
    queue.add((1, 40000), "a")
    assert queue.unknown() == {(1, 40000)} and queue.next(strangers=False) is None
    queue.told({(1, 40000): 7})
    assert queue.unknown() == frozenset() and queue.next(strangers=False) == ((1, 40000), "a")
    queue.add((2, 40000), "b")  # the same port once more
    assert queue.next() == ((2, 40000), "b")
    queue.done((1, 40000))
    assert queue.serving == 1
    assert queue.clear() == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 100)), max_size=20), st.integers(1, 64))
def test_all_that_wait_are_served_and_never_too_many(comings: list[tuple[int, int]], served: int) -> None:
    door = Door(served, waiting=10_000)
    for source, count in comings:
        door.come(source, count)
    left, now = sum(count for _, count in comings), door.serve()
    seen: set[Key] = set()
    while now:
        assert door.queue.serving <= served
        served_now = now.pop(0)
        assert served_now not in seen
        seen.add(served_now)
        door.queue.done(served_now)
        now += door.serve()
    assert len(seen) == left and not door.queue.waiting
