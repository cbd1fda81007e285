"""The real engine, with the real core and the real clock's rules, on virtual time, in a world that fails.

The engine is the loop here as it is in the product: whenever it waits (for events, for a journal that can be written),
the world goes on. So it can end at every moment at which it waits, commits or issues a command.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from msgspec.structs import replace

from pools import Changes, Command, CountingIds, ListVms, PoolError, SystemClock
from runner import JobError
from runner.core import Core
from runner.engine import Engine
from runner.events import Event, ExecutionStarted, Outcome, Tick, VmsListed
from runner.simulated_calls import Action
from runner.simulation import DEPLOYMENT, PROVIDER, START, Request, Simulation

from ..invariants import require
from .faults import StormFaults
from .inbox import StormInbox
from .journal import FailingJournal, KeptJournal
from .world import StormCloud, StormEffects


class Ended(BaseException):
    """The controller has ended; nothing catches this but the driver."""


@dataclass
class StormSimulation(Simulation):
    """`kept`: the journal stands in a file too."""

    kept: bool = False

    def __post_init__(self) -> None:
        assert isinstance(self.faults, StormFaults)
        self.storm = self.faults
        self.chances = self.storm.chances
        self.chances.clock = lambda: self.now - START
        cloud = StormCloud(self.storm, PROVIDER, DEPLOYMENT.id, self.cloud_settings, lambda: self.now)
        self.world = self.effects = StormEffects(
            cloud, self.behaviour, self.faults, lambda: self.now, self.at, self._deliver, self.usage
        )
        made = KeptJournal if self.kept else FailingJournal
        self.journal: FailingJournal = made(self.storm, self._end, self._committed)
        self.requests = []
        self.crashes = self.steps = 0
        self.asleep = self.now
        self.core: Core | None = None
        self.engine: Engine | None = None
        #: seconds by which the clock of the controller's machine is wrong
        self.skew = 0.0
        #: when that was changed last (seconds of true time)
        self.skewed = float("-inf")
        #: the same, while a controller worked
        self.skewed_at_work = float("-inf")
        #: when the present controller began, and when it asked the questions whose answers it has heard (true time)
        self.began = self.now
        self.lists_seen: list[float] = []
        self.clock = SystemClock(self._wall, self._ticks)
        #: executions that the present controller was told to have begun
        self.heard_of: set[str] = set()
        #: what was reported, done and recorded, in lines; None: nobody wants to know
        self.trace: list[str] | None = None
        self._ids = CountingIds(self.seed)
        self._agenda: list[tuple[float, int, Action]] = []
        self._count = 0
        self._life = 0
        #: the time of each question for all VMs, as the controller has it and truly; the other way about
        self._asked: dict[float, float] = {}
        self._truly: dict[float, float] = {}
        self._node_clocks: dict[str, float] = {}
        self._open: list[tuple[Future[Any], Request]] = []
        self._start_controller(self.now)

    def _committed(self, changes: Changes) -> None:
        for change in changes if self.trace is not None else ():
            self.note(f"recorded {change.table} {change.key}: {_short(change.record)}")
        self.observe()

    def note(self, line: str) -> None:
        if self.trace is not None:
            self.trace.append(f"{self.now - START:9.3f} s  {line}")

    # -- time ------------------------------------------------------------------------------------------------

    def at(self, when: float, action: Action) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, action))

    def _wall(self) -> float:
        return self.now + self.skew

    def _ticks(self) -> float:
        return self.now - START

    @property
    def believed(self) -> float:
        """The time as the controller has it."""
        return self.clock.now()

    def jump(self, seconds: float) -> None:
        """The clock of the controller's machine is set."""
        self.skew += seconds
        self.skewed = self.now
        if self.engine is not None:
            self.skewed_at_work = self.now

    def step(self) -> bool:
        """One batch of the engine; or, while there is none, one thing that happens."""
        self.steps += 1
        if self.engine is None:
            if not self._agenda:
                return False
            self._happen()
            return True
        with suppress(Ended):
            self.engine.step()
        self._hear_answers()
        return True

    def _happen(self) -> None:
        when, _, action = heapq.heappop(self._agenda)
        self.now = max(self.now, when)
        action(self.now)
        self.observe()

    def go_on(self, life: int, seconds: float, awaited: Callable[[], bool] = lambda: False) -> None:
        """The controller of that life waits, so long or until there is what it waits for. Raises Ended."""
        until = max(self.now + seconds, math.nextafter(self.now, math.inf))
        if self.storm.crashes("idle"):
            self._end()
        while self.now < self.asleep or (self.now < until and not awaited()):
            end = self.asleep if self.now < self.asleep else until
            if self._agenda and self._agenda[0][0] <= end:
                self._happen()
            else:
                self.now = end
            if life != self._life:
                raise Ended

    # -- the controller --------------------------------------------------------------------------------------

    def _start_controller(self, now: float) -> None:
        self.clock = SystemClock(self._wall, self._ticks)
        self.asleep = now
        self.lists_seen, self.began = [], now
        life = self._life
        core = Core(self.settings, DEPLOYMENT, self._ids, lambda spec: (PROVIDER, PROVIDER))
        core.load(self.journal.load(), self.clock.now())
        self.core = core
        self.engine = Engine(
            core,
            self.journal,
            self,
            self.clock,
            checkpoint=self._pass,
            inbox=StormInbox(self.storm, partial(self.go_on, life), self.heard),
            pause=partial(self.go_on, life),
            ticks=self._ticks,
        )
        self.engine.post(Tick())
        for request in self.requests:
            if not request.answered:
                self._send(request)

    def _pass(self, moment: str) -> None:
        if moment == "commit" and self.storm.crashes("committed"):
            self._end()

    def issue(self, command: Command) -> None:
        """The effects of the engine."""
        if self.storm.crashes("effect", command):
            self._end()
        if isinstance(command, ListVms):
            believed = self._asked[self.now] = self.believed
            self._truly[believed] = self.now
        self.note(f"done: {command}")
        self.world.issue(command)

    def _end(self) -> NoReturn:
        self.crash()
        raise Ended

    def crash(self) -> None:
        """The controller dies at once; a new one starts later. Nodes and clouds do not notice."""
        if self.core is None:
            return
        self.crashes += 1
        self._life += 1
        self._hear_answers()
        self.core = self.engine = None
        self._open.clear()
        self._asked.clear()
        self._truly.clear()
        self.heard_of.clear()
        self.asleep = self.now
        self.world.crash()
        self.at(self.now + self.faults.latency("restart"), self._start_controller)

    def sleep(self, seconds: float) -> None:
        """The controller's machine stands still; its engine finds out when it wakes."""
        self.asleep = self.now + seconds

    # -- what is asked of it ---------------------------------------------------------------------------------

    def _send(self, request: Request) -> None:
        if self.engine is None:
            return
        for _ in range(2 if self.storm.strikes("repeat/request", self.storm.repeat_chance, request.event) else 1):
            request.sent += 1
            self._open.append((self.engine.request(request.event), request))

    def _hear_answers(self) -> None:
        there = [each for each in self._open if each[0].done()]
        self._open = [each for each in self._open if not each[0].done()]
        for future, request in there:
            if request.answered:
                continue
            error = future.exception()
            if isinstance(error, JobError | PoolError):
                require(error.code != "InternalError", "a request made the controller fail", request.event, error)
                if error.code == "ServerBusy":
                    self.at(self.now + 1.0, partial(self._ask_again, request))
                    continue
                # asked again, it is refused because the first time was successful
                request.refused = error if request.sent == 1 else None
            elif error is not None:
                raise error
            request.answer()

    def _ask_again(self, request: Request, now: float) -> None:
        if not request.answered:
            request.sent -= 1
            self._send(request)

    def _deliver(self, event: Event) -> None:
        if self.engine is None:
            return
        if isinstance(event, VmsListed):
            event = replace(event, asked=self._asked.get(event.asked, event.asked))
        elif isinstance(event, ExecutionStarted):
            self.heard_of.add(event.execution_id)
            event = replace(event, time=event.time + self._node_clock(event.node_id))
        elif isinstance(event, Outcome):
            off = self._node_clock(event.node_id)
            start = None if event.start_time is None else event.start_time + off
            full = event.execution_id in self.effects.full
            event = replace(event, start_time=start, end_time=event.end_time + off, disk_full=full)
        self.note(f"told: {event}")
        self.engine.post(event)

    def heard(self, event: VmsListed) -> None:
        self.lists_seen.append(self._truly[event.asked])

    def _node_clock(self, node_id: str) -> float:
        """Seconds by which the clock of a node is wrong."""
        if node_id not in self._node_clocks:
            off = self.chances.pick("node-clock", (-3600.0, -20.0, 20.0, 3600.0))
            wrong = self.storm.strikes("node-clock", self.storm.node_chance, f"{node_id}: {off:+.0f} s")
            self._node_clocks[node_id] = off if wrong else 0.0
        return self._node_clocks[node_id]

    def close(self) -> None:
        self.journal.close()


def _short(record: object) -> str:
    """Of a record: where it stands."""
    names = ("state", "node_id", "attempt", "retry_count", "requeue_count", "ending", "leaving", "destroying", "reason")
    told = (f"{name}={getattr(record, name)}" for name in names if getattr(record, name, None))
    return "gone" if record is None else " ".join(told)
