"""Random faults, the same for the same seed: crashes, lost answers, slow and repeated messages, dying machines, clouds
without room, clouds that take machines back or keep what they said they had ended."""

from __future__ import annotations

import random

from pools import Node
from providers import (
    AuthError,
    CapacityError,
    Placement,
    PlacementError,
    Profile,
    ProviderError,
    QuotaError,
    SimulatedProvider,
    SimulatedSettings,
    ThrottledError,
    TransientError,
    Vm,
    VmState,
)
from runner.events import Event
from runner.simulation import Simulation
from runner.simulation_faults import Faults

USUAL = {
    "call": 1.0,
    "list": 5.0,
    "connect": 1.5,
    "message": 0.08,
    "fetch": 0.5,
    "packages": 3.0,
    "restart": 10.0,
    "repeat": 20.0,
}
#: What every call may answer.
ERRORS = (ThrottledError, TransientError)
#: What only a create call answers, and says with it that there is no VM.
REFUSALS = (CapacityError, QuotaError, PlacementError)
PROFILE = Profile(sizes={"simulated.small": ("simulated.small", "simulated.medium")}, zones=("a", "b"))
PLACES = tuple(PROFILE.placements("simulated.small"))


class RandomFaults(Faults):
    """All faults end when `calm` is set, so that whoever keeps trying gets there."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.calm = False
        self.crash_chance = rng.choice((0.0, 0.002, 0.01, 0.03))
        self.repeat_chance = rng.choice((0.0, 0.05, 0.2))
        self.error_chance = rng.choice((0.0, 0.05, 0.15))
        #: VMs that their cloud has said to have ended, wrongly
        self.haunting: set[str] = set()
        self._swallowed = False

    def cloud_settings(self) -> SimulatedSettings:
        return SimulatedSettings(
            boot_delay=10.0,
            profile=PROFILE,
            visibility_delay=self.rng.choice((0.0, 0.0, 3.0, 20.0)),
            running_late=random.Random(self.rng.getstate()[1][0]).choice((0.0, 0.0, 5.0)),  # takes no number away
        )

    def end(self, now: float) -> None:
        self.calm = True

    def latency(self, kind: str) -> float:
        return USUAL[kind] * self.rng.choice((0.1, 0.5, 1.0, 1.0, 2.0, 8.0))

    def crashes(self, moment: str) -> bool:
        return not self.calm and self.rng.random() < self.crash_chance

    def call_error(self, method: str) -> tuple[ProviderError, bool] | None:
        """A cloud that has swallowed an answer to a create call is likely to answer the next one badly as well."""
        chance = max(self.error_chance, 0.8) if method == "create" and self._swallowed else self.error_chance
        if self.calm or self.rng.random() >= chance:
            self._swallowed = self._swallowed and method != "create"
            return None
        error = self._error(method)
        self._swallowed = error[1] if method == "create" else self._swallowed
        return error

    def _error(self, method: str) -> tuple[ProviderError, bool]:
        text = f"{method} failed by chance"
        if method == "create" and self.rng.random() < (0.8 if self._swallowed else 0.4):
            refusal = self.rng.choice((*REFUSALS, AuthError))
            return refusal(text), refusal is AuthError and self.rng.random() < 0.5
        if self.rng.random() < 0.2:
            return ThrottledError(text, retry_after=self.rng.uniform(1, 20)), False
        return self.rng.choice(ERRORS)(text), self.rng.random() < 0.5

    def survives_crash(self) -> bool:
        return self.rng.random() < 0.5

    def repeats(self, event: Event) -> bool:
        return self.rng.random() < self.repeat_chance

    def change_room(self, cloud: SimulatedProvider) -> None:
        """Another place is full, or has room again; in the end all have."""
        cloud.room.clear()
        if self.calm:
            return
        for place in PLACES:
            for low_priority in (True, True, False):
                if self.rng.random() < 0.6:
                    cloud.room[_room(place, low_priority)] = self.rng.choice((0, 0, 1))


def _room(place: Placement, low_priority: bool) -> tuple[str, str | None, bool]:
    return (place.size, place.zone, low_priority)


class Adversary:
    """Every now and then something happens to a node."""

    DEEDS = ("cut", "cut", "cut", "crash", "sleep", "kill", "preempt", "notice", "room", "keep", "reboot")

    def __init__(self, sim: Simulation, faults: RandomFaults, every: float) -> None:
        self._sim = sim
        self._faults = faults
        self._every = every
        sim.at(sim.now + every, self._strike)

    def _strike(self, now: float) -> None:
        rng, sim, cloud = self._faults.rng, self._sim, self._sim.world.cloud
        if self._faults.calm:
            self._faults.change_room(cloud)
            return
        nodes: list[Node] = list(sim.journal.table("nodes").values())
        deed = rng.choice(self.DEEDS)
        if deed == "room":
            self._faults.change_room(cloud)
        elif deed == "crash":
            sim.crash()
        elif deed == "sleep" and sim.now >= sim.asleep:
            sim.sleep(rng.choice((5.0, 60.0, 200.0)))
        elif nodes:
            node = rng.choice(nodes)
            vm = sim.world.vm(node.vm_name)
            if deed == "cut":
                sim.world.cut(node.id)
            elif vm is not None and vm.state in (VmState.PENDING, VmState.RUNNING):
                self._befall(deed, vm)
        sim.at(now + self._every * rng.uniform(0.2, 2.0), self._strike)

    def _befall(self, deed: str, vm: Vm) -> None:
        rng, sim = self._faults.rng, self._sim
        if deed == "kill":
            sim.world.kill_vm(vm.name)
        elif deed == "reboot":
            sim.world.reboot(vm.name)
        elif deed == "keep":
            sim.world.cloud.spared.add(vm.name)
            self._faults.haunting.add(vm.name)
        elif deed == "preempt" and vm.low_priority:
            sim.world.preempt(vm.name)
        elif deed == "notice" and vm.low_priority:
            sim.world.notice(vm.name, rng.choice((0.0, 30.0, 120.0)), kept=rng.random() < 0.8)
