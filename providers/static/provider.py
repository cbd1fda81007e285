"""Hosts of an inventory as VMs: what the contract asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import InvalidRequestError, ProviderError, TransientError
from ..local.host_key import parse_public
from ..names import check_name, check_spec, unknown
from ..provider import Capabilities, Finding, Image, Profile, Size, Vm, VmSpec, VmState
from .findings import findings
from .fleet import Fleet, StaticSettings, is_lease_of, leased_by
from .hosts import Watched, look_at_all
from .leasing import Leasing
from .lines import Lines
from .link import HostDown
from .records import Record, Stage

IMAGE = "static"


class StaticProvider:
    """Implements Provider. The VM's own name at its provider (`provider_id`) is the host's."""

    def __init__(self, name: str, deployment: str, settings: StaticSettings, clock: Callable[[], float]) -> None:
        self._name = name
        self._deployment = deployment
        self._settings = settings
        self._fleet = Fleet(name, deployment, settings, clock)
        self._leasing = Leasing(self._fleet)
        self._lines = Lines()

    @property
    def name(self) -> str:
        return self._name

    def capabilities(self) -> Capabilities:
        hosts, limit = len(self._settings.hosts), self._settings.max_vms
        return Capabilities(
            low_priority=any(host.low_priority for host in self._settings.hosts),
            preempt=False,
            user_data=False,
            host_keys=True,
            known_by="names",
            max_vms=hosts if limit is None else min(limit, hosts),
        )

    def profile(self) -> Profile:
        return Profile(
            sizes=self._settings.sizes,
            default_size=self._settings.default_size,
            boot_timeout=self._settings.boot_timeout,
            image=IMAGE,
            batch_images="one",
            all_sizes=tuple(self._sizes()),
            pool_user=self._settings.pool_user,
            unasked_root=self._settings.unasked_root,
            reboot="what else runs on its hosts would end too; reimage the node, or reboot its host by hand",
        )

    def check(self) -> Iterator[Finding]:
        look_at_all(self._fleet.hosts)
        yield from findings(self._fleet.hosts, self._deployment, self._settings.least_free)

    def _sizes(self) -> list[str]:
        return list(dict.fromkeys(host.size for host in self._settings.hosts))

    def sizes(self) -> list[Size]:
        """What a size has is what the weakest of its hosts has, of those that have answered; 0 if none does."""
        self._fleet.meet_all()
        return [self._size(name) for name in self._sizes()]

    def _size(self, name: str) -> Size:
        known = [each.facts for each in self._fleet.hosts if each.host.size == name and each.facts is not None]
        return Size(
            name,
            cpus=min((facts.cpus for facts in known), default=0),
            memory_mib=min((facts.memory for facts in known), default=0),
            price_per_hour=self._settings.prices.get(name),
            low_priority_price_per_hour=self._settings.low_priority_prices.get(name),
        )

    def images(self) -> list[Image]:
        return [Image(IMAGE, "Each host as it is")]

    def create(self, spec: VmSpec) -> Vm:
        """Lease a free host of the size, in the order of the inventory. CapacityError: there is none, and why."""
        self._check(spec)
        with self._lines(spec.name):
            return self._vm(self._leasing.lease(spec))

    def _check(self, spec: VmSpec) -> None:
        check_spec(spec, self._deployment)
        if spec.low_priority and not self.capabilities().low_priority:
            raise InvalidRequestError(f"provider {self._name} has no low-priority VMs; ask for a dedicated one")
        if spec.user_data is not None:
            raise InvalidRequestError(f"provider {self._name} runs no user data; use the pool's start task")
        if spec.size not in self._sizes():
            raise unknown(self._name, "vmSize", spec.size, self._sizes())
        if spec.image != IMAGE:
            raise unknown(self._name, "image", spec.image, [IMAGE])
        try:
            parse_public(spec.public_key)
        except ValueError as exc:
            raise InvalidRequestError(f"VM {spec.name}: {exc}") from exc

    def list_owned(self) -> list[Vm]:
        """Each host that has a lease is asked every `checkInterval`; what is told meanwhile is what it said then."""
        fleet = self._fleet
        records = self._records()
        fleet.refresh(records)
        with fleet.storing():
            left = [record for record in records.values() if fleet.records.path(record.name).exists()]
        for _, found in fleet.foundlings():
            if found.name not in records:
                left.append(records.setdefault(found.name, found))
        return sorted((self._vm(record) for record in left), key=lambda vm: vm.name)

    def _records(self) -> dict[str, Record]:
        with self._fleet.storing():
            return {record.name: record for record in self._fleet.records.ours()}

    def _vm(self, record: Record) -> Vm:
        each = self._fleet.host_of(record)
        state, reason = _state(each, record)
        known = record.stage is Stage.LEASED
        prices = self._settings.low_priority_prices if record.low_priority else self._settings.prices
        return Vm(
            name=record.name,
            provider_id=record.host.key,
            state=state,
            address=each.host.address if known else None,
            port=each.host.port if known else None,
            user=each.host.user,
            host_key=record.host_key or None,
            low_priority=record.low_priority,
            node_root=record.node_root,
            created=record.created,
            reason=reason,
            tags={**each.host.labels, **record.tags},
            size=record.size,
            price_per_hour=prices.get(record.size),
        )

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        """End what runs of it on its host, remove its files and the key, and give the lease back."""
        check_name(name, self._deployment)
        fleet = self._fleet
        with self._lines(name):
            record = fleet.record(name)
            if record is None:
                fleet.meet_all()
            wanted = [] if record is None or record.stage is Stage.INTENT else [fleet.host_of(record)]
            wanted += [each for each in fleet.hosts if each not in wanted and (each.lease or {}).get("name") == name]
            for each in wanted:
                self._release(each, name)
            fleet.remove(name)

    def _release(self, each: Watched, name: str) -> None:
        try:
            answer = each.release(name, self._deployment)
        except HostDown as down:
            where = self._fleet.records.path(name)
            raise TransientError(
                f"provider {self._name}: VM {name} keeps its lease until its host answers: {down} (if the machine is "
                f"gone for good, remove {where})"
            ) from down
        if "busy" in answer:
            raise TransientError(f"provider {self._name}: {each.host.key}: {answer['busy']}; asked again")
        if "ended" not in answer:
            raise ProviderError(f"provider {self._name}: VM {name} on {each.host.key}: {answer['refused']}")

    def sweep(self, dry: bool = False) -> list[str]:
        """Record the leases that are known to their hosts alone, and give back the second of a name: a controller that
        was killed had asked a host, and its answer came after the next had chosen another."""
        records, strays = self._records(), []
        for each, found in self._fleet.foundlings():
            record = records.setdefault(found.name, found)
            if _is_stray(each, record):
                strays.append(f"a second lease of {found.name}, on {each.host.key}")
            if not dry and (record is found or _is_stray(each, record)):
                self._settle(each, found.name)
        return strays

    def _settle(self, each: Watched, name: str) -> None:
        with self._lines(name):
            found, record = self._fleet.foundling(each), self._fleet.record(name)
            if found is None or found.name != name:
                return  # given back meanwhile
            if record is None:
                self._fleet.put(found)
            elif _is_stray(each, record):
                try:
                    each.release(name, self._deployment)
                except HostDown:
                    pass  # found again after the next listing

    def console(self, name: str) -> str | None:
        check_name(name, self._deployment)
        return None

    def reboot(self, name: str, provider_id: str | None = None) -> Vm | None:
        raise InvalidRequestError(f"provider {self._name} reboots no hosts: {self.profile().reboot}")

    def preempt(self, name: str) -> None:
        raise InvalidRequestError(f"provider {self._name} cannot preempt a VM on command")


def _is_stray(each: Watched, record: Record) -> bool:
    """Is the lease that this host has for the VM's name not the VM's own?"""
    return record.stage is Stage.LEASED and record.host.key != each.host.key


def _state(each: Watched, record: Record) -> tuple[VmState, str | None]:
    if record.stage is not Stage.LEASED:
        return VmState.PENDING, None
    if each.down is not None:
        return VmState.UNKNOWN, each.down
    if each.asked and not is_lease_of(each.lease, record):
        if each.lease is not None:
            return VmState.TERMINATED, f"{each.host.key} is {leased_by(each.lease)}"
        return VmState.TERMINATED, f"its lease was removed from {each.host.key}"
    return VmState.RUNNING, None
