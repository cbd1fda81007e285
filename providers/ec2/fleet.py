"""What is remembered of our VMs between two looks at EC2, so that a look can be cheap.

An instance's address, tags, size and zone never change; only its state does. EC2 is eventually consistent: a new
instance may be unknown to it for a while, an ended one loses its tags before it goes. So instances are remembered by
id from the answer that made them, and belief yields to what EC2 says only once it must know better.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from ..provider import Vm
from .instance import ASKED_FOR, Instance

_FORGET = 2 * 3600.0  # seconds; EC2 shows an ended instance for about one hour
YOUNG = 600.0  # seconds within which a VM that EC2 has made, and does not show, may still show
_NEVER = float("-inf")


@dataclass(slots=True)
class Entry:
    instance: Instance
    since: float  # on `clock`: when it was first heard of
    seen: bool = False  # a look has shown it
    lived: bool = True  # was not over when it was first heard of
    ready: bool = False  # it runs, and everything about it is known
    host_key: str | None = None
    price: float | None = None
    told: tuple[Instance, Vm] | None = None  # the Vm that was made of the instance as it was
    destroyed: float | None = None  # on `clock`: when its end was asked for
    missed: bool = False  # the last look did not know it, after one that did


class Fleet:
    """Safe to use from several threads. Asks nobody."""

    def __init__(self, visibility_delay: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.visibility_delay = visibility_delay
        self.clock = clock
        self.lock = threading.RLock()
        self._opened = clock()
        self._entries: dict[str, Entry] = {}
        self._ids: dict[str, list[str]] = {}
        self._attempts: dict[str, float] = {}
        self._creating: dict[str, int] = {}

    # -- creating ----------------------------------------------------------------------------------------------

    def reserve(self, name: str, limit: int | None) -> int | None:
        """A create call for the name begins. If that would exceed `limit` VMs: how many there are, and nothing
        begins."""
        with self.lock:
            if limit is not None and name not in self._creating:
                living = {e.instance.name for e in self._entries.values() if not e.instance.over and not e.destroyed}
                living |= set(self._creating) | set(self._attempts)
                if name not in living and len(living) >= limit:
                    return len(living)
            self._creating[name] = self._creating.get(name, 0) + 1
            return None

    def created(self, instance: Instance) -> Entry:
        with self.lock:
            self._attempts.pop(instance.name, None)
            entry = self._entries.get(instance.id)
            if entry is None:
                entry = self._enter(instance, seen=False, lived=True)
            return entry

    def answer_lost(self, name: str) -> None:
        """There may be a VM of that name."""
        with self.lock:
            self._attempts[name] = self.clock()

    def release(self, name: str) -> None:
        """The create call is over, however it went."""
        with self.lock:
            self._creating[name] -= 1
            if not self._creating[name]:
                del self._creating[name]

    def lost(self) -> list[str]:
        """Names whose create call was not answered and that may still show."""
        with self.lock:
            return list(self._attempts)

    def not_found(self, name: str) -> None:
        """A look for a lost name found nothing."""
        with self.lock:
            at = self._attempts.get(name)
            if at is not None and self.clock() > at + self.visibility_delay:
                del self._attempts[name]

    # -- what EC2 says -----------------------------------------------------------------------------------------

    def saw(self, instances: Iterable[Instance]) -> None:
        with self.lock:
            for instance in instances:
                entry = self._entries.get(instance.id)
                if entry is None:
                    self._enter(instance, seen=True, lived=not instance.over)
                elif not (entry.instance.ended and not instance.ended):  # an end is final; what says else is older
                    entry.instance, entry.seen, entry.missed = instance, True, False
                self._attempts.pop(instance.name, None)

    def unknown(self, ids: Iterable[str]) -> bool:
        """EC2 knows no such ids: too new, or long gone. True if one was seen before.

        One that EC2 says it has made, and that has never shown, is believed in for longer. One that has shown is not
        given up for a single answer: not every part of EC2 knows at once what another one does.
        """
        odd = False
        with self.lock:
            for instance_id in ids:
                entry = self._entries.get(instance_id)
                if entry is None or self.may_show(entry):
                    continue
                odd = odd or entry.seen
                if entry.seen and not entry.missed:
                    entry.missed = True
                else:
                    self._drop(instance_id)
        return odd

    def may_show(self, entry: Entry) -> bool:
        """That EC2 does not know it does not mean that it is gone."""
        delay = self.visibility_delay if entry.seen else max(self.visibility_delay, YOUNG)
        return self.clock() <= entry.since + delay

    def forget(self) -> None:
        """Let go of what ended long ago."""
        with self.lock:
            now = self.clock()
            for instance_id, entry in list(self._entries.items()):
                if entry.destroyed is not None and now > entry.destroyed + _FORGET:
                    self._drop(instance_id)

    def _enter(self, instance: Instance, seen: bool, lived: bool) -> Entry:
        entry = self._entries[instance.id] = Entry(instance, self.clock(), seen, lived)
        self._ids.setdefault(instance.name, []).append(instance.id)
        return entry

    def _drop(self, instance_id: str) -> None:
        entry = self._entries.pop(instance_id)
        ids = self._ids[entry.instance.name]
        ids.remove(instance_id)
        if not ids:
            del self._ids[entry.instance.name]

    # -- questions ---------------------------------------------------------------------------------------------

    def entry(self, instance_id: str) -> Entry | None:
        with self.lock:
            return self._entries.get(instance_id)

    def of(self, name: str) -> list[Entry]:
        """The oldest first."""
        with self.lock:
            entries = [self._entries[instance_id] for instance_id in self._ids.get(name, ())]
            return sorted(entries, key=lambda e: (e.instance.created or 0.0, e.instance.id))

    def settled(self) -> list[str]:
        """Ids of which only the state can change."""
        with self.lock:
            return [key for key, e in self._entries.items() if self._settled(e)]

    def moving(self) -> list[str]:
        """Ids of which there is more to learn."""
        with self.lock:
            return [key for key, e in self._entries.items() if not self._settled(e) and not self._done(e)]

    def expected(self, among: Collection[str]) -> list[str]:
        """Ids that a full listing should have shown, and that are not among those it did."""
        with self.lock:
            return [key for key, e in self._entries.items() if key not in among and not self._done(e)]

    def _settled(self, entry: Entry) -> bool:
        return entry.seen and entry.ready and entry.instance.state == "running"

    def _done(self, entry: Entry) -> bool:
        return entry.instance.state == "terminated" or (entry.instance.ended and entry.destroyed is not None)

    def destroyed(self, ids: Iterable[str], change: Callable[[Instance], Instance] | None) -> None:
        """The end of these was asked for, and is certain; `change`: what that makes of them."""
        with self.lock:
            for instance_id in ids:
                entry = self._entries.get(instance_id)
                if entry is not None:
                    entry.destroyed = self.clock()
                    entry.instance = entry.instance if change is None else change(entry.instance)

    def gone(self, instance_id: str) -> None:
        with self.lock:
            if instance_id in self._entries:
                self._drop(instance_id)

    def doubles(self) -> list[Entry]:
        """Living ones beside an older living one of the same name."""
        with self.lock:
            names = [name for name, ids in self._ids.items() if len(ids) > 1]
            living = [[e for e in self.of(name) if not e.instance.over and e.destroyed is None] for name in names]
            return [entry for entries in living for entry in entries[1:]]

    def shown(self) -> list[Entry]:
        """What a listing tells of. Left out is what was destroyed, and what was over before we came because
        somebody asked for it: nothing is left to do for it."""
        with self.lock:
            return [entry for entry in self._entries.values() if not self._hidden(entry)]

    def _hidden(self, entry: Entry) -> bool:
        if entry.destroyed is not None:
            return True
        return entry.instance.ended and not entry.lived and entry.instance.code == ASKED_FOR

    def visible_by(self, name: str) -> float:
        """When (on `clock`) a VM of that name, if there is one, shows to everybody: after the last create call whose
        answer was lost, and after those that a controller before us may have left behind (a refusal that we have met
        says nothing of these)."""
        with self.lock:
            return max(self._opened, self._attempts.get(name, _NEVER)) + self.visibility_delay

    def deserted(self) -> bool:
        """No VM of ours lives, and none is on its way."""
        with self.lock:
            return not self._creating and all(e.instance.ended for e in self._entries.values()) and not self._attempts
