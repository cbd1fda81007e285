"""A cloud and nodes that fail in ways that the simulated ones have no need for otherwise."""

from __future__ import annotations

from providers import SimulatedProvider, Vm, VmSpec, VmState
from runner import events as ev
from runner.commands import OpenNode, PrepareNode
from runner.simulated_effects import Connection, SimulatedEffects
from runner.simulation import DEPLOYMENT

from .faults import StormFaults


class StormCloud(SimulatedProvider):
    """Beside what it can do already: VMs that never come up, that vanish without a word, and that nobody asked for."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        #: VMs that never come up
        self.stuck: set[str] = set()
        self._strangers = 0

    def _now(self, name: str) -> Vm:
        vm = self._vms[name]
        return vm if name in self.stuck and vm.state is VmState.PENDING else super()._now(name)

    def vanish(self, name: str) -> None:
        with self._lock:
            self._vms.pop(name, None)

    def add_stranger(self) -> str:
        """A VM that carries our tag and stands in no record. Returns its name."""
        self._strangers += 1
        name = f"ebbtide-{DEPLOYMENT.id}-stranger{self._strangers}"
        spec = VmSpec(name, DEPLOYMENT.id, "nobody", name, "simulated.small", "simulated", False, DEPLOYMENT.public_key)
        with self._lock:
            self._asked[name] = self._clock()
            self._vms[name] = self._new(spec)
        return name


class StormEffects(SimulatedEffects):
    """Beside what they can do already: nodes that fall silent, that show another host key, and whose packages do not
    arrive."""

    _faults: StormFaults

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        #: nodes that cannot be reached, until when
        self.silent: dict[str, float] = {}
        self._damages = 0

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
                node.ran.pop(execution_id).lost = True  # told to start it, the node would do so again
        self.cut(node.node_id)
        return True

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

    def _prepare(self, connection: Connection, command: PrepareNode, now: float) -> None:
        if connection.open and self._faults.strikes("packages", self._faults.node_chance, command.node_id):
            self._post(ev.NodePrepared(command.node_id, "a package did not arrive"), now)
        else:
            super()._prepare(connection, command, now)
