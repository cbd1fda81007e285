"""Which execution is where: waiting in the agent, running in a slot, or finished and not acknowledged."""

from __future__ import annotations

from . import JOB, STARTUP, wire
from .lane import Entry, Lane
from .slot_link import SlotLink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterable

    from .wire import Message


class Assignments:
    """`say` takes a line for the controller."""

    def __init__(self, say: Callable[[bytes], None]) -> None:
        self._say = say
        self.tasks = Lane()
        self.jobs = Lane()
        self._startup = Lane()
        #: next, running, or finished and not acknowledged; also damages that are not
        self._known: dict[str, SlotLink] = {}
        self._unwanted: set[str] = set()  # recalled while they were the next of a slot

    def _lane(self, slot: SlotLink) -> Lane:
        if slot.name == STARTUP:
            return self._startup
        return self.jobs if slot.name.startswith(JOB) else self.tasks

    def _dispatch(self, lane: Lane) -> None:
        for slot, key in lane.dispatch():
            self._known[key] = slot

    # -- what supervisors report

    def joined(self, slot: SlotLink) -> None:
        """It told its state for the first time."""
        for key in slot.unacked:
            self._known[key] = slot
        if slot.running is not None:
            self._known[slot.running] = slot
        lane = self._lane(slot)
        lane.add(slot)
        self._dispatch(lane)

    def rejoined(self, slot: SlotLink, before: str | None, known: set[str]) -> None:
        """It told its state after its predecessor died, which ran `before` and had reported `known`."""
        lane = self._lane(slot)
        if slot.damage:
            self._known[slot.damage] = slot
        for line in slot.reports:
            key = wire.head_of(line)[1]
            self._known[key] = slot
            if key not in known:
                self._say(line + b"\n")
        if slot.next is not None:
            entry = lane.give_back(slot)
            if entry.key not in slot.unacked and slot.damaged:  # nobody can tell whether it was begun
                self._lost(entry.key)
            elif entry.key not in slot.unacked:  # it was not begun
                self._return(lane, entry)
        if before is not None:
            lane.free(slot, before)
            if before not in slot.unacked:
                # Its record did not survive, or it was never begun. Either way no more will be heard of it.
                self._lost(before)
        self._dispatch(lane)

    def _lost(self, key: str) -> None:
        self._known.pop(key, None)
        self._unwanted.discard(key)
        self._say(wire.encode({"op": "lost", "id": key, "reason": "its supervisor died at its start"}))

    def reported(self, slot: SlotLink, lines: list[bytes]) -> None:
        """Takes the lines of a supervisor in and passes them on."""
        lane = self._lane(slot)
        for line in lines:
            op, key = wire.head_of(line)
            if op == b"returned":
                if slot.next is not None and slot.next.key == key:
                    self._return(lane, lane.give_back(slot))
                continue
            if op == b"recalled":
                lane.give_back(slot)
                del self._known[key]
            elif op not in (b"started", b"coordinated"):
                slot.unacked.add(key)
                if slot.running == key:
                    lane.free(slot, key)
            self._unwanted.discard(key)
            self._say(line + b"\n")
        self._dispatch(lane)

    def _return(self, lane: Lane, entry: Entry) -> None:
        del self._known[entry.key]
        if entry.key in self._unwanted:
            self._unwanted.remove(entry.key)
            self._recalled(entry.key)
        else:
            lane.put(entry, first=True)

    def damages(self, slots: Iterable[SlotLink]) -> list[str]:
        """Of the spools of tasks. Those of others cast no doubt on tasks, and need not be told."""
        found = {slot.damage: self._lane(slot) is self.tasks for slot in slots if slot.damage}
        self.ack([name for name, of_tasks in found.items() if not of_tasks])
        return [name for name, of_tasks in found.items() if of_tasks]

    # -- what the controller wants

    def start(self, message: Message, line: bytes) -> None:
        """Raises ValueError for a bad id."""
        key = message["id"]
        if not wire.valid_id(key):
            raise ValueError("an id must be 1 to 128 printable ASCII characters without quotes and backslashes")
        lane = {"startup": self._startup, "job": self.jobs}.get(message.get("kind", "task"), self.tasks)
        slot = self._known.get(key)
        if slot is None:
            if key not in lane:
                lane.put(Entry(key, max(1, int(message.get("slots", 1))), line + b"\n"))
                self._dispatch(lane)
        elif slot.next is None or slot.next.key != key:
            slot.send(line + b"\n")  # it reports what it knows

    def ack(self, keys: list[str]) -> None:
        for key in keys:
            slot = self._known.get(key)
            if slot is not None and key in slot.unacked:
                del self._known[key]
                slot.unacked.remove(key)
                slot.acks.append(key)
        for lane in (self.tasks, self.jobs, self._startup):
            self._dispatch(lane)

    def kill(self, key: str, line: bytes) -> None:
        slot = self._known.get(key)
        if slot is None:
            self._recalled(key)
            return
        if slot.next is not None and slot.next.key == key:
            self._unwanted.add(key)
        slot.send(line + b"\n")

    def proceed(self, key: str, line: bytes) -> None:
        """Passed on to the execution that waits for it; one that is not there has ended."""
        slot = self._known.get(key)
        if slot is not None:
            slot.send(line + b"\n")

    def recall(self, keys: list[str]) -> None:
        for key in keys:
            slot = self._known.get(key)
            if slot is None:
                self._recalled(key)
            elif slot.next is not None and slot.next.key == key:
                self._unwanted.add(key)
                slot.send(wire.encode({"op": "recall", "id": key}))

    def _recalled(self, key: str) -> None:
        """What is unknown here has not started and never will, as far as this agent knows: recalled too."""
        for lane in (self.tasks, self.jobs, self._startup):
            lane.drop(key)
        self._say(wire.encode({"op": "recalled", "id": key}))
