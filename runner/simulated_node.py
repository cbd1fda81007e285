"""A node in memory: what the agent and its supervisors do, on a clock that is handed in. No processes, no
chance.

It keeps the agent's promises: an execution id runs at most once; outcomes are kept until they are
acknowledged; what has not started waits in the memory of one connection's agent, and is forgotten with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from pools import NodeUsage

from . import events as ev
from .commands import StartExecution
from .model import Output


class Plan(NamedTuple):
    """What an execution will do: run for `duration` seconds and exit with `exit_code`. Before, a coordination command,
    if it has one, runs for `coordination` seconds and exits with `coordination_code`."""

    duration: float
    exit_code: int = 0
    coordination: float = 0.5
    coordination_code: int = 0


class Fate(NamedTuple):
    """What becomes of a VM: it answers so many seconds after it was made, and its cloud takes it back so many seconds
    after that it was made (None: never)."""

    answers: float = 0.0
    taken: float | None = None


@dataclass(slots=True)
class Execution:
    """What really happened, as nobody but the simulation knows."""

    id: str
    node_id: str
    slots: int
    started: float
    exit_code: int
    ended: float | None = None
    killed: bool = False
    #: its node died under it, or started anew
    lost: bool = False
    #: it has ended, and its node has lost the record of that; what it did stands
    forgotten: bool = False
    #: its coordination command has succeeded, and when what follows it was started
    coordinated: bool = False
    proceeded: float | None = None
    error: tuple[str, str] | None = None

    @property
    def live(self) -> bool:
        return self.ended is None


@dataclass
class ExecutionLog:
    """Every execution of every node, in the order of their starts. Not `keeps`: those alone that run, and nodes forget
    what has ended as soon as its outcome is acknowledged; nothing may be sent to them twice then."""

    keeps: bool = True
    started: list[Execution] = field(default_factory=list)
    live: dict[int, Execution] = field(default_factory=dict)

    def begin(self, execution: Execution) -> None:
        if self.keeps:
            self.started.append(execution)
        self.live[id(execution)] = execution

    def end(self, execution: Execution, now: float) -> None:
        execution.ended = now
        del self.live[id(execution)]


@dataclass
class SimulatedNode:
    """One VM's inside. `report` takes events in order and may lose them (the connection); `at` runs a call
    later."""

    node_id: str
    slots: int
    behaviour: Callable[[StartExecution], Plan]
    at: Callable[[float, Callable[[float], None]], None]
    log: ExecutionLog
    #: what it uses at present, told every `sample_period` seconds of a connection; None: it tells nothing
    usage: Callable[[SimulatedNode], NodeUsage] | None = None
    sample_period: float = 30.0
    #: see `Faults.silent`
    silent: bool = False
    #: every execution that ever ran here
    ran: dict[str, Execution] = field(default_factory=dict)
    report: Callable[[ev.Event], None] = lambda event: None
    alive: bool = True
    #: how often it was started anew
    reboots: int = 0
    #: what may have destroyed records of executions, and is not acknowledged
    damages: set[str] = field(default_factory=set)
    _live: dict[str, Execution] = field(default_factory=dict)
    _queue: dict[str, StartExecution] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)
    _lost: set[str] = field(default_factory=set)
    _plans: dict[str, Plan] = field(default_factory=dict)
    _slotless: set[str] = field(default_factory=set)

    def hello(self, report: Callable[[ev.Event], None], connection: int, now: float) -> None:
        """A new agent takes over: from now on nothing of an earlier connection arrives."""
        self._queue.clear()
        self.report = report
        live = list(self._live.values())
        ended = [self.ran[execution_id] for execution_id in sorted(self._kept)]
        known = frozenset(x.id for x in (*live, *ended))
        boot = f"boot-{self.reboots}"
        report(ev.NodeConnected(self.node_id, connection, known, boot, frozenset(self.damages)))
        for execution in live:
            report(ev.ExecutionStarted(self.node_id, execution.id, execution.started))
            if execution.coordinated and execution.proceeded is None:
                report(ev.ExecutionCoordinated(self.node_id, execution.id))
        for execution in ended:
            self._tell_end(execution)
        for execution_id in sorted(self._lost):
            self._tell_loss(execution_id)
        if self.usage is not None:
            self.at(now + self.sample_period, partial(self._measure, report, self.usage))

    def _measure(
        self, report: Callable[[ev.Event], None], usage: Callable[[SimulatedNode], NodeUsage], now: float
    ) -> None:
        """The agent of one connection measures as long as that lasts."""
        if self.alive and self.report is report:
            report(ev.NodeMeasured(self.node_id, usage(self)))
            self.at(now + self.sample_period, partial(self._measure, report, usage))

    # -- commands --------------------------------------------------------------------------------------------

    def start(self, command: StartExecution, now: float) -> None:
        known = self.ran.get(command.execution_id)
        if known is None:
            self._queue[command.execution_id] = command
            self._dispatch(now)
        elif known.live:
            self.report(ev.ExecutionStarted(self.node_id, known.id, known.started))
            if known.coordinated and known.proceeded is None:
                self.report(ev.ExecutionCoordinated(self.node_id, known.id))
        elif known.id in self._kept:
            self._tell_end(known)
        elif known.lost:
            self._tell_loss(known.id)

    def proceed(self, execution_id: str, now: float) -> None:
        execution = self._live.get(execution_id)
        if execution is not None and execution.coordinated and execution.proceeded is None:
            execution.proceeded = now
            self.at(now + self._plans[execution_id].duration, partial(self._finish, execution))

    def kill(self, execution_id: str, now: float) -> None:
        execution = self.ran.get(execution_id)
        if execution is None:
            self.recall(execution_id)
        elif execution.live:
            self._end(execution, now, killed=True)

    def recall(self, execution_id: str) -> None:
        if execution_id not in self.ran:
            self._queue.pop(execution_id, None)
            self.report(ev.ExecutionRecalled(self.node_id, execution_id))

    def acknowledge(self, execution_id: str) -> None:
        self._kept.discard(execution_id)
        self.damages.discard(execution_id)
        self._lost.discard(execution_id)
        if not self.log.keeps:
            self.ran.pop(execution_id, None)

    def die(self, now: float) -> None:
        """The VM is gone, and everything with it."""
        self.alive = False
        self._end_all(now)

    def reboot(self, now: float) -> None:
        """The VM starts anew: what ran is lost, what has ended is still known."""
        self.reboots += 1
        self._queue.clear()
        self._lost.update(self._live)
        self._end_all(now)

    def _end_all(self, now: float) -> None:
        for execution in self._live.values():
            self.log.end(execution, now)
            execution.lost = True
        self._live.clear()

    # -- life ------------------------------------------------------------------------------------------------

    @property
    def unacknowledged(self) -> frozenset[str]:
        """Outcomes that are kept until the controller has recorded them."""
        return frozenset(self._kept)

    @property
    def used(self) -> int:
        slotless = self._slotless
        return sum([x.slots for x in self._live.values() if x.id not in slotless])

    def _dispatch(self, now: float) -> None:
        for command in list(self._queue.values()) if self._queue else ():
            slotless = command.kind != "task"
            if not slotless and self.used + command.slots > self.slots:
                return
            del self._queue[command.execution_id]
            plan = self.behaviour(command)
            execution = Execution(command.execution_id, self.node_id, command.slots, now, plan.exit_code)
            self.ran[execution.id] = execution
            self._live[execution.id] = execution
            self.log.begin(execution)
            if slotless:
                self._slotless.add(execution.id)
            self.report(ev.ExecutionStarted(self.node_id, execution.id, now))
            if command.coordination is None:
                self.at(now + plan.duration, partial(self._finish, execution))
            else:
                self._plans[execution.id] = plan
                self.at(now + plan.coordination, partial(self._coordinate, execution, plan))

    def _coordinate(self, execution: Execution, plan: Plan, now: float) -> None:
        if not self.alive or not execution.live:
            return
        if plan.coordination_code:
            execution.exit_code = plan.coordination_code
            execution.error = ("CoordinationCommandFailed", "the coordination command failed: see its output")
            self._end(execution, now, killed=False)
            return
        execution.coordinated = True
        self.report(ev.ExecutionCoordinated(self.node_id, execution.id))

    def _finish(self, execution: Execution, now: float) -> None:
        if self.alive and execution.live:
            self._end(execution, now, killed=False)

    def _end(self, execution: Execution, now: float, *, killed: bool) -> None:
        self.log.end(execution, now)
        del self._live[execution.id]
        execution.killed = killed
        if killed:
            execution.exit_code = 137
        self._kept.add(execution.id)
        self._tell_end(execution)
        self._dispatch(now)

    def _tell_end(self, execution: Execution) -> None:
        assert execution.ended is not None
        if self.silent:
            outputs: tuple[Output, ...] = ()
        else:
            self.report(ev.ExecutionEnded(self.node_id, execution.id))
            outputs = (Output(stream="stdout", size=len(execution.id), data=execution.id.encode()),)
        self.report(
            ev.Outcome(
                self.node_id,
                execution.id,
                execution.started,
                execution.ended,
                execution.exit_code,
                killed=execution.killed,
                error=execution.error,
                outputs=outputs,
            )
        )

    def _tell_loss(self, execution_id: str) -> None:
        self.report(ev.ExecutionLost(self.node_id, execution_id, "its node started anew"))
