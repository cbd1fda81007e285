"""Carries out commands on a simulated cloud and simulated nodes, in virtual time; reports back as events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pools import Command, CreateVm, DestroyVm, DisconnectNode, ListVms, NodeUsage, ReadConsole, RebootVm
from providers import SimulatedProvider, Vm, VmState

from . import events as ev
from .commands import (
    Acknowledge,
    KillExecution,
    OpenNode,
    PrepareNode,
    ProceedExecution,
    RecallExecutions,
    StartExecution,
)
from .simulated_calls import Action, SimulatedCalls
from .simulated_node import ExecutionLog, Fate, Plan, SimulatedNode
from .simulation_faults import Faults


@dataclass
class Connection:
    """To one node. `up` and `down`: time of the last message in each direction, because a stream keeps its order."""

    node: SimulatedNode
    number: int
    #: how often the node had been started anew
    reboots: int
    open: bool = True
    up: float = 0.0
    down: float = 0.0


class SimulatedEffects:
    """What outlives controllers (VMs, nodes), and what belongs to the present one (calls, connections)."""

    def __init__(
        self,
        cloud: SimulatedProvider,
        behaviour: Callable[[StartExecution], Plan],
        faults: Faults,
        clock: Callable[[], float],
        at: Callable[[float, Action], None],
        deliver: Callable[[ev.Event], None],
        usage: Callable[[SimulatedNode], NodeUsage] | None = None,
        fate: Callable[[Vm], Fate] = lambda vm: Fate(),
        log: ExecutionLog | None = None,
    ) -> None:
        """`log`: None is one that keeps all."""
        self.cloud = cloud
        #: by VM name, also those that are no more
        self.nodes: dict[str, SimulatedNode] = {}
        self.log = log if log is not None else ExecutionLog()
        self._behaviour = behaviour
        self._faults = faults
        self._clock = clock
        self._at = at
        self._deliver = deliver
        self._usage = usage
        self._fate = fate
        #: by VM name, from when on each answers
        self._answers: dict[str, float] = {}
        self._connections: dict[str, Connection] = {}
        #: the connection to each node that was made last: its agent is the one that listens
        self._newest: dict[str, Connection] = {}
        #: the number of the connection to each node that was asked for last
        self._dialling: dict[str, int] = {}
        #: nodes to which another connection was made while one stood
        self.crossed: set[str] = set()
        self._calls = SimulatedCalls(cloud, faults, clock, at, self._post, self._die, self.reboot, self._made)
        self._life = 0
        #: what took no time, and so was never on its way
        self.at_once = 0

    def crash(self) -> None:
        """The controller is gone: nothing is reported to it any more; what was under way is done or lost."""
        self._life += 1
        self._calls.crash()
        for node_id in tuple(self._connections):
            self._close(node_id)

    def issue(self, command: Command) -> None:
        match command:
            case StartExecution() | Acknowledge() | KillExecution() | PrepareNode():
                self._send(command.node_id, command)
            case RecallExecutions() | ProceedExecution():
                self._send(command.node_id, command)
            case CreateVm() | DestroyVm() | RebootVm() | ReadConsole() | ListVms():
                self._calls.issue(command)
            case OpenNode():
                self._dialling[command.node_id] = command.connection
                when = self._clock() + self._faults.latency("connect")
                self._at(when, partial(self._open, command, self._life))
            case DisconnectNode(node_id):
                self._dialling.pop(node_id, None)
                self._close(node_id)
            case _:
                raise TypeError(f"no simulated effect for {command}")

    # -- reports ---------------------------------------------------------------------------------------------

    def _post(self, event: ev.Event, when: float) -> None:
        """Deliver a report to this controller, not to a later one."""
        if when > self._clock():
            self._at(when, partial(self._arrive, event, self._life))
        else:
            self.at_once += 1
            self._deliver(event)
        self._repeat(event, when)

    def _repeat(self, event: ev.Event, when: float) -> None:
        if self._faults.repeats(event):
            self._at(when + self._faults.latency("repeat"), partial(self._arrive, event, self._life))

    def _arrive(self, event: ev.Event, life: int, now: float) -> None:
        if life == self._life:
            self._deliver(event)

    def vm(self, name: str) -> Vm | None:
        """The VM as the cloud sees it now."""
        return self._calls.vm(name)

    # -- nodes -----------------------------------------------------------------------------------------------

    def _open(self, command: OpenNode, life: int, now: float) -> None:
        if life != self._life or self._dialling.get(command.node_id) != command.connection:
            return  # nobody wants it any more
        if self._close(command.node_id):
            self.crossed.add(command.node_id)
        vm = self.vm(command.vm.name)
        if vm is None or vm.state is not VmState.RUNNING:
            self._post(ev.NodeDisconnected(command.node_id, command.connection, "it is refused"), now)
            return
        if now < self._answers.get(vm.name, now):
            self._at(self._answers[vm.name], partial(self._open, command, life))
            return
        node = self.nodes.get(vm.name)
        if node is None:
            node = SimulatedNode(
                command.node_id,
                command.slots,
                self._behaviour,
                self._at,
                self.log,
                self._usage,
                command.sample_period,
                self._faults.silent,
            )
            self.nodes[vm.name] = node
        connection = Connection(node, command.connection, node.reboots)
        self._connections[command.node_id] = self._newest[command.node_id] = connection
        node.hello(partial(self._report, connection), connection.number, now)

    def _close(self, node_id: str) -> bool:
        connection = self._connections.pop(node_id, None)
        if connection is not None:
            connection.open = False
        return connection is not None

    def _report(self, connection: Connection, event: ev.Event) -> None:
        """The node says something; it arrives in order, if the connection holds that long."""
        if not connection.open:
            return
        if self._faults.instant:
            self.at_once += 1
            self._deliver(event)
            return
        now = self._clock()
        up = connection.up = max(connection.up, now + self._faults.latency("message"))
        if type(event) is ev.Outcome:
            # the output is brought in beside the stream, if there is any
            self._post(event, up if self._faults.silent else up + self._faults.latency("fetch"))
        elif up > now:
            self._at(up, partial(self._hear, connection, event))
        else:
            self.at_once += 1
            self._hear(connection, event, now)

    def _hear(self, connection: Connection, event: ev.Event, now: float) -> None:
        if connection.open:
            self._deliver(event)
            self._repeat(event, now)

    def _send(self, node_id: str, command: Command) -> None:
        connection = self._connections.get(node_id)
        if connection is None:
            return  # not connected: what matters is sent again when it is
        now = self._clock()
        if self._faults.instant:
            down = now
        else:
            down = connection.down = max(connection.down, now + self._faults.latency("message"))
        if isinstance(command, PrepareNode):
            # packages are brought there beside the stream
            self._at(down + self._faults.latency("packages"), partial(self._prepare, connection, command))
        elif down > now:
            self._at(down, partial(self._obey, connection, command))
        else:
            self.at_once += 1
            self._obey(connection, command, now)

    def _prepare(self, connection: Connection, command: PrepareNode, now: float) -> None:
        if connection.open:
            if command.start is not None:
                connection.node.start(command.start, now)
            self._post(ev.NodePrepared(command.node_id), now)

    def _obey(self, connection: Connection, command: Command, now: float) -> None:
        node = connection.node
        if not node.alive or not (connection.open or self._lingers(connection)):
            return
        match command:
            case StartExecution():
                node.start(command, now)
            case ProceedExecution(_, execution_id):
                node.proceed(execution_id, now)
            case KillExecution(_, execution_id):
                node.kill(execution_id, now)
            case RecallExecutions(_, execution_ids):
                for execution_id in execution_ids:
                    node.recall(execution_id)
            case Acknowledge():
                for execution_id in command.execution_ids:
                    node.acknowledge(execution_id)

    def _lingers(self, connection: Connection) -> bool:
        """What was on its way when the connection broke may still arrive, until a new agent has taken
        over."""
        node_id, alive = connection.node.node_id, connection.node.reboots == connection.reboots
        there = alive and node_id not in self._connections and self._faults.survives_crash()
        return there and self._newest[node_id] is connection

    # -- what befalls them -----------------------------------------------------------------------------------

    def cut(self, node_id: str) -> None:
        """The connection to a node breaks; the controller is told a little later."""
        connection = self._connections.get(node_id)
        if connection is not None:
            self._close(node_id)
            event = ev.NodeDisconnected(node_id, connection.number, "the connection was cut")
            self._post(event, self._clock() + self._faults.latency("message"))

    def _made(self, vm: Vm) -> None:
        if vm.name in self._answers:
            return
        now, fate = self._clock(), self._fate(vm)
        self._answers[vm.name] = now + fate.answers
        if fate.taken is not None:
            self._at(now + fate.taken, lambda then: self._take(vm.name))

    def preempt(self, name: str) -> None:
        """The cloud takes a low-priority VM back."""
        self.cloud.preempt(name)
        self._die(name)

    def notice(self, name: str, after: float, *, kept: bool = True) -> None:
        """The cloud announces on the node that it takes the VM back `after` seconds from now; and does it, if the
        promise is `kept`."""
        node = self.nodes.get(name)
        if node is None or not node.alive:
            return
        at = self._clock() + after
        node.report(ev.NodeNotice(node.node_id, at))
        if kept:
            self._at(at, lambda now: self._take(name))

    def _take(self, name: str) -> None:
        vm = self.vm(name)
        if vm is not None and vm.state in (VmState.PENDING, VmState.RUNNING):
            self.preempt(name)

    def reboot(self, name: str) -> None:
        """The VM starts anew."""
        node = self.nodes.get(name)
        if node is not None and node.alive:
            node.reboot(self._clock())
            self.cut(node.node_id)

    def kill_vm(self, name: str) -> None:
        """The VM dies by itself."""
        self.cloud.terminate(name, "it crashed")
        self._die(name)

    def _die(self, name: str) -> None:
        node = self.nodes.get(name)
        if node is not None and node.alive:
            node.die(self._clock())
            self.cut(node.node_id)
