"""A restart changes nothing of what formulas and budgets see: at any time, a new controller would see the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from pools import CountingIds, PoolSpec
from runner import AddJob, AddPool, DeleteJob, DeletePool, DeleteTask, Event, PoolInfo, Task
from runner.core import Core
from runner.simulation import DEPLOYMENT, PROVIDER, Simulation

from .invariants import Invariants, require
from .scenario import Scenario
from .settings import FORMULA

#: The job, and the pool, that go and are made again.
AGAIN = "again"
#: Commits from one look to the next.
EVERY = 15
#: What sums may differ by, in parts of themselves, as they may be made in another order. (They are not rounded: two
#: that stand on either side of half a digit would differ by a whole one.)
EXACT = 1e-9
SUMS = "what has been spent"


class Restarts(Invariants):
    def __init__(self) -> None:
        super().__init__()
        self._looked = 0
        #: how often there was something to see of each kind
        self.seen: dict[str, int] = {}

    def check(self) -> None:
        super().check()
        sim = self.sim
        if sim is None or sim.core is None or sim.journal.commits < self._looked + EVERY:
            return
        self._looked = sim.journal.commits
        here, there = seen_by(sim.core, sim.now), seen_by(started_anew(sim), sim.now)
        for kind, values in here.items():
            self.seen[kind] = self.seen.get(kind, 0) + any(map(any, values.values()))
            differing = differing_in(kind, values, there[kind])
            require(not differing, f"a restart would change {kind}", differing)

    def _completed_as_it_really_ended(self, sim: Simulation, tasks: dict[tuple[str, str], Task]) -> None:
        others = {key: task for key, task in tasks.items() if key[0] != AGAIN}  # these come again
        super()._completed_as_it_really_ended(sim, others)


def started_anew(sim: Simulation) -> Core:
    """A controller that starts from what the journal holds now; nobody hears of it."""
    core = Core(sim.settings, DEPLOYMENT, CountingIds(1), lambda spec: (PROVIDER, PROVIDER))
    core.load(sim.journal.load(), sim.now)
    return core


def differing_in(
    kind: str, here: Mapping[str, tuple[Any, ...]], there: Mapping[str, tuple[Any, ...]]
) -> dict[str, tuple[Any, Any]]:
    """By pool or job: what both see, where that is not the same."""
    pairs = {key: (here.get(key), there.get(key)) for key in {**here, **there}}
    return {key: (one, other) for key, (one, other) in pairs.items() if not _same(kind, one, other)}


def _same(kind: str, one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> bool:
    if kind == SUMS and one is not None and other is not None:
        return all(math.isclose(*both, rel_tol=EXACT) for both in zip(one, other, strict=True))
    return one == other


def seen_by(core: Core, now: float) -> dict[str, dict[str, tuple[Any, ...]]]:
    """By kind, and by pool or job."""
    costs, pools = core.tasks.costs, list(core.ctx.pools)
    jobs = [job for job in core.jobs.jobs if job.lives]
    histories = {pool.id: core.pools.histories.of(pool.id).visible(now) for pool in pools}
    return {
        "counts of tasks": {pool.id: tuple(core.counts(pool.id)) for pool in pools},
        "samples": {
            f"{pool_id} {name}": (*series.times, *series.values)
            for pool_id, history in histories.items()
            for name, series in history.items()
            if series.count
        },
        SUMS: {job.id: (costs.ended(job.id).known, costs.ended(job.id).unpriced) for job in jobs},
        "what is being spent": {job.id: tuple(sorted(costs.running(job.id))) for job in jobs},
        "what is left to do": {
            job.id: (core.tasks.open_tasks(job.id), core.tasks.ready_tasks(job.id), core.jobs.goes_on(job))
            for job in jobs
        },
    }


class MadeAgain(Scenario):
    """The workload of the fault test, beside a pool and its job that go and are made again."""

    laws: Restarts

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Restarts())

    def run(self) -> None:
        for delay, event in self._again():
            self.sim.at(self.sim.now + delay, partial(self._request, event))
        super().run()

    def _request(self, event: Event, now: float) -> None:
        self.sim.request(event)

    def _again(self) -> list[tuple[float, Event]]:
        pool = PoolSpec(
            id=AGAIN,
            vm_size="simulated.small",
            enable_auto_scale=True,
            auto_scale_formula=FORMULA,
            auto_scale_evaluation_interval=timedelta(seconds=15),
        )
        tasks = tuple(self.task(f"again-{number}", 5.0, [number % 2]) for number in range(4))
        job = AddJob(self._job(AGAIN, PoolInfo(pool_id=AGAIN), closes=False), tasks)
        events: list[tuple[float, Event]] = []
        for start in (20.0, 220.0, 420.0):
            events += [
                (start, AddPool(pool, "simulated", "simulated")),
                (start + 1, job),
                (start + 80, DeleteTask(AGAIN, "again-0")),
                (start + 110, DeleteJob(AGAIN)),
                (start + 115, job),
                (start + 140, DeleteJob(AGAIN)),
                (start + 142, DeletePool(AGAIN)),
            ]
        return events
