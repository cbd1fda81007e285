"""A cloud and nodes that fail in ways that the simulated ones have no need for otherwise."""

from __future__ import annotations

from collections.abc import Callable

from providers import SimulatedProvider, Vm, VmSpec, VmState
from runner import events as ev
from runner.commands import OpenNode, PrepareNode
from runner.execution_ids import job_node_of
from runner.simulated_effects import Connection, SimulatedEffects
from runner.simulation import DEPLOYMENT

from .faults import StormFaults

#: How a command exits that cannot write.
NO_SPACE = 28


class StormCloud(SimulatedProvider):
    """Beside what it can do already: VMs that never come up, that vanish without a word, that nobody asked for, and
    that it does not list although they are there."""

    def __init__(self, faults: StormFaults, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._faults = faults
        #: VMs that never come up; so many of the next ones do not
        self.stuck: set[str] = set()
        self.stillborn = 0
        self._strangers = 0

    def _now(self, name: str) -> Vm:
        vm = self._vms[name]
        return vm if name in self.stuck and vm.state is VmState.PENDING else super()._now(name)

    def _add(self, spec: VmSpec) -> None:
        super()._add(spec)
        if self.stillborn:
            self.stillborn -= 1
            self.stuck.add(spec.name)

    def list_owned(self) -> list[Vm]:
        listed = super().list_owned()
        if listed and self._faults.strikes("list-part", self._faults.part_chance, f"one of {len(listed)} is left out"):
            left_out = listed.pop(self._faults.chances.stream("left out").randrange(len(listed)))
            self._faults.denied.add(left_out.name)
        return listed

    def vanish(self, name: str) -> None:
        with self._lock:
            self._drop(name)

    def add_stranger(self) -> str:
        """A VM that carries our tag and stands in no record. Returns its name."""
        self._strangers += 1
        name = f"ebbtide-{DEPLOYMENT.id}-stranger{self._strangers}"
        spec = VmSpec(name, DEPLOYMENT.id, "nobody", name, "simulated.small", "simulated", False, DEPLOYMENT.public_key)
        with self._lock:
            self._asked[name] = self._clock()
            super()._add(spec)
        return name


class StormEffects(SimulatedEffects):
    """Beside what they can do already: nodes that fall silent, that show another host key, whose packages do not
    arrive, whose disks are full, whose supervisors die, and that lose what they knew."""

    _faults: StormFaults

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        #: nodes that cannot be reached, until when
        self.silent: dict[str, float] = {}
        #: executions that ended because the disk was full
        self.full: set[str] = set()
        self._damages = 0
        #: called with each node to which a connection stands, before the controller hears of it
        self.on_open: list[Callable[[str], None]] = []

    def is_connected(self, node_id: str) -> bool:
        return node_id in self._connections

    def is_up(self, name: str) -> bool:
        """Has the controller been connected to an agent there, and is the VM still there?"""
        node = self.nodes.get(name)
        return node is not None and node.alive

    def is_busy(self, name: str) -> bool:
        """Does anything run there?"""
        return self.is_up(name) and bool(self.nodes[name]._live)

    def silence(self, node_id: str, unnoticed: float, seconds: float) -> None:
        """Nothing goes to or comes from the node for so long; the controller notices after `unnoticed` seconds."""
        connection = self._connections.get(node_id)
        self.silent[node_id] = self._clock() + seconds
        if connection is not None:
            self._close(node_id)
            self._post(
                ev.NodeDisconnected(node_id, connection.number, "it does not answer"), self._clock() + unnoticed
            )

    def damage(self, name: str) -> bool:
        """The node loses what it knew of some executions that have ended and are not recorded by the controller yet."""
        node = self.nodes.get(name)
        if node is None or not node.alive:
            return False
        self._damages += 1
        node.damages.add(f"damage-{self._damages}")
        for execution_id in sorted(node.unacknowledged):
            if self._faults.chances.stream("damage").random() < 0.5:
                node._kept.discard(execution_id)
                node.ran.pop(execution_id).forgotten = True  # told to start it, the node would do so again
        self.cut(node.node_id)
        return True

    def bereave(self, name: str, luck: float) -> None:
        """The supervisor of something that runs on the node dies: it is lost, and the node knows it."""
        node = self.nodes.get(name)
        if node is None or not node.alive or not node._live:
            return
        execution = sorted(node._live.values(), key=lambda each: each.id)[int(luck * len(node._live))]
        node.log.end(execution, self._clock())
        del node._live[execution.id]
        execution.lost = True
        node._lost.add(execution.id)
        node._tell_loss(execution.id)
        node._dispatch(self._clock())

    def fill_disk(self, name: str) -> None:
        """The disk of the node is full for a moment: the tasks that run there fail. (Not those with instances: their
        laws go by exit codes.)"""
        node = self.nodes.get(name)
        if node is None or not node.alive:
            return
        for execution in list(node._live.values()):
            of_job = execution.id.startswith("start:") or job_node_of(execution.id) is not None
            if not of_job and execution.id not in node._plans:
                execution.exit_code = NO_SPACE
                self.full.add(execution.id)
                node._end(execution, self._clock(), killed=False)

    def vanish(self, name: str) -> None:
        """The VM is gone, and the cloud has never heard of it."""
        cloud = self.cloud
        assert isinstance(cloud, StormCloud)
        cloud.vanish(name)
        self._die(name)

    def _open(self, command: OpenNode, life: int, now: float) -> None:
        node_id, number = command.node_id, command.connection
        if life != self._life or self._dialling.get(node_id) != number:
            return
        if now < self.silent.get(node_id, now):
            self._post(ev.NodeDisconnected(node_id, number, "no route to host"), now)
        elif self._faults.strikes("host-key", self._faults.node_chance / 10, node_id):
            self._post(ev.NodeDisconnected(node_id, number, "another host key", fatal=True, host_key=True), now)
        else:
            super()._open(command, life, now)
            if node_id in self._connections:
                for look in self.on_open:
                    look(node_id)

    def _prepare(self, connection: Connection, command: PrepareNode, now: float) -> None:
        if connection.open and self._faults.strikes("packages", self._faults.node_chance, command.node_id):
            self._post(ev.NodePrepared(command.node_id, "a package did not arrive"), now)
        else:
            super()._prepare(connection, command, now)
