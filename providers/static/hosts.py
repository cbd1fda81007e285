"""What is known of each host at the moment, and asking those of which it is too old."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .inventory import Host
from .link import HostDown, HostLink

_CLOCK_OFF = 60.0  # seconds that a host's clock may differ from ours: the times of tasks are told by it
_THREADS = 64  # hosts that are asked at a time
_SLOWEST = 10  # times the usual interval: how seldom a host that does not answer and has no lease is tried
_SOON = 20.0  # seconds after which the connection to a host without a lease is closed
_CLEAN_UP = 120.0  # seconds that ending a node may take
_MIB = 1 << 20


@dataclass(frozen=True)
class Facts:
    """What a host said of itself. `lease`: as it stands in its file; {"damaged": True} if that cannot be read."""

    python: str
    cpus: int
    memory: int  # MiB
    free: int  # bytes, where the node's folder will be
    machine: str
    account: str  # equal for two ways to the same account on the same machine
    clock_off: float  # seconds that its clock is ahead of ours
    problem: str | None
    lease: dict[str, Any] | None

    def ill(self, least_free: float) -> str | None:
        """Why no node can be made there although nobody has it; None if one can. `least_free` in bytes."""
        if self.problem is not None:
            return self.problem
        if self.lease is not None and "machine" in self.lease and self.lease["machine"] != self.machine:
            return "its home directory is shared with another machine, which is leased: one account cannot serve two"
        if self.free < least_free:
            return f"{self.free // _MIB} MiB of disk are free, and {int(least_free) // _MIB} are needed"
        if abs(self.clock_off) > _CLOCK_OFF:
            return f"its clock is off by {self.clock_off:.0f} s: set it (NTP)"
        return None


class Watched:
    """One host: the connection to it, and what it said last. Safe to call from several threads."""

    def __init__(self, host: Host, timeout: float, clock: Callable[[], float]) -> None:
        self.host = host
        self.link = HostLink(host, min(timeout, 10.0))
        self._timeout = timeout
        self._clock = clock
        self.facts: Facts | None = None  # the last that it said
        self.down: str | None = None  # why it did not answer the last time
        self.asked = False
        self._failures = 0
        self._at = 0.0  # monotonic; when it was asked last

    def age(self) -> float:
        """Seconds since it was asked."""
        return time.monotonic() - self._at if self.asked else float("inf")

    def is_due(self, interval: float, leased: bool) -> bool:
        if not self.asked:
            return True
        if leased:
            return self.age() >= interval
        return self.down is not None and self.age() >= interval * min(self._failures, _SLOWEST)

    @property
    def lease(self) -> dict[str, Any] | None:
        """As it was told last; None while the host does not answer: then only the record tells of a lease, and whoever
        knows that the machine is gone for good removes that."""
        return self.facts.lease if self.facts is not None and self.down is None else None

    def look(self) -> Facts:
        """Raises HostDown."""
        with self.link.lock:
            began = self._clock()
            answer = self._ask({"op": "look"}, self._timeout)
            off = answer["time"] - (began + self._clock()) / 2
            known = {key: answer[key] for key in ("python", "cpus", "memory", "free", "machine", "account", "problem")}
            self.facts = Facts(**known, clock_off=off, lease=answer["lease"])
            return self.facts

    def take(self, lease: dict[str, Any], public_key: str) -> dict[str, Any]:
        """The host's answer: lease, taken, refused or busy. Raises HostDown."""
        with self.link.lock:
            answer = self._ask({"op": "lease", "lease": lease, "public_key": public_key}, self._timeout)
            self._note(answer.get("lease") or answer.get("taken"))
            return answer

    def release(self, name: str, deployment: str) -> dict[str, Any]:
        """The host's answer: ended, refused or busy. Raises HostDown."""
        with self.link.lock:
            answer = self._ask({"op": "release", "name": name, "deployment": deployment}, _CLEAN_UP)
            if "ended" in answer and (self.lease or {}).get("name") == name:
                self._note(None)
            return answer

    def rest(self, deployment: str) -> None:
        """Keep the connection only while the deployment has the lease, or while something may follow soon."""
        if (self.lease or {}).get("deployment") == deployment or self.age() < _SOON:
            return
        if self.link.lock.acquire(blocking=False):  # else it is in use
            try:
                self.link.close()
            finally:
                self.link.lock.release()

    def _note(self, lease: dict[str, Any] | None) -> None:
        if self.facts is not None:
            self.facts = Facts(**{**self.facts.__dict__, "lease": lease})

    def _ask(self, request: dict[str, Any], within: float) -> dict[str, Any]:
        place = {"root": self.host.node_root, "keys": self.host.authorized_keys}
        try:
            answer = self.link.ask({**request, **place}, within)
        except HostDown as down:
            self.down = str(down)
            self._failures += 1
            raise
        finally:
            self.asked, self._at = True, time.monotonic()
        self.down, self._failures = None, 0
        return answer


def look_at_all(hosts: Iterable[Watched]) -> None:
    """Ask them at the same time; each keeps its answer, or why there was none."""
    wanted = list(hosts)
    if wanted:
        with ThreadPoolExecutor(min(len(wanted), _THREADS), thread_name_prefix="static") as pool:
            list(pool.map(_look, wanted))


def _look(host: Watched) -> None:
    if host.link.lock.acquire(timeout=1.0):  # else it is busy, with a clean-up for example: what is known holds
        try:
            host.look()
        except HostDown:
            pass  # it stands in `down`
        finally:
            host.link.lock.release()
