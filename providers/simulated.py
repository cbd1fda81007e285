"""A cloud in memory: boot delay, quota, room by size and zone, and chosen failures, on a clock that is handed in. No
processes, no chance.

It answers as a real one would, so that pools can be simulated and tested in virtual time.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import CapacityError, InvalidRequestError, NotFoundError, ProviderError, QuotaError, TransientError
from .names import check_name, check_spec, unknown
from .provider import Capabilities, Finding, Image, Profile, Severity, Size, Vm, VmSpec, VmState
from .settings import SettingsReader

SIZES = {  # CPUs, MiB, US dollars per hour
    "simulated.small": (1, 2048, 0.02),
    "simulated.medium": (2, 8192, 0.08),
    "simulated.large": (4, 32768, 0.32),
}
#: size, zone, low-priority
_Place = tuple[str, str | None, bool]
_LIVING = (VmState.PENDING, VmState.RUNNING)
_LOW_PRIORITY_SHARE = 0.2  # of the dedicated price, when the settings name none


@dataclass(frozen=True)
class SimulatedSettings:
    boot_delay: float = 30.0  # seconds from create to running
    max_vms: int | None = None
    #: what a pool's vmSize may stand for, and where: as in `Profile`
    profile: Profile = field(default_factory=Profile)
    #: living VMs at most, by (size, zone, low-priority); what is not named has room without end
    room: Mapping[tuple[str, str | None, bool], int] = field(default_factory=dict)
    #: for so many seconds a new VM is known to nobody but its maker
    visibility_delay: float = 0.0
    #: so many seconds after it could be reached the cloud says that a VM runs; if any, it names its address at once
    running_late: float = 0.0
    prices: Mapping[str, float] = field(default_factory=dict)
    low_priority_prices: Mapping[str, float] = field(default_factory=dict)


class SimulatedProvider:
    """Implements Provider."""

    def __init__(self, name: str, deployment: str, settings: SimulatedSettings, clock: Callable[[], float]) -> None:
        self._name = name
        self._deployment = deployment
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._vms: dict[str, Vm] = {}
        #: how many live, by place: thousands are not looked at for each one more
        self._living: Counter[_Place] = Counter()
        #: as in the settings; may be changed at any time
        self.room = dict(settings.room)
        #: when each VM was last asked for, whether it came to be or not
        self._asked: dict[str, float] = {}
        #: those whose end will be confirmed once without being true
        self.spared: set[str] = set()
        self._failures: dict[str, deque[ProviderError]] = {}

    @property
    def name(self) -> str:
        return self._name

    def capabilities(self) -> Capabilities:
        return Capabilities(
            low_priority=True,
            preempt=True,
            user_data=True,
            host_keys=True,
            known_by="names",
            max_vms=self._settings.max_vms,
            console=True,
        )

    def profile(self) -> Profile:
        return self._settings.profile

    def check(self) -> Iterator[Finding]:
        yield Finding("simulated", Severity.OK, "exists in memory only")

    def sizes(self) -> list[Size]:
        own, low = self._settings.prices, self._settings.low_priority_prices
        sizes = []
        for name, (cpus, memory, usual) in SIZES.items():
            price = own.get(name, usual)
            sizes.append(Size(name, cpus, memory, price, low.get(name, price * _LOW_PRIORITY_SHARE)))
        return sizes

    def images(self) -> list[Image]:
        return [Image("simulated", "Exists in memory only")]

    def fail(self, method: str, error: ProviderError, after: bool = False) -> None:
        """Let the next call of `method` (create, list_owned, destroy, preempt, console) raise `error`; calls queue up.

        `after=True` loses the answer instead: the call takes effect first, and raises then.
        """
        with self._lock:
            self._failures.setdefault(("after " if after else "before ") + method, deque()).append(error)

    def _stumble(self, moment: str) -> None:
        waiting = self._failures.get(moment)
        if waiting:
            raise waiting.popleft()

    def create(self, spec: VmSpec) -> Vm:
        check_spec(spec, self._deployment)
        known: list[tuple[Any, list[Any], str]] = [
            (spec.size, list(SIZES), "vmSize"),
            (spec.image, ["simulated"], "image"),
            (spec.zone, [None, *self._settings.profile.zones], "zone"),
        ]
        for wanted, offered, kind in known:
            if wanted not in offered:
                raise unknown(self._name, kind, wanted, map(str, offered))
        with self._lock:
            self._asked[spec.name] = self._clock()
            self._stumble("before create")
            if spec.name not in self._vms:
                self._find_room(spec)
                self._add(spec)
            self._stumble("after create")
            return self._told(spec.name)

    def _find_room(self, spec: VmSpec) -> None:
        limit, place = self._settings.max_vms, _place(spec)
        room = self.room.get(place)
        if limit is not None and self._living.total() >= limit:
            raise QuotaError(f"{self._living.total()} simulated VMs exist and maxVms is {limit}; raise it, or wait")
        if room is not None and self._living[place] >= room:
            kind = "low-priority" if spec.low_priority else "dedicated"
            raise CapacityError(f"no room for a {kind} {spec.size} in zone {spec.zone}")

    def _add(self, spec: VmSpec) -> None:
        self._vms[spec.name] = self._new(spec)
        self._living[_place(spec)] += 1

    def _drop(self, name: str) -> None:
        vm = self._vms.pop(name, None)
        if vm is not None and vm.state in _LIVING:
            self._living[_place(vm)] -= 1

    def _price(self, spec: VmSpec) -> float | None:
        size = next(size for size in self.sizes() if size.name == spec.size)
        return size.low_priority_price_per_hour if spec.low_priority else size.price_per_hour

    def _new(self, spec: VmSpec) -> Vm:
        return Vm(
            name=spec.name,
            provider_id=f"sim-{spec.name}",
            state=VmState.PENDING,
            address=None,
            port=None,
            user="simulated",
            host_key=None,
            low_priority=spec.low_priority,
            node_root="/mnt/batch/tasks",
            created=self._clock(),
            tags=dict(spec.tags),
            size=spec.size,
            zone=spec.zone,
            price_per_hour=self._price(spec),
        )

    def _now(self, name: str) -> Vm:
        """The VM after the time that has passed: a boot ends by the clock alone."""
        vm = self._vms[name]
        if vm.state is VmState.PENDING and self._clock() >= (vm.created or 0.0) + self._settings.boot_delay:
            vm = self._vms[name] = replace(_placed(vm), state=VmState.RUNNING)
        return vm

    def _told(self, name: str) -> Vm:
        """What the cloud says of it, which may know less than there is."""
        vm, late = self._now(name), self._settings.running_late
        if not late or vm.state not in _LIVING:
            return vm
        ran = (vm.created or 0.0) + self._settings.boot_delay
        return _placed(vm) if self._clock() >= ran + late else replace(_placed(vm), state=VmState.PENDING)

    def list_owned(self) -> list[Vm]:
        with self._lock:
            self._stumble("before list_owned")
            return [self._told(name) for name in sorted(self._vms) if self._visible(name)]

    def everything(self) -> list[Vm]:
        """Every VM there really is, whether it shows or not. Nothing that was chosen to fail fails here."""
        with self._lock:
            return [self._now(name) for name in sorted(self._vms)]

    def vm(self, name: str) -> Vm | None:
        """That VM as it really is; None: there is none."""
        with self._lock:
            return self._now(name) if name in self._vms else None

    def _visible(self, name: str) -> bool:
        vm = self._vms.get(name)
        asked = self._asked.get(name, 0.0) if vm is None else vm.created or 0.0
        return self._clock() >= asked + self._settings.visibility_delay

    def sweep(self, dry: bool = False) -> list[str]:
        return []

    def console(self, name: str) -> str | None:
        check_name(name, self._deployment)
        with self._lock:
            self._stumble("before console")
            if name not in self._vms:
                return None
            vm = self._now(name)
            return f"simulated VM {name} is {vm.state}" + (f": {vm.reason}" if vm.reason else "")

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        check_name(name, self._deployment)
        with self._lock:
            self._stumble("before destroy")
            if provider_id is None and not self._visible(name):
                raise TransientError(f"VM {name} was asked for a moment ago and does not show yet")
            if name in self.spared:
                self.spared.remove(name)
            else:
                self._drop(name)
            self._stumble("after destroy")

    def reboot(self, name: str, provider_id: str | None = None) -> Vm | None:
        check_name(name, self._deployment)
        with self._lock:
            self._stumble("before reboot")
            if name not in self._vms or self._now(name).state is not VmState.RUNNING:
                raise NotFoundError(f"there is no VM {name} to reboot")
            self._stumble("after reboot")
            return None

    def preempt(self, name: str) -> None:
        with self._lock:
            self._stumble("before preempt")
            if name not in self._vms:
                raise NotFoundError(f"there is no VM {name} to preempt")
            if not self._vms[name].low_priority:
                raise InvalidRequestError(f"VM {name} is dedicated; only low-priority VMs can be preempted")
            self._end(name, VmState.PREEMPTED, "preempted on command")

    def terminate(self, name: str, reason: str) -> None:
        """The VM dies by itself: a crash, in the simulation. Raises NotFoundError."""
        with self._lock:
            if name not in self._vms:
                raise NotFoundError(f"there is no VM {name} to terminate")
            self._end(name, VmState.TERMINATED, reason)

    def _end(self, name: str, state: VmState, reason: str) -> None:
        vm = self._vms[name]
        if vm.state in _LIVING:
            self._vms[name] = replace(vm, state=state, reason=reason)
            self._living[_place(vm)] -= 1


def open_simulated(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: object, clock: Callable[[], float]
) -> SimulatedProvider:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    parsed = SimulatedSettings(
        boot_delay=reader.number("bootDelay", 30.0),
        max_vms=reader.count("maxVms"),
        profile=Profile(sizes=reader.lists("sizes"), zones=reader.texts("zones"), batch_images="one"),
        visibility_delay=reader.number("visibilityDelay", 0.0),
        prices=reader.prices("prices", SIZES),
        low_priority_prices=reader.prices("lowPriorityPrices", SIZES),
    )
    reader.finish()
    return SimulatedProvider(name, deployment, parsed, clock)


def _place(vm: Vm | VmSpec) -> _Place:
    return (vm.size or "", vm.zone, vm.low_priority)


def _placed(vm: Vm) -> Vm:
    """With where it can be reached."""
    digest = hashlib.sha256(vm.name.encode()).digest()
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + digest
    return replace(
        vm,
        address=f"198.18.{digest[0]}.{digest[1]}",  # a range that is set aside for tests
        port=22,
        host_key=f"ssh-ed25519 {base64.b64encode(blob).decode()}",
    )
