"""The real core on a virtual clock, with a simulated cloud and simulated nodes: a discrete-event simulation.

The same input gives the same run, event for event. Time passes only from one thing that happens to the next,
so a day of work takes as long as its events take to compute. What may go wrong is the `Faults`' decision;
without any, all is well. The controller can crash between any two of its steps; a new one then starts from
what the journal holds.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pools import Changes, CountingIds, Deployment, NodeUsage
from providers import SimulatedProvider, SimulatedSettings, Vm

from .commands import StartExecution
from .core import Core
from .core_settings import CoreSettings
from .events import Event, ExecutionStarted, TimeLost
from .memory_journal import MemoryJournal
from .simulated_calls import Action
from .simulated_effects import SimulatedEffects
from .simulated_node import ExecutionLog, Fate, Plan, SimulatedNode
from .simulation_faults import Faults

DEPLOYMENT = Deployment("simulation", "ssh-ed25519 AAAA simulation")
PROVIDER = "simulated"
#: An hour at which days begin (2023-11-14 00:00 UTC), so that simulated times read well.
START = 1_699_920_000.0


@dataclass
class Request:
    """What somebody asked the controller for, until it is answered."""

    event: Event
    answered: bool = False
    refused: ValueError | None = None
    #: sent more than once, it may have been committed although the answer was lost
    sent: int = 0
    on_answer: Callable[[], None] = lambda: None

    def answer(self) -> None:
        self.answered = True
        if self.refused is None:
            self.on_answer()


@dataclass
class Simulation:
    """`observe` is called after every commit, before its commands leave, and after everything that
    happens."""

    settings: CoreSettings
    behaviour: Callable[[StartExecution], Plan]
    faults: Faults = field(default_factory=Faults)
    cloud_settings: SimulatedSettings = field(default_factory=SimulatedSettings)
    observe: Callable[[], None] = lambda: None
    seed: int = 0
    now: float = START
    #: what a node uses at present; None: nodes tell nothing of it
    usage: Callable[[SimulatedNode], NodeUsage] | None = None
    #: asked of every VM when it is made
    fate: Callable[[Vm], Fate] = lambda vm: Fate()
    #: is given what each commit would write, and the journal is not: nothing that is over is remembered then, and no
    #: controller may crash
    records: Callable[[Changes], None] | None = None
    #: after something was committed, the controller gathers for so many seconds, as `engine.BEAT`
    beat: float = 0.0

    def __post_init__(self) -> None:
        cloud = SimulatedProvider(PROVIDER, DEPLOYMENT.id, self.cloud_settings, lambda: self.now)
        self.world = SimulatedEffects(
            *(cloud, self.behaviour, self.faults, lambda: self.now, self.at, self._deliver, self.usage, self.fate),
            ExecutionLog(keeps=self.records is None),
        )
        self.journal = MemoryJournal()
        #: what was on the agenda, and has happened
        self.happened = 0
        self.requests: list[Request] = []
        self.crashes = 0
        self.steps = 0
        #: the controller's machine stands still until then
        self.asleep = self.now
        #: what is told before waits until then
        self.gathers_until = self.now
        #: None while the controller is down
        self.core: Core | None = None
        self._ids = CountingIds(self.seed)
        self._agenda: list[tuple[float, int, Action]] = []
        #: what is to happen at once, after all of the agenda that is due
        self._next: deque[Action] = deque()
        self._count = 0
        self._inbox: list[tuple[Event, Request | None]] = []
        #: is there anything in it that the controller has to look at now?
        self._urgent = False
        self._start_controller(self.now)

    # -- time ------------------------------------------------------------------------------------------------

    def at(self, when: float, action: Action) -> None:
        """Let `action(now)` happen at `when`; things of one instant happen in the order in which they were
        asked."""
        if when <= self.now:
            self._next.append(action)
        else:
            self._count += 1
            heapq.heappush(self._agenda, (when, self._count, action))

    def step(self) -> bool:
        """Go to the next thing that happens, and let it happen. False if nothing will ever happen."""
        agenda, following, now = self._agenda, self._next, self.now
        if not following:
            due = self.core.next_due() if self.core is not None and now >= self.asleep else None
            if self._urgent and now >= self.asleep:
                heard = max(now, self.gathers_until)
                due = heard if due is None else min(due, heard)
            if agenda and (due is None or agenda[0][0] <= due):
                due = agenda[0][0]
            if due is None:
                return False
            if due > now:
                self.now = now = due
            while agenda and agenda[0][0] <= now:
                heapq.heappop(agenda)[2](now)
                self.happened += 1
        while following:
            following.popleft()(now)
            self.happened += 1
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

    @property
    def events(self) -> int:
        """What has happened to nodes and clouds, what these and the controller have told each other, and timers of the
        present controller."""
        rung = self.core.timers.rung if self.core is not None else 0
        return self.happened + self.world.at_once + rung

    # -- the controller --------------------------------------------------------------------------------------

    def request(self, event: Event) -> Request:
        """Ask the controller for something, again and again until it answers."""
        request = Request(event)
        self.requests.append(request)
        self._send(request)
        return request

    def tell(self, event: Event) -> None:
        """Ask the controller, which is there and does not refuse it."""
        self._put(event, None)

    def _send(self, request: Request) -> None:
        if self.core is not None:
            request.sent += 1
            self._put(request.event, request)

    def _put(self, event: Event, request: Request | None) -> None:
        self._inbox.append((event, request))
        self._urgent = True

    def _start_controller(self, now: float) -> None:
        core = Core(self.settings, DEPLOYMENT, self._ids, lambda spec: (PROVIDER, PROVIDER))
        core.pools.histories.lost = self.faults.loses_sample
        core.load(self.journal.load(), now)
        self.core = core
        for request in self.requests:
            if not request.answered:
                self._send(request)
        self._turn()

    def crash(self) -> None:
        """The controller dies at once; a new one starts later. Nodes and clouds do not notice."""
        if self.core is None:
            return
        self.crashes += 1
        self.core = None
        self.asleep = self.now
        self._inbox.clear()
        self._urgent = False
        self.world.crash()
        self.at(self.now + self.faults.latency("restart"), self._start_controller)

    def sleep(self, seconds: float) -> None:
        """The controller's machine stands still. Nodes and clouds do not notice; what they say waits."""
        core, self.asleep = self.core, self.now + seconds

        def wake(now: float) -> None:
            if core is not None and self.core is core:
                self._inbox.insert(0, (TimeLost(seconds), None))
                self._urgent = True

        self.at(self.asleep, wake)

    def _turn(self) -> None:
        """One batch of the controller: handle, commit, answer, issue."""
        core = self.core
        if core is None or self.now < self.asleep:
            return
        heard = self._urgent and self.now >= self.gathers_until
        if not heard and not core.ctx.commands and not self._rings(core):
            return
        batch, self._inbox, self._urgent = self._inbox, [], False
        for event, request in batch:
            self._handle(core, event, request)
        rests = core.settle(self.now)
        while rests and self.records is not None and (due := self._soon(core)) is not None:
            self.now = due  # what is only sampled until something happens is written together
            rests = core.settle(due)
        changes, commands = core.take()
        if self.faults.crashes("commit"):
            self.crash()
            return
        if changes:
            (self.journal.commit if self.records is None else self.records)(changes)
            self.gathers_until = self.now + self.beat
            self.observe()
        for _, request in batch:
            if request is not None:
                request.answer()
        for command in commands:
            if self.faults.crashes("command"):
                self.crash()
                return
            self.world.issue(command)

    def _soon(self, core: Core) -> float | None:
        """When the controller's next timer rings, if that is all that happens until then."""
        due = core.next_due()
        if due is None or self._next or (self._agenda and self._agenda[0][0] <= due):
            return None
        return due

    def _rings(self, core: Core) -> bool:
        due = core.next_due()
        return due is not None and due <= self.now

    def _handle(self, core: Core, event: Event, request: Request | None) -> None:
        if request is None:
            core.handle(event, self.now)
            return
        try:
            key = core.missing(event)
            task = self.journal.task(key) if key is not None else None
            if task is not None:
                core.recall(task)
            core.handle(event, self.now)
        except ValueError as exc:
            # asked again, it is refused because the first time was successful
            request.refused = exc if request.sent == 1 else None

    def _deliver(self, event: Event) -> None:
        if self.core is not None:
            self._inbox.append((event, None))
            # nothing follows from a start: where no controller crashes, it is handled with what comes next
            self._urgent = self._urgent or self.records is None or type(event) is not ExecutionStarted
