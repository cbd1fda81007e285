"""One formula on one scenario: the core itself on a virtual clock, from the first second to the end of all work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, fsum
from typing import Protocol

from formula import METRICS, compile_formula
from pools import NodeUsage, pool_cost, pool_seconds, sampled_metrics, without_collector
from runner import AddJob, AddPool, AddTasks, EnableAutoScale, JobSpec, Plan, PoolInfo, Simulation, TaskSpec

from .arrivals import Arranged
from .formulas import NamedFormula
from .outcome import Figures, Run, Wait
from .recorder import Recorder
from .scenario import World
from .virtual_world import (
    JOB,
    POOL,
    PerfectFaults,
    cloud_settings,
    core_settings,
    fates,
    pool_spec,
)

#: Evaluations that a formula has, after all work is done, until the pool has to be empty.
_LAST_EVALUATIONS = 3
#: So many seconds, or evaluations, without anything becoming of any task: what is left will never be done.
_STUCK, _STUCK_EVALUATIONS = 86400.0, 12
#: Seconds for which the controller gathers where so many tasks come, and so many a second; a real one does so for less.
_BEAT, _MANY, _OFTEN = 0.5, 10_000, 2.0
#: Steps between two looks at whether anything will come of it; and whether it is to end is asked then, and after so
#: many seconds.
_STEPS, _ASKED = 250, 0.05


class Measured(Protocol):
    """Of a simulated node: its task slots and those that are used, and seconds between two measurements."""

    slots: int
    sample_period: float

    @property
    def used(self) -> int: ...


class Ordered(Protocol):
    """Of a command that starts an execution."""

    @property
    def environment(self) -> Mapping[str, str]: ...


class Running:
    """`stopped`: asked every now and then, with the simulated seconds so far: shall it end now? `ticks`: seconds of
    real time, since anything."""

    def __init__(
        self, world: World, arranged: Arranged, seed: int, formula: NamedFormula, ticks: Callable[[], float]
    ) -> None:
        self._world, self._arrivals, self._start = world, arranged.arrivals, arranged.start
        self._formula, self._ticks = formula, ticks
        self._interval = world.evaluation_interval.total_seconds()
        metrics = [name for name in compile_formula(formula.text).metrics if name in METRICS]
        minimum = world.minimum_billing.total_seconds()
        targets = world.initial_targets
        given = (targets.dedicated, targets.low_priority)
        self._recorder = Recorder(self._arrivals, self._start, minimum, metrics, given)
        measured = sampled_metrics(formula.text, "named")
        settings = core_settings(world)
        self._retention, self._delay = settings.pools.sample_retention, settings.pools.sample_delay
        self._sim = Simulation(
            settings,
            self._behaviour,
            PerfectFaults(world, seed),
            cloud_settings(world),
            seed=seed,
            now=self._start,
            usage=self._usage if measured else None,
            fate=fates(world, seed),
            records=self._recorder.commit,
            beat=_BEAT if len(self._arrivals) > max(_MANY, _OFTEN * self._arrivals.horizon) else 0.0,
        )
        self._recorder.clock = lambda: self._sim.now
        assert self._sim.core is not None
        self._core = self._sim.core
        self._recorder.counts = self._core.counts
        self._next = 0
        #: somebody has ended it early
        self.stopped = False

    def run(self, stopped: Callable[[float], bool]) -> Run:
        began = self._ticks()
        with without_collector():
            self._set_up()
            self._go(stopped)
        return self._told(self._ticks() - began)

    def _behaviour(self, command: Ordered) -> Plan:
        return Plan(self._arrivals.durations[int(command.environment["AZ_BATCH_TASK_ID"])])

    def _usage(self, node: Measured) -> NodeUsage:
        """Of its processor as much as of its slots; of the rest a scenario knows nothing."""
        return NodeUsage(seconds=node.sample_period, cpu_percent=min(100.0, 100.0 * node.used / node.slots))

    # -- the simulation ------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        sim, world = self._sim, self._world
        sim.tell(AddPool(pool_spec(world), "simulated", "simulated"))
        sim.tell(AddJob(JobSpec(id=JOB, pool_info=PoolInfo(pool_id=POOL))))
        sim.tell(EnableAutoScale(POOL, self._formula.text, self._interval))
        if len(self._arrivals):
            sim.at(self._start + self._arrivals.times[0], self._arrive)
        sim.at(self._start + self._arrivals.horizon, lambda now: None)

    def _arrive(self, now: float) -> None:
        """All tasks of this moment, or since the controller began to gather."""
        if now < self._sim.gathers_until:
            self._sim.at(self._sim.gathers_until, self._arrive)
            return
        times, slots, first = self._arrivals.times, self._arrivals.slots, self._next
        last, count = first + 1, len(times)
        while last < count and self._start + times[last] <= now:
            last += 1
        self._next = last
        self._recorder.arrived(first, last)
        specs = tuple(
            TaskSpec(id=str(number), command_line="work", required_slots=slots[number]) for number in range(first, last)
        )
        self._sim.tell(AddTasks(JOB, specs))
        if last < count:
            self._sim.at(self._start + times[last], self._arrive)

    def _go(self, stopped: Callable[[float], bool]) -> None:
        sim, recorder = self._sim, self._recorder
        total, horizon = len(self._arrivals), self._start + self._arrivals.horizon
        if self._steps(lambda: sim.now >= horizon and len(recorder.waits) == total, stopped):
            end = sim.now + _LAST_EVALUATIONS * self._interval
            sim.at(end, lambda now: None)
            self._steps(lambda: sim.now >= end or not recorder.nodes.present, stopped)

    def _steps(self, done: Callable[[], bool], stopped: Callable[[float], bool]) -> bool:
        """Until it is done. Was it? It is not if somebody ends the run early, or nothing moves any more."""
        asked = self._ticks()
        while not done():
            for _ in range(_STEPS):
                self._sim.step()
                if done():
                    break  # asked once all the same: many short runs may follow each other
                if self._ticks() - asked > _ASKED:  # a step may take a second, of very many nodes
                    asked = self._ticks()
                    if self._is_to_end(stopped):
                        return False
            if self._is_to_end(stopped) or self._is_stuck():
                return False
        return True

    def _is_stuck(self) -> bool:
        horizon = self._start + self._arrivals.horizon
        waited = self._sim.now - max(horizon, self._recorder.moved)
        return waited > max(_STUCK, _STUCK_EVALUATIONS * self._interval) and not self._sim.world.log.live

    def _is_to_end(self, stopped: Callable[[float], bool]) -> bool:
        self.stopped = stopped(self._sim.now - self._start)
        return self.stopped

    # -- what is told of it --------------------------------------------------------------------------------------

    def _told(self, wall: float) -> Run:
        sim, recorder, start = self._sim, self._recorder, self._start
        end = sim.now - start
        recorder.nodes.advance(sim.now)
        ctx = self._core.ctx
        pool, nodes = ctx.pools[POOL], tuple(ctx.nodes_of(POOL))
        seconds = pool_seconds(pool, nodes, sim.now)
        waits = sorted(recorder.waits)
        figures = Figures(
            formula=self._formula.name,
            cost=pool_cost(pool, nodes, sim.now).known + recorder.nodes.topped_up + recorder.nodes.owed(sim.now),
            node_seconds=seconds,
            idle_node_seconds=max(0.0, seconds - recorder.nodes.busy_seconds),
            peak_nodes=recorder.nodes.peak,
            tasks=len(waits),
            unfinished=self._next - len(waits),
            wait=Wait(
                mean=fsum(waits) / len(waits) if waits else 0.0,
                p50=_percentile(waits, 50),
                p95=_percentile(waits, 95),
                p99=_percentile(waits, 99),
                max=waits[-1] if waits else 0.0,
            ),
            makespan=recorder.makespan,
            evictions=recorder.evictions,
            thrown_away_seconds=recorder.thrown_away,
            resizes=len(recorder.changes),
            flaps=recorder.flaps(_LAST_EVALUATIONS * self._interval),
            seconds_at_zero=recorder.nodes.seconds_at_zero,
            events=sim.events,
            wall_seconds=wall,
        )
        return Run(
            figures=figures,
            text=self._formula.text,
            series=recorder.rows.series(end, figures.cost),
            autoscale=recorder.autoscale(),
            samples=recorder.samples(self._delay, self._retention),
        )


def _percentile(ascending: list[float], percent: int) -> float:
    """The least value that so many percent of all do not exceed."""
    return ascending[max(0, ceil(len(ascending) * percent / 100) - 1)] if ascending else 0.0
