"""EC2 as a Provider: libcloud makes and ends VMs, boto3 lists them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from libcloud.compute.base import Node

from ..errors import AuthError, InvalidRequestError, NotFoundError, ProviderError, QuotaError, TransientError
from ..host_keys import HostKeys
from ..names import check_name, check_spec
from ..provider import Capabilities, Finding, Image, Profile, Size, Vm, VmSpec
from .api import Api
from .check import Preflight
from .console import Consoles
from .ending import Ending
from .errors import NOTHING_MADE, code_of
from .fleet import Entry, Fleet
from .images import Images
from .instance import from_node
from .key_pair import KeyPair
from .launch import Launch, check_size, prepare
from .listing import Listing
from .network import Network
from .prices import SpotPrices, all_sizes
from .settings import Ec2Settings, read_settings
from .vms import Vms

log = logging.getLogger(__name__)

_PRICE_WAIT = 2.0  # seconds that a create call waits at most for the spot price
_NEEDED = 60.0  # seconds for which group and key wait for a VM that could not be made
_GOING = 300.0  # seconds that a VM's end takes at most, until which its group is in use; mostly one minute
_STALE = ("InvalidGroup.NotFound", "InvalidKeyPair.NotFound")


class Ec2Provider:
    """Implements Provider."""

    def __init__(
        self,
        name: str,
        deployment: str,
        settings: Ec2Settings,
        host_keys: HostKeys | None,
        now: Callable[[], float],
        api: Api | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._deployment = deployment
        self._settings = settings
        self._host_keys = host_keys
        self._api = api if api is not None else Api(name, settings)
        self._fleet = Fleet(settings.visibility_delay)
        self._listing = Listing(self._api, self._fleet, deployment, settings.full_listing)
        self._ending = Ending(self._api, self._fleet, self._listing, deployment, sleep)
        self._images = Images(self._api, settings)
        self._network = Network(self._api, settings, deployment, sleep)
        self._keys = KeyPair(self._api, settings, deployment)
        self._consoles = Consoles(self._api)
        self._spot = SpotPrices(self._api, now)
        self._vms = Vms(settings, host_keys, self._spot, now)
        self._untidy = True  # a group or key of ours may be there
        self._needed_until = self._fleet.clock()

    @property
    def name(self) -> str:
        return self._name

    def capabilities(self) -> Capabilities:
        return Capabilities(
            low_priority=True,
            preempt=False,
            user_data=True,
            host_keys=True,
            known_by="tags",
            max_vms=self._settings.max_vms,
            subnets=True,
            isolation=not self._settings.security_groups,
            max_price=True,
            console=True,
        )

    def profile(self) -> Profile:
        return self._settings.profile_of_pools

    def check(self) -> Iterator[Finding]:
        yield from Preflight(self._api, self._settings, self._images, self._network, self._spot, self._deployment).run()

    def sizes(self) -> list[Size]:
        return all_sizes(self._api, self._settings, self._spot)

    def images(self) -> list[Image]:
        return self._images.offered()

    # -- create ------------------------------------------------------------------------------------------------

    def create(self, spec: VmSpec) -> Vm:
        check_spec(spec, self._deployment)
        check_size(self._name, spec.size, self._settings.region)
        if known := self._fleet.of(spec.name):
            self._listing.describe(entry.instance.id for entry in known)
            if known := self._fleet.of(spec.name):
                return self._vms.of(_main(known))
        if self._settings.max_vms is not None and not self._listing.known:
            self._listing.look()
        full = self._fleet.reserve(spec.name, self._settings.max_vms)
        if full is not None:
            limit = self._settings.max_vms
            raise QuotaError(f"{full} VMs of {self._name} exist and maxVms is {limit}; raise it, or wait")
        try:
            return self._vms.of(self._made(spec))
        finally:
            self._fleet.release(spec.name)

    def _made(self, spec: VmSpec) -> Entry:
        priced = self._ask_price(spec)
        try:
            launch = self._prepared(spec)
        except ProviderError as exc:
            exc.nothing_made = True
            raise
        try:
            entry = self._launched(spec, launch)
        except NOTHING_MADE as exc:
            exc.nothing_made = True
            raise
        except ProviderError:
            self._fleet.answer_lost(spec.name)
            raise
        if priced is not None:
            priced.join(_PRICE_WAIT)
        return entry

    def _prepared(self, spec: VmSpec) -> Launch:
        image = self._images.resolve(spec.image)
        self._untidy, self._needed_until = True, self._fleet.clock() + _NEEDED
        place = self._network.place(spec.zone, spec.subnet)
        key_pair = self._keys.name_for(spec.public_key)
        return prepare(spec, self._settings, image, place, key_pair, self._host_keys)

    def _launched(self, spec: VmSpec, launch: Launch) -> Entry:
        try:
            made = self._api.compute(launch.run, "RunInstances")
        except ProviderError as exc:
            if code_of(exc) in _STALE:  # what we had made was taken away meanwhile, or does not show yet
                made = self._launched_anew(spec)
            elif (code_of(exc) or "").startswith("Idempotent"):
                return self._made_before(spec, exc)
            else:
                raise
        if not isinstance(made, Node):
            raise TransientError(f"provider {self._name}: EC2's answer to RunInstances names no single VM")
        return self._fleet.created(from_node(made, spec.name, spec.low_priority, launch.tags))

    def _launched_anew(self, spec: VmSpec) -> Node | list[Node]:
        self._network.forget()
        self._keys.forget()
        try:
            return self._api.compute(self._prepared(spec).run, "RunInstances")
        except ProviderError as exc:
            group, key = (code_of(exc) == stale for stale in _STALE)
            if (group and not self._settings.security_groups) or (key and self._settings.key_pair is None):
                raise TransientError(f"{exc}; it was made and does not show yet") from exc
            raise

    def _made_before(self, spec: VmSpec, exc: ProviderError) -> Entry:
        """The name was used in an earlier call with other arguments (settings have changed), or its VM has ended."""
        self._listing.named([spec.name])
        if known := self._fleet.of(spec.name):
            return _main(known)
        if code_of(exc) == "IdempotentParameterMismatch":
            raise TransientError(f"{exc}; it does not show yet") from exc
        raise InvalidRequestError(f"provider {self._name}: the VM {spec.name} existed before and has ended") from exc

    def _ask_price(self, spec: VmSpec) -> threading.Thread | None:
        """Learn the spot price beside the create call, not after it."""
        if not spec.low_priority or spec.size in self._settings.low_priority_prices:
            return None
        thread = threading.Thread(target=self._spot.learn, args=([spec.size],), name="spot price", daemon=True)
        thread.start()
        return thread

    # -- list --------------------------------------------------------------------------------------------------

    def list_owned(self) -> list[Vm]:
        self._listing.look()
        self._read_host_keys()
        entries = self._fleet.shown()
        self._vms.learn_prices(entries)
        by_name: dict[str, list[Entry]] = {}
        for entry in entries:
            by_name.setdefault(entry.instance.name, []).append(entry)
        return [self._vms.of(_main(by_name[name])) for name in sorted(by_name)]

    def _read_host_keys(self) -> None:
        if self._settings.host_keys == "console":
            waiting = [e for e in self._fleet.shown() if e.host_key is None and e.instance.state == "running"]
            for entry, key in self._consoles.host_keys(waiting):
                entry.host_key = key

    # -- destroy -----------------------------------------------------------------------------------------------

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        check_name(name, self._deployment)
        if self._ending.end(name, provider_id):
            self._needed_until = self._fleet.clock()
        try:
            self._tidied(dry=False)
        except ProviderError as exc:
            log.warning("provider %s: what was made beside VMs cannot be removed now: %s", self._name, exc)

    # -- what nobody needs -------------------------------------------------------------------------------------

    def sweep(self, dry: bool = False) -> list[str]:
        doubles = self._fleet.doubles()  # two VMs of one name cannot be; should they, the oldest stays
        for double in doubles if not dry else ():
            self._ending.terminate(double.instance.id)
        found = [f"{double.instance.id}, a second VM of the name {double.instance.name}" for double in doubles]
        return found + self._tidied(dry)

    def _tidied(self, dry: bool) -> list[str]:
        """When the last VM has gone: what we made beside it, and have removed or (a group in use) tried to."""
        if not (self._untidy or dry) or not self._listing.known or not self._fleet.deserted():
            return []
        if self._fleet.clock() < self._needed_until:  # no room for a VM now; it is tried again soon
            return []
        if dry:
            return [*self._keys.remove(dry), *self._network.remove(dry)]
        self._untidy = False  # before the look: a create call may begin meanwhile, and says so
        try:
            found = [*self._keys.remove(), *self._network.remove()]
        except ProviderError as exc:
            self._untidy = self._untidy or not isinstance(exc, AuthError)  # which stays as it is
            raise
        in_use = bool(found) and self._fleet.clock() < self._needed_until + _GOING  # perhaps; the next look tells
        self._untidy = self._untidy or in_use
        return found

    # -- the rest ----------------------------------------------------------------------------------------------

    def console(self, name: str) -> str | None:
        check_name(name, self._deployment)
        if not self._fleet.of(name):
            self._listing.named([name])
        known = self._fleet.of(name)
        return self._consoles.text(_main(known).instance.id) if known else None

    def reboot(self, name: str, provider_id: str | None = None) -> Vm | None:
        check_name(name, self._deployment)
        if not self._fleet.of(name):
            self._listing.named([name])
        known = self._fleet.of(name)
        if not known or _main(known).instance.over:
            raise NotFoundError(f"provider {self._name}: there is no VM {name} to reboot")
        self._api.ec2("reboot_instances", InstanceIds=[_main(known).instance.id])
        return None

    def preempt(self, name: str) -> None:
        raise InvalidRequestError(f"provider {self._name} cannot preempt a VM on command; EC2 alone does that")


def _main(entries: list[Entry]) -> Entry:
    """The one that stands for the name: the oldest that is not over."""
    return next((entry for entry in entries if not entry.instance.over), entries[0])


def open_ec2(
    name: str,
    settings: Mapping[str, Any],
    deployment: str,
    host_keys: HostKeys | None,
    clock: Callable[[], float],
) -> Ec2Provider:
    """Raises InvalidRequestError."""
    read = read_settings(name, settings)
    api = Api(name, read)
    threading.Thread(target=api.warm_up, name=f"warm-up of {name}", daemon=True).start()
    return Ec2Provider(name, deployment, read, host_keys, clock, api)
