"""All formulas of a scenario, one after the other, and the bounds beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from .arrivals import Arranged
from .bounding import bounds_of
from .formulas import NamedFormula
from .outcome import About, Outcome
from .running import Running
from .scenario import Scenario


def compared(
    name: str,
    scenario: Scenario,
    arranged: Arranged,
    formulas: Sequence[NamedFormula],
    ticks: Callable[[], float],
    stopped: Callable[[int, float], bool] = lambda number, seconds: False,
) -> Outcome:
    """What each of the formulas does with the workload. `ticks`: seconds of real time, since anything. `stopped`: asked
    again and again with the number of the formula and the seconds that it has been simulated; once it says yes, the
    run ends where it is, and what follows is left out."""
    runs, stopped_at = [], None
    world = scenario.world
    for number, formula in enumerate(formulas):
        running = Running(world, arranged, scenario.seed, formula, ticks)
        run = running.run(lambda seconds, number=number: stopped(number, seconds))  # type: ignore[misc]
        runs.append(run)
        if running.stopped:
            stopped_at = run.series.end
            # Those that had yet to come did not end either.
            left = len(arranged.arrivals) - run.figures.tasks
            runs[-1] = replace(run, figures=replace(run.figures, unfinished=left))
            break
    about = About(
        name=name,
        description=scenario.description,
        seed=scenario.seed,
        start=arranged.start,
        tasks=len(arranged.arrivals),
        task_slots_per_node=world.task_slots_per_node,
        initial_targets=(world.initial_targets.dedicated, world.initial_targets.low_priority),
        stopped_at=stopped_at,
    )
    return Outcome(scenario=about, runs=runs, bounds=bounds_of(world, arranged.arrivals, scenario.seed))
