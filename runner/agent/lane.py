"""A queue before a number of slots: first come, first served, and never more running than slots."""

from __future__ import annotations

from collections import deque

from .slot_link import SlotLink
from .spool import OUTCOMES


class Lane:
    """The tasks' slots, or the start task's one. An execution may need several slots: it runs in one of them and
    the others wait; nothing overtakes it, so that it is not starved."""

    def __init__(self) -> None:
        self.slots: list[SlotLink] = []
        self._queue: deque[tuple[str, int, bytes]] = deque()
        self._queued: set[str] = set()
        self._dropped: set[str] = set()
        self._idle: list[SlotLink] = []
        self._held: dict[str, list[SlotLink]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._queued

    def put(self, key: str, need: int, line: bytes) -> None:
        if key in self._dropped:  # recalled, and now wanted again: the old entry must not come alive
            self._dropped.remove(key)
            self._queue = deque(entry for entry in self._queue if entry[0] != key)
        self._queue.append((key, need, line))
        self._queued.add(key)

    def drop(self, key: str) -> bool:
        """Takes a queued execution out; False if it is not queued."""
        if key not in self._queued:
            return False
        self._queued.remove(key)
        self._dropped.add(key)
        return True

    def add(self, slot: SlotLink) -> None:
        self.slots.append(slot)
        if slot.running is None:
            self._idle.append(slot)

    def hold_again(self) -> None:
        """After a take-over: keeps idle slots back for the running executions that need more than one."""
        for slot in self.slots:
            state = slot.running_state
            if slot.running is None or state is None or slot.running in self._held:
                continue
            need = min(state["slots"] - 1, len(self._idle))
            self._held[slot.running] = [self._idle.pop() for _ in range(need)]

    def free(self, slot: SlotLink, key: str) -> None:
        """`key` no longer runs in `slot`."""
        slot.running = None
        self._idle.append(slot)
        self._idle += self._held.pop(key, ())

    def dispatch(self) -> list[tuple[SlotLink, str]]:
        """Sends what fits to idle slots; a slot whose spool is full of outcomes waits for acks."""
        sent = []
        while self._queue:
            key, need, line = self._queue[0]
            if key in self._dropped:
                self._dropped.remove(key)
                self._queue.popleft()
                continue
            need = min(need, len(self.slots))
            if not need or len(self._idle) < need:
                break
            slot = next((slot for slot in self._idle if slot.ready and len(slot.unacked) < OUTCOMES), None)
            if slot is None:
                break
            self._queue.popleft()
            self._queued.remove(key)
            self._idle.remove(slot)
            if need > 1:
                self._held[key] = [self._idle.pop() for _ in range(need - 1)]
            slot.running = key
            slot.send(line)
            sent.append((slot, key))
        return sent
