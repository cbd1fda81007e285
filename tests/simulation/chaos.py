"""Random faults, the same for the same seed: crashes, lost answers, slow and repeated messages, dying
machines."""

from __future__ import annotations

import random

from pools import Node
from providers import CapacityError, ProviderError, ThrottledError, TransientError, VmState
from runner.events import Event, NodeConnected
from runner.simulation import Simulation
from runner.simulation_faults import Faults

USUAL = {"call": 1.0, "connect": 1.5, "message": 0.08, "fetch": 0.5, "packages": 3.0, "restart": 10.0}
ERRORS = (CapacityError, ThrottledError, TransientError)


class RandomFaults(Faults):
    """All faults end when `calm` is set, so that whoever keeps trying gets there."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.calm = False
        self.crash_chance = rng.choice((0.0, 0.002, 0.01, 0.03))
        self.repeat_chance = rng.choice((0.0, 0.05, 0.2))
        self.error_chance = rng.choice((0.0, 0.05, 0.15))

    def end(self, now: float) -> None:
        self.calm = True

    def latency(self, kind: str) -> float:
        return USUAL[kind] * self.rng.choice((0.1, 0.5, 1.0, 1.0, 2.0, 8.0))

    def crashes(self, moment: str) -> bool:
        return not self.calm and self.rng.random() < self.crash_chance

    def call_error(self, method: str) -> tuple[ProviderError, bool] | None:
        if self.calm or self.rng.random() >= self.error_chance:
            return None
        return self.rng.choice(ERRORS)(f"{method} failed by chance"), self.rng.random() < 0.5

    def survives_crash(self) -> bool:
        return self.rng.random() < 0.5

    def repeats(self, event: Event) -> bool:
        return self.rng.random() < self.repeat_chance and not isinstance(event, NodeConnected)


class Adversary:
    """Every now and then something happens to a node."""

    def __init__(self, sim: Simulation, faults: RandomFaults, every: float) -> None:
        self._sim = sim
        self._faults = faults
        self._every = every
        sim.at(sim.now + every, self._strike)

    def _strike(self, now: float) -> None:
        if self._faults.calm:
            return
        rng, sim = self._faults.rng, self._sim
        nodes: list[Node] = list(sim.journal.table("nodes").values())
        if nodes:
            node = rng.choice(nodes)
            vm = sim.world.vm(node.vm_name)
            deed = rng.choice(("cut", "cut", "cut", "crash", "kill", "preempt"))
            if deed == "cut":
                sim.world.cut(node.id)
            elif deed == "crash":
                sim.crash()
            elif vm is not None and vm.state in (VmState.PENDING, VmState.RUNNING):
                if deed == "preempt" and vm.low_priority:
                    sim.world.preempt(vm.name)
                elif deed == "kill":
                    sim.world.kill_vm(vm.name)
        sim.at(now + self._every * rng.uniform(0.2, 2.0), self._strike)
