"""A queue before a number of slots: first come, first served, and never more running than slots."""

from __future__ import annotations

import time
from collections import deque

from .slot_link import SlotLink
from .spool import OUTCOMES

QUICK = 0.05  # executions that took no longer (seconds) are followed up without asking the agent


class Entry:
    """An execution that waits: `line` starts it, `need` is how many slots it takes."""

    __slots__ = ("key", "line", "need")

    def __init__(self, key: str, need: int, line: bytes) -> None:
        self.key = key
        self.need = need
        self.line = line


class Lane:
    """The tasks' slots, or the start task's one.

    An execution may need several slots: it runs in one of them and the others wait; nothing overtakes it,
    so that it is not starved. A slot whose executions are short is given the next one in advance, so that
    it need not wait for the agent in between; it gives it back when the current one turns out to be long.
    """

    def __init__(self) -> None:
        self.slots: list[SlotLink] = []
        self.width = 0  # how many slots there will be, when all that were configured have told their state
        self._queue: deque[Entry] = deque()
        self._queued: dict[str, Entry] = {}
        self._idle: list[SlotLink] = []
        self._held: dict[str, list[SlotLink]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._queued

    def put(self, entry: Entry, first: bool = False) -> None:
        self._queued[entry.key] = entry
        if first:
            self._queue.appendleft(entry)
        else:
            self._queue.append(entry)

    def drop(self, key: str) -> None:
        """Takes an execution out of the queue, if it is there."""
        self._queued.pop(key, None)  # dispatch passes its entry over

    def add(self, slot: SlotLink) -> None:
        self.slots.append(slot)
        if slot.running is None:
            self._idle.append(slot)

    def cramped(self) -> bool:
        """Is more waiting than idle slots can take?"""
        return len(self._queued) >= len(self._idle)

    def hold_again(self) -> None:
        """After a take-over: keeps idle slots back for the running executions that need more than one."""
        for slot in self.slots:
            state = slot.running_state
            if slot.running is not None and state is not None and state["slots"] > 1:
                need = min(state["slots"] - 1, len(self._idle))
                self._held[slot.running] = [self._idle.pop() for _ in range(need)]

    def free(self, slot: SlotLink, key: str) -> None:
        """`key` no longer runs in `slot`; if the slot has a next one, that runs now."""
        now = time.monotonic()
        slot.quick = now - slot.since < QUICK
        slot.since = now
        slot.running = None
        self._idle += self._held.pop(key, ())
        if slot.next is None:
            self._idle.append(slot)
        else:
            slot.running, slot.next = slot.next.key, None

    def give_back(self, slot: SlotLink) -> Entry:
        """The slot did not start its next one."""
        entry = slot.next
        assert entry is not None
        slot.next = None
        slot.quick = False
        return entry

    def _head(self) -> Entry | None:
        while self._queue:
            entry = self._queue[0]
            if self._queued.get(entry.key) is entry:
                return entry
            self._queue.popleft()  # it was dropped
        return None

    def _take(self, slot: SlotLink) -> Entry:
        entry = self._queue.popleft()
        del self._queued[entry.key]
        slot.send(entry.line)
        return entry

    def dispatch(self) -> list[tuple[SlotLink, str]]:
        """Sends what fits; a slot whose spool is full of outcomes waits for acks."""
        sent = []
        entry = self._head()
        while entry is not None:
            need = min(entry.need, max(self.width, len(self.slots)))
            if not need or len(self._idle) < need:
                break
            slot = next((slot for slot in self._idle if slot.ready and len(slot.unacked) < OUTCOMES), None)
            if slot is None:
                break
            self._idle.remove(slot)
            if need > 1:
                self._held[entry.key] = [self._idle.pop() for _ in range(need - 1)]
            slot.running = entry.key
            slot.since = time.monotonic()
            sent.append((slot, self._take(slot).key))
            entry = self._head()
        for slot in self.slots if entry is not None and not self._idle else ():
            if entry is None or entry.need > 1:
                break
            fits = slot.ready and slot.next is None and len(slot.unacked) + 1 < OUTCOMES
            if slot.quick and fits and slot.running not in self._held:
                slot.next = self._take(slot)
                sent.append((slot, slot.next.key))
                entry = self._head()
        return sent
