"""What is done on purpose, now and then: to nodes, to the cloud, and to the controller's machine and its clock."""

from __future__ import annotations

from pools import Node
from providers import VmState

from .driver import StormSimulation
from .faults import StormFaults
from .world import StormCloud, StormEffects

DEEDS = (
    *("cut", "cut", "crash", "sleep", "kill", "preempt", "notice", "room", "keep", "reboot"),
    *("silence", "silence", "vanish", "stuck", "damage", "damage", "supervisor", "disk"),
    *("outage", "stranger", "clock", "clock"),
)
#: Seconds by which a clock is set.
JUMPS = (-7200.0, -600.0, -30.0, -2.0, 2.0, 30.0, 600.0, 7200.0)


class Adversary:
    def __init__(self, sim: StormSimulation, faults: StormFaults) -> None:
        assert isinstance(sim.world, StormEffects) and isinstance(sim.world.cloud, StormCloud)
        self._sim = sim
        self._world = sim.world
        self._cloud = sim.world.cloud
        self._faults = faults
        self._rng = faults.chances.stream("deeds")
        self._every = self._rng.choice((8.0, 25.0, 80.0))
        sim.at(sim.now + self._every, self._strike)

    def _strike(self, now: float) -> None:
        if self._faults.calm:
            self._faults.change_room(self._cloud)
            self._cloud.stillborn = 0
            return
        rng = self._rng
        deed, luck, more = rng.choice(DEEDS), rng.random(), rng.random()
        if deed in ("crash", "sleep", "room", "outage", "stranger", "clock", "stuck"):
            self._befall_all(deed, luck)
        else:
            self._befall_one(deed, luck, more)
        self._sim.at(now + self._every * rng.uniform(0.2, 2.0), self._strike)

    def _befall_all(self, deed: str, luck: float) -> None:
        sim, faults = self._sim, self._faults
        if deed == "sleep":
            seconds = (5.0, 60.0, 200.0)[int(luck * 3)]
            if sim.now >= sim.asleep and faults.strikes("deed/sleep", 1.0, f"for {seconds:.0f} s"):
                sim.sleep(seconds)
        elif deed == "outage":
            seconds = 30.0 + 200.0 * luck
            if faults.strikes("deed/outage", 1.0, f"the cloud answers nothing for {seconds:.0f} s"):
                faults.outage = sim.chances.clock() + seconds
        elif deed == "clock":
            seconds = JUMPS[int(luck * len(JUMPS))]
            if faults.strikes("deed/clock", 1.0, f"set by {seconds:+.0f} s"):
                sim.jump(seconds)
        elif faults.strikes(f"deed/{deed}", 1.0):
            if deed == "crash":
                sim.crash()
            elif deed == "room":
                faults.change_room(self._cloud)
            elif deed == "stuck":
                self._cloud.stillborn += 1
            else:
                faults.haunting.add(self._cloud.add_stranger())

    def _matters(self, deed: str, node: Node) -> bool:
        """Of what concerns the inside of a node: is there anything to be cut, lost or ended? Elsewhere most nodes would
        have none of it."""
        match deed:
            case "cut":
                return self._world.is_connected(node.id)
            case "damage":
                return self._world.is_up(node.vm_name)
            case "supervisor" | "disk":
                return self._world.is_busy(node.vm_name)
        return True

    def _befall_one(self, deed: str, luck: float, more: float) -> None:
        nodes = [node for node in self._sim.journal.table("nodes").values() if self._matters(deed, node)]
        if not nodes:
            return
        node = nodes[int(luck * len(nodes))]
        vm = self._world.vm(node.vm_name)
        living = vm is not None and vm.state in (VmState.PENDING, VmState.RUNNING)
        taken_back = living and node.low_priority
        takes = {"preempt": taken_back, "notice": taken_back, "silence": True}
        if not takes.get(deed, living) or not self._faults.strikes(f"deed/{deed}", 1.0, node.id):
            return
        match deed:
            case "cut":
                self._world.cut(node.id)
            case "silence":
                self._world.silence(node.id, 30.0 * more, (20.0, 60.0, 300.0)[int(more * 3)])
            case "kill":
                self._world.kill_vm(node.vm_name)
            case "reboot":
                self._world.reboot(node.vm_name)
            case "vanish":
                self._world.vanish(node.vm_name)
            case "damage":
                self._world.damage(node.vm_name)
            case "supervisor":
                self._world.bereave(node.vm_name, more)
            case "disk":
                self._world.fill_disk(node.vm_name)
            case "keep":
                self._cloud.spared.add(node.vm_name)
                self._faults.haunting.add(node.vm_name)
            case "preempt":
                self._world.preempt(node.vm_name)
            case "notice":
                self._world.notice(node.vm_name, (0.0, 30.0, 120.0)[int(more * 3)], kept=luck < 0.8)
