"""One trial: a formula on the tasks that it is searched, or checked, on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import msgspec

from ..arrivals import Arranged
from ..formulas import NamedFormula
from ..outcome import Wait
from ..running import Running
from ..scenario import World
from ..undone import first_failure


@dataclass(frozen=True, slots=True)
class Part:
    """Tasks of a workload, and the seed of the world that they meet."""

    arranged: Arranged
    seed: int


class Measured(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a formula came to. `failed_runs`: of its `autoscale_runs`; `first_failure`: which was the first of them, and
    why. The rest: see `outcome.Figures`."""

    cost: float
    node_seconds: float
    idle_node_seconds: float
    peak_nodes: int
    wait: Wait
    tasks: int
    unfinished: int
    evictions: int
    autoscale_runs: int
    failed_runs: int
    first_failure: str | None = None


def measured(world: World, part: Part, text: str, stopped: Callable[[], bool]) -> Measured | None:
    """None if somebody wanted it to stop."""
    running = Running(world, part.arranged, part.seed, NamedFormula("trial", text), perf_counter)
    run = running.run(lambda seconds: stopped())
    if running.stopped:
        return None
    figures, errors = run.figures, run.autoscale.errors
    first = min(errors, default=None)
    return Measured(
        cost=figures.cost,
        node_seconds=figures.node_seconds,
        idle_node_seconds=figures.idle_node_seconds,
        peak_nodes=figures.peak_nodes,
        wait=figures.wait,
        tasks=figures.tasks,
        unfinished=figures.unfinished,
        evictions=figures.evictions,
        autoscale_runs=len(run.autoscale.times),
        failed_runs=len(errors),
        first_failure=None if first is None else first_failure(first, errors[first]),
    )
