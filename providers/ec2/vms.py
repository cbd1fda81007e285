"""What is known of an instance, in the contract's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..host_keys import HostKeys
from ..provider import Vm, VmState
from .fleet import Entry
from .instance import Instance
from .prices import SpotPrices, list_price
from .settings import Ec2Settings


class Vms:
    def __init__(
        self, settings: Ec2Settings, host_keys: HostKeys | None, spot: SpotPrices, now: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._host_keys = host_keys
        self._spot = spot
        self._now = now

    def of(self, entry: Entry) -> Vm:
        """Made anew only when something has changed: of a thousand VMs hardly one has."""
        self._complete(entry)
        if entry.told is not None:
            instance, vm = entry.told
            same = instance is entry.instance and vm.host_key == entry.host_key
            if same and vm.price_per_hour == entry.price:
                return vm
        instance = entry.instance  # another thread may put a newer one there meanwhile
        vm = self._told(entry, instance)
        entry.ready = vm.state is VmState.RUNNING
        entry.told = (instance, vm)
        return vm

    def _complete(self, entry: Entry) -> None:
        """What EC2 does not tell with the instance."""
        if entry.host_key is None and self._settings.host_keys == "userData" and self._host_keys is not None:
            entry.host_key = self._host_keys.public(entry.instance.name)
        if entry.price is None:
            entry.price = self._price(entry)

    def _told(self, entry: Entry, instance: Instance) -> Vm:
        settings = self._settings
        state = instance.vm_state
        address = instance.public if settings.public else instance.private
        if state is VmState.RUNNING and (address is None or entry.host_key is None):
            state = VmState.PENDING
        tags = {key: value for key, value in (instance.tags or {}).items() if settings.tags.get(key) != value}
        return Vm(
            name=instance.name,
            provider_id=instance.id,
            state=state,
            address=address,
            port=settings.ssh_port if address is not None else None,
            user=settings.ssh_user,
            host_key=entry.host_key,
            low_priority=instance.spot,
            node_root=settings.node_root,
            created=instance.created,
            reason=instance.reason,
            tags=tags,
            size=instance.size,
            zone=instance.zone or None,
            internal=instance.private,
            price_per_hour=entry.price,
        )

    def _price(self, entry: Entry) -> float | None:
        instance, settings = entry.instance, self._settings
        if not instance.spot:
            return settings.prices.get(instance.size, list_price(instance.size, settings.region)) or None
        if instance.size in settings.low_priority_prices:
            return settings.low_priority_prices[instance.size] or None
        return self._spot.at(instance.size, instance.zone, instance.created or self._now())

    def learn_prices(self, entries: Iterable[Entry]) -> None:
        """Of VMs that a controller before us made: the price then."""
        unpriced = [e.instance for e in entries if e.instance.spot and e.price is None and not self._price(e)]
        unpriced = [i for i in unpriced if self._spot.missing(i.size, i.zone)]
        if unpriced:
            created = [i.created for i in unpriced if i.created is not None]
            self._spot.learn({i.size for i in unpriced}, since=min(created, default=None))
