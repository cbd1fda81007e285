"""The real core on a virtual clock, with a simulated cloud and simulated nodes: a discrete-event simulation.

The same input gives the same run, event for event. Time passes only from one thing that happens to the next, so a day of
work takes as long as its events take to compute. What may go wrong is the `Faults`' decision; without any, all is well.
The controller can crash between any two of its steps; a new one then starts from what the journal holds.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from pools import Command, CountingIds, CreateVm, Deployment, DestroyVm, DisconnectNode, ListVms
from providers import ProviderError, SimulatedProvider, SimulatedSettings, Vm, VmState

from . import events as ev
from .commands import Acknowledge, KillExecution, OpenNode, PrepareNode, RecallExecutions, StartExecution
from .core import Core, CoreSettings
from .memory_journal import MemoryJournal
from .simulated_node import ExecutionLog, Plan, SimulatedNode

Action = Callable[[float], None]

DEPLOYMENT = Deployment("simulation", "ssh-ed25519 AAAA simulation")
PROVIDER = "simulated"
#: An hour at which days begin (2023-11-14 00:00 UTC), so that simulated times read well.
START = 1_699_920_000.0


class Faults:
    """What goes wrong, and how long things take. This one lets all go well; a fault test overrides what it wants."""

    def latency(self, kind: str) -> float:
        """Seconds that something takes: "call" (to the cloud), "connect", "message" (to or from a node), "fetch"
        (an output), "packages", "restart" (of the controller)."""
        return _USUAL[kind]

    def crashes(self, moment: str) -> bool:
        """Does the controller crash now? `moment`: "commit" (before it) or "command" (before it leaves)."""
        return False

    def call_error(self, method: str) -> tuple[ProviderError, bool] | None:
        """An error of a call to the cloud, and whether it comes after the call took effect; None: no error."""
        return None

    def survives_crash(self) -> bool:
        """Does something that is on its way while the controller crashes arrive at its aim?"""
        return False

    def repeats(self, event: ev.Event) -> bool:
        """Is this report delivered a second time, later?"""
        return False


_USUAL = {"call": 0.5, "connect": 1.0, "message": 0.05, "fetch": 0.2, "packages": 2.0, "restart": 5.0}


@dataclass
class Session:
    """One connection to a node."""

    node: SimulatedNode
    life: int
    open: bool = True
    #: times of the last message in each direction: a stream keeps its order
    up: float = 0.0
    down: float = 0.0


@dataclass
class Request:
    event: ev.Event
    answered: bool = False
    refused: ValueError | None = None
    #: it may have been committed although the answer was lost
    sent: int = 0
    on_answer: Callable[[], None] = lambda: None


@dataclass
class Simulation:
    """`observe` is called after every commit, before its commands leave, and after everything that happens."""

    settings: CoreSettings
    behaviour: Callable[[StartExecution], Plan]
    faults: Faults = field(default_factory=Faults)
    cloud_settings: SimulatedSettings = SimulatedSettings()
    observe: Callable[[], None] = lambda: None
    seed: int = 0
    now: float = START

    def __post_init__(self) -> None:
        self.cloud = SimulatedProvider(PROVIDER, DEPLOYMENT.id, self.cloud_settings, lambda: self.now)
        self.journal = MemoryJournal()
        #: by VM name, also those that are no more
        self.nodes: dict[str, SimulatedNode] = {}
        self.sessions: dict[str, Session] = {}
        #: what really ran, as only the simulation knows
        self.log = ExecutionLog()
        self.requests: list[Request] = []
        self.crashes = 0
        self.steps = 0
        self.core: Core | None = None
        self._ids = CountingIds(self.seed)
        self._agenda: list[tuple[float, int, Action]] = []
        self._count = 0
        self._life = 0
        self._inbox: list[tuple[ev.Event, Request | None]] = []
        self._lines: dict[str, float] = {}
        self._calls: dict[int, Callable[[float], ev.Event | None]] = {}
        self._start_controller(self.now)

    # -- time ------------------------------------------------------------------------------------------------

    def at(self, when: float, action: Action) -> None:
        """Let `action(now)` happen at `when`; things of one instant happen in the order in which they were asked."""
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, action))

    def step(self) -> bool:
        """Go to the next thing that happens, and let it happen. False if nothing will ever happen."""
        due = self.core.next_due() if self.core is not None else None
        if self._inbox:
            due = self.now
        if self._agenda and (due is None or self._agenda[0][0] <= due):
            due = self._agenda[0][0]
        if due is None:
            return False
        self.now = max(self.now, due)
        while self._agenda and self._agenda[0][0] <= self.now:
            heapq.heappop(self._agenda)[2](self.now)
        self.steps += 1
        self.observe()
        self._turn()
        return True

    def run(self, done: Callable[[], bool], until: float) -> bool:
        """Step until `done()`, at most until the time `until`. Was it done?"""
        while not done():
            if self.now > until or not self.step():
                return False
        return True

    # -- the controller --------------------------------------------------------------------------------------

    def request(self, event: ev.Event) -> Request:
        """Ask the controller for something, again and again until it answers."""
        request = Request(event)
        self.requests.append(request)
        self._send(request)
        return request

    def _send(self, request: Request) -> None:
        if self.core is not None:
            request.sent += 1
            self._inbox.append((request.event, request))

    def _start_controller(self, now: float) -> None:
        core = Core(self.settings, DEPLOYMENT, self._ids)
        core.load(self.journal.load(), now)
        self.core = core
        for request in self.requests:
            if not request.answered:
                self._send(request)
        self._turn()

    def crash(self) -> None:
        """The controller dies at once; a new one starts later. Nodes and clouds do not notice."""
        self.crashes += 1
        self._life += 1
        self.core = None
        self._inbox.clear()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if self.faults.survives_crash():
                call(self.now)
        self._lines.clear()
        for session in self.sessions.values():
            session.open = False
        self.sessions.clear()
        self.at(self.now + self.faults.latency("restart"), self._start_controller)

    def _turn(self) -> None:
        """One batch of the controller: handle, commit, answer, issue."""
        core = self.core
        if core is None:
            return
        batch, self._inbox = self._inbox, []
        if not batch and (core.next_due() or self.now) > self.now and not core.ctx.commands:
            return
        for event, request in batch:
            try:
                core.handle(event, self.now)
            except ValueError as exc:
                if request is None:
                    raise
                request.refused = exc if request.sent == 1 else None
        core.settle(self.now)
        changes, commands = core.take()
        if self.faults.crashes("commit"):
            self.crash()
            return
        if changes:
            self.journal.commit(changes)
            self.observe()
        for _, request in batch:
            if request is not None:
                request.answered = True
                if request.refused is None:
                    request.on_answer()
        for command in commands:
            if self.faults.crashes("command"):
                self.crash()
                return
            self._issue(command)

    def _post(self, event: ev.Event, when: float) -> None:
        """Deliver a report to this controller, not to a later one."""
        self.at(when, partial(self._deliver, event, self._life))
        if self.faults.repeats(event):
            self.at(when + 10 * self.faults.latency("message"), partial(self._deliver, event, self._life))

    def _deliver(self, event: ev.Event, life: int, now: float) -> None:
        if life == self._life and self.core is not None:
            self._inbox.append((event, None))

    # -- effects: the cloud ----------------------------------------------------------------------------------

    def _issue(self, command: Command) -> None:
        match command:
            case CreateVm():
                self._call(command.spec.name, "create", lambda now: self._create(command))
            case DestroyVm(node_id, _, name):
                self._call(name, "destroy", lambda now: self._destroy(node_id, name))
            case ListVms():
                asked = self.now
                self._call(f"list {self._count}", "list_owned", lambda now: self._list(asked))
            case OpenNode():
                self.at(self.now + self.faults.latency("connect"), partial(self._open, command, self._life))
            case DisconnectNode(node_id):
                self._close(node_id)
            case _:
                self._command_node(command)

    def _call(self, line: str, method: str, call: Callable[[float], ev.Event | None]) -> None:
        """A call takes effect after a while, and its answer arrives later; those about one VM keep their order."""
        effect = max(self.now + self.faults.latency("call"), self._lines.get(line, 0.0))
        answer = effect + self.faults.latency("call")
        self._lines[line] = answer
        self._count += 1
        number = self._count
        error = self.faults.call_error(method)

        def carried_out(now: float) -> ev.Event | None:
            if error is not None:
                self.cloud.fail(method, *error)
            return call(now)

        def take_effect(now: float) -> None:
            if self._calls.pop(number, None) is not None:
                event = carried_out(now)
                if event is not None:
                    self._post(event, answer)

        self._calls[number] = carried_out
        self.at(effect, take_effect)

    def _create(self, command: CreateVm) -> ev.Event:
        try:
            return ev.VmCreated(command.node_id, self.cloud.create(command.spec))
        except ProviderError as exc:
            return ev.VmCreateFailed(command.node_id, exc)

    def _destroy(self, node_id: str | None, name: str) -> ev.Event | None:
        failure: ProviderError | None = None
        try:
            self.cloud.destroy(name)
        except ProviderError as exc:
            failure = exc
        if self.vm(name) is None:
            self._die(name)
        if node_id is None:
            return None
        return ev.VmDestroyed(node_id) if failure is None else ev.VmDestroyFailed(node_id, str(failure))

    def _list(self, asked: float) -> ev.Event | None:
        try:
            return ev.VmsListed(PROVIDER, tuple(self.cloud.list_owned()), asked)
        except ProviderError:
            return None

    # -- effects: nodes --------------------------------------------------------------------------------------

    def _open(self, command: OpenNode, life: int, now: float) -> None:
        if life != self._life:
            return
        self._close(command.node_id)
        vm = self.vm(command.vm.name)
        if vm is None or vm.state is not VmState.RUNNING:
            self._post(ev.NodeDisconnected(command.node_id, "the connection is refused"), now)
            return
        node = self.nodes.get(vm.name)
        if node is None:
            node = SimulatedNode(command.node_id, command.slots, self.behaviour, self.at, self.log)
            self.nodes[vm.name] = node
        session = self.sessions[command.node_id] = Session(node, life)
        node.hello(partial(self._report, session))

    def _report(self, session: Session, event: ev.Event) -> None:
        """The node says something; it arrives in order, if the connection holds that long."""
        if not session.open:
            return
        session.up = max(session.up, self.now + self.faults.latency("message"))
        if isinstance(event, ev.Outcome):
            # the output is brought in beside the stream
            self._post(event, session.up + self.faults.latency("fetch"))
        else:
            self.at(session.up, partial(self._arrive, session, event))

    def _arrive(self, session: Session, event: ev.Event, now: float) -> None:
        if session.open:
            self._post(event, now) if not isinstance(event, ev.NodeConnected) else self._deliver(
                event, session.life, now
            )

    def _close(self, node_id: str) -> None:
        session = self.sessions.pop(node_id, None)
        if session is not None:
            session.open = False

    def _command_node(self, command: Command) -> None:
        session = self.sessions.get(command.node_id)  # type: ignore[attr-defined]
        if session is None:
            return
        session.down = max(session.down, self.now + self.faults.latency("message"))
        if isinstance(command, PrepareNode):
            # packages are brought there beside the stream
            ready = session.down + self.faults.latency("packages")
            self.at(ready, partial(self._prepared, session, command))
        else:
            self.at(session.down, partial(self._obey, session, command))

    def _prepared(self, session: Session, command: PrepareNode, now: float) -> None:
        if session.open:
            if command.start is not None:
                session.node.start(command.start, now)
            self._post(ev.NodePrepared(command.node_id), now)

    def _obey(self, session: Session, command: Command, now: float) -> None:
        """What was on its way when the connection broke may still arrive, until a new agent has taken over."""
        node = session.node
        if not node.alive or (not session.open and not self._lingers(session)):
            return
        match command:
            case StartExecution():
                node.start(command, now)
            case KillExecution(_, execution_id):
                node.kill(execution_id, now)
            case RecallExecutions(_, execution_ids):
                for execution_id in execution_ids:
                    node.recall(execution_id)
            case Acknowledge(_, execution_ids):
                for execution_id in execution_ids:
                    node.acknowledge(execution_id)

    def _lingers(self, session: Session) -> bool:
        present = self.sessions.get(session.node.node_id)
        return (present is None or present.node is not session.node) and self.faults.survives_crash()

    # -- the world -------------------------------------------------------------------------------------------

    def vm(self, name: str) -> Vm | None:
        """The VM as the cloud sees it now."""
        return next((vm for vm in self.cloud.list_owned() if vm.name == name), None)

    def cut(self, node_id: str) -> None:
        """The connection to a node breaks; the controller is told a little later."""
        if node_id in self.sessions:
            self._close(node_id)
            reason = "the connection was cut"
            self._post(ev.NodeDisconnected(node_id, reason), self.now + self.faults.latency("message"))

    def preempt(self, name: str) -> None:
        """The cloud takes a low-priority VM back."""
        self.cloud.preempt(name)
        self._die(name)

    def kill_vm(self, name: str) -> None:
        """The VM dies by itself."""
        self.cloud.terminate(name, "it crashed")
        self._die(name)

    def _die(self, name: str) -> None:
        node = self.nodes.get(name)
        if node is not None and node.alive:
            node.die(self.now)
            self.cut(node.node_id)
