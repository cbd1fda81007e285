"""The hosts and the records of one deployment together, and where they differ."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ProviderError
from .hosts import Watched, look_at_all
from .inventory import Host
from .records import Record, Records, Stage, of_lease


@dataclass(frozen=True)
class StaticSettings:
    hosts: tuple[Host, ...]
    base: Path
    max_vms: int | None = None
    check_interval: float = 60.0  # seconds
    timeout: float = 30.0  # seconds
    least_free: float = 1 << 30  # bytes
    boot_timeout: float | None = None  # seconds
    sizes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default_size: str | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    low_priority_prices: Mapping[str, float] = field(default_factory=dict)
    pool_user: bool = False  # as in Profile
    unasked_root: bool = False


class Fleet:
    """Raises ProviderError where the records cannot be kept."""

    def __init__(self, name: str, deployment: str, settings: StaticSettings, clock: Callable[[], float]) -> None:
        self.name = name
        self.deployment = deployment
        self.settings = settings
        self.clock = clock
        self.records = Records(settings.base, deployment)
        self.hosts = [self._watched(host) for host in settings.hosts]
        self._by_key = {each.host.key: each for each in self.hosts}
        self._retired: dict[str, Watched] = {}  # no longer in the inventory, but leased
        self._meeting = threading.Lock()

    def _watched(self, host: Host) -> Watched:
        return Watched(host, self.settings.timeout, self.clock)

    def host_of(self, record: Record) -> Watched:
        """As the settings describe it now; as the record does, if they know it no more."""
        key = record.host.key
        return self._by_key.get(key) or self._retired.setdefault(key, self._watched(record.host))

    def meet_all(self) -> None:
        """Each host is asked once before anything is decided: it may have a lease of which there is no record."""
        with self._meeting:
            look_at_all(host for host in self.hosts if not host.asked)

    # ----------------------------------------------------------------------------------------------------- records

    @contextmanager
    def storing(self) -> Iterator[None]:
        """What the disk says when a record cannot be kept becomes an error of ours."""
        try:
            yield
        except OSError as exc:
            base = self.settings.base
            text = f"provider {self.name}: its records in {base} cannot be used: {exc}; make it writable, with room"
            raise ProviderError(text) from exc

    def record(self, name: str) -> Record | None:
        with self.storing():
            record = self.records.get(name)
        return record if record is not None and record.deployment == self.deployment else None

    def put(self, record: Record) -> None:
        with self.storing():
            self.records.put(record)

    def remove(self, name: str) -> None:
        with self.storing():
            self.records.remove(name)

    # --------------------------------------------------------------------------------------- hosts against records

    def refresh(self, records: Mapping[str, Record]) -> None:
        """Ask those hosts of which too little is known, or whose lease does not fit the records."""
        at = {record.host.key: record for record in map(self._located, records.values())}
        due = []
        for each in [*self.hosts, *self._retired.values()]:
            record = at.get(each.host.key)
            leased = record is not None and record.stage is Stage.LEASED
            misfit = leased and each.down is None and not is_lease_of(each.lease, record)
            stray = record is None and self.foundling(each) is not None
            if misfit or stray or each.is_due(self.settings.check_interval, leased=record is not None):
                due.append(each)
        look_at_all(due)
        for each in [*self.hosts, *self._retired.values()]:
            each.rest(self.deployment)

    def _located(self, record: Record) -> Record:
        self.host_of(record)
        return record

    def foundlings(self) -> list[tuple[Watched, Record]]:
        """The hosts that have leases for this deployment, with these as records, by what they said last."""
        found = [(each, self.foundling(each)) for each in self.hosts]
        return [(each, record) for each, record in found if record is not None]

    def foundling(self, each: Watched) -> Record | None:
        """The lease that the host has for this deployment."""
        lease = each.lease
        if lease is None or lease.get("deployment") != self.deployment or each.facts is None:
            return None
        if lease.get("machine") != each.facts.machine or self._twin(each) is not None:
            return None  # it is another host's
        return of_lease(lease, each.host, each.link.shown)

    def found(self, name: str) -> Record | None:
        return next((record for _, record in self.foundlings() if record.name == name), None)

    def reason(self, each: Watched) -> str | None:
        """Why the host cannot be leased, as far as is known."""
        if each.down is not None:
            return each.down
        if each.facts is None:
            return None
        ill = each.facts.ill(self.settings.least_free) or self._twin(each)
        return ill or (leased_by(each.lease) if each.lease is not None else None)

    def _twin(self, each: Watched) -> str | None:
        """The inventory may name one account twice, under two addresses: the first counts."""
        for other in self.hosts:
            if other is each:
                return None
            if other.facts is not None and each.facts is not None and other.facts.account == each.facts.account:
                return f"it is the same account as {other.host.key}: leave one of them out"
        return None


def is_lease_of(lease: Mapping[str, Any] | None, record: Record | None) -> bool:
    if lease is None or record is None:
        return False
    return (lease.get("name"), lease.get("deployment")) == (record.name, record.deployment)


def leased_by(lease: Mapping[str, Any] | None) -> str:
    if lease is None or "name" not in lease:
        return "its ~/.ebbtide/lease.json is damaged: look whether a node of ours runs there, and remove the file"
    return f"leased as {lease['name']} by deployment {lease['deployment']}"
