"""What the lab says of a formula, beside what becomes of it: a real controller with real nodes, on a quick clock.

The scenario is such that tasks and nodes may come and go `TOLERANCE` seconds late, and still no sample and no run sees
anything else. So nothing has to be let pass in the comparison: each run has to be equal in all that it read, computed
and decided, and each sample in all its values.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from pools import CountingIds, RecordedRun, TaskCounts
from runner import Core, Plan, simulation
from service.lab import running
from service.lab.arrivals import Arranged, Arrivals
from service.lab.distributions import Distribution
from service.lab.formulas import NamedFormula
from service.lab.scenario import NO_DATE, World
from service.lab.virtual_world import JOB, POOL, PerfectFaults

from .paced_world import PacedWorld
from .what_happened import WhatHappened

pytestmark = pytest.mark.slow

#: Seconds of the scenario by which tasks and nodes may come and go at other times in reality than in the simulation.
TOLERANCE = 14.0
#: The same for what the test itself times. If that is out of step, the machine is too busy for so quick a clock.
MOST_OFF = {"a boot": 10.0, "a task": 10.0, "a run": 5.0, "a sample": 5.0}
#: How many times as fast as the machine's the clock goes: at first, and if that was too quick.
_SPEEDS = (60.0, 40.0, 20.0)
_ROOT = Path(__file__).resolve().parents[2]
END = 1500.0
_PERIOD, _EVERY, _BOOT = 30.0, 60.0, 165.0

SCENARIO = World(
    boot=Distribution(constant=_BOOT),
    evaluation_interval=timedelta(seconds=_EVERY),
    sample_delay=timedelta(seconds=45),
)
#: (arrival, duration): all fifteen seconds after a sample, and so are all ends of boots and tasks.
_TASKS = ((105, 240), (165, 420), (195, 240), (225, 150), (255, 300), (825, 240), (825, 120), (915, 180))

FORMULAS = {
    # what waits and runs, over three minutes; nodes go when their tasks have ended
    "pending": """
        enough = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second) >= 60;
        tasks = enough ? avg($PendingTasks.GetSample(180 * TimeInterval_Second, 60)) : 0;
        $TargetDedicatedNodes = min(3, tasks);
        $NodeDeallocationOption = taskcompletion;
    """,
    # nodes, running tasks and the time of day; two kinds of nodes; it fails at first; once it takes a busy node away
    "busy": """
        early = time() < time("2024-01-01T00:05:30Z");
        lull = time() >= time("2024-01-01T00:15:30Z") && time() < time("2024-01-01T00:17:30Z");
        running = avg($RunningTasks.GetSample(150 * TimeInterval_Second, 50));
        waiting = max($ActiveTasks.GetSample(1));
        idle = max($UsableNodeCount.GetSample(1)) - running;
        present = $CurrentDedicatedNodes;
        wanted = waiting > 0 ? min(2, present + 1) : (idle > 0.5 ? max(0, present - 1) : present);
        $TargetDedicatedNodes = early || lull ? 1 : wanted;
        $TargetLowPriorityNodes = waiting > 2 ? 1 : (waiting + running > 0 ? $TargetLowPriorityNodes : 0);
        $NodeDeallocationOption = requeue;
    """,
    "shipped": (_ROOT / "examples/formulas/pending-tasks.formula").read_text(encoding="utf-8"),
}


def arrivals(longer: float = 0.0, shift: Callable[[], float] = lambda: 0.0) -> Arrivals:
    """`shift`: how much later those of one moment come."""
    shifts = {moment: shift() for moment in sorted({arrival for arrival, _ in _TASKS})}
    times = array("d", (arrival + shifts[arrival] for arrival, _ in _TASKS))
    durations = array("d", (seconds + longer for _, seconds in _TASKS))
    return Arrivals(times, durations, array("i", [1] * len(_TASKS)), END)


# -- reality -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, WhatHappened]]:
    """All formulas beside each other, each with a pool and the tasks of its own."""
    late = ""
    for speed in _SPEEDS:
        state = tmp_path_factory.mktemp("real") / "state"
        with PacedWorld(state, SCENARIO, arrivals(), FORMULAS, NO_DATE, speed) as world:
            world.go(END)
        late = "; ".join(filter(None, map(out_of_step, world.happened.values())))
        if not late:
            yield world.happened
            return
    pytest.fail(f"this machine is too busy for a clock of {_SPEEDS[-1]:g} times its own: {late}")


def out_of_step(happened: WhatHappened) -> str:
    """What missed its time, that nobody in the world decides on; "": nothing."""
    off = {
        "a boot": [usable - happened.ordered[node] - _BOOT for node, usable in happened.usable.items()],
        "a task": [end - happened.begun[task][-1] - _TASKS[int(task)][1] for task, end in happened.ended.items()],
        "a run": [run.timestamp - NO_DATE - _EVERY * number for number, run in enumerate(happened.runs)],
        "a sample": [each.time - NO_DATE - _PERIOD * number for number, each in enumerate(happened.samples)],
    }
    worst = {what: max(map(abs, seconds), default=0.0) for what, seconds in off.items()}
    return ", ".join(f"{what} by {seconds:g} s" for what, seconds in worst.items() if seconds > MOST_OFF[what])


# -- simulation ----------------------------------------------------------------------------------------------


def simulated(
    formula: str,
    scenario: World = SCENARIO,
    tasks: Arrivals | None = None,
    faults: Callable[[World, int], PerfectFaults] = PerfectFaults,
    ids: Callable[[int], Any] = CountingIds,
) -> WhatHappened:
    arranged = Arranged(tasks or arrivals(), NO_DATE)
    happened = WhatHappened(POOL, JOB, NO_DATE, one_clock=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "PerfectFaults", faults)
        patch.setattr(simulation, "CountingIds", ids)
        lab = running.Running(scenario, arranged, 1, NamedFormula("formula", formula), lambda: 0.0)
        sim = lab._sim
        record = sim.records
        assert record is not None

        def records(changes: Any) -> None:
            happened.commit(changes, sim.now)
            record(changes)

        sim.records = records
        lab.run(lambda seconds: seconds > 2 * END)
    return happened


class LateFaults(PerfectFaults):
    """Whatever takes no time in the lab takes some here: a call, its answer, a message, the end of a task. At most one
    and a half seconds each, which adds up to `TOLERANCE` until the third task of a node has ended."""

    def __init__(self, world: World, seed: int, random: Random) -> None:
        super().__init__(world, seed)
        self._random = random

    def latency(self, kind: str) -> float:
        return self._random.choice((0.0, 1.5, self._random.uniform(0.0, 1.5)))


class ShuffledIds(CountingIds):
    """In no order, as those of reality: nothing may depend on which of two equal nodes comes first."""

    def new(self) -> str:
        return f"{self._random.getrandbits(48):012x}"


# -- the comparison ------------------------------------------------------------------------------------------


def decided(run: RecordedRun) -> dict[str, Any]:
    """All of a run but its time: what the formula read of the pool, what it computed, what came of it."""
    error = run.error and (run.error.code, run.error.message)
    targets = run.target_dedicated, run.target_low_priority, run.node_deallocation_option
    return {"targets": targets, "error": error, "results": run.results, "pool": run.pool}


def decisions(happened: WhatHappened) -> list[dict[str, Any]]:
    return [decided(run) for run in happened.runs][: int(END / _EVERY)]


def measured(happened: WhatHappened) -> list[dict[str, float]]:
    return [sample.values for sample in happened.samples][: int(END / _PERIOD)]


def targets(happened: WhatHappened) -> list[Any]:
    return [decision["targets"][:2] for decision in decisions(happened)]


@pytest.mark.parametrize("name", FORMULAS)
def test_every_run_sees_and_decides_the_same(real: Mapping[str, WhatHappened], name: str) -> None:
    told, became = decisions(simulated(FORMULAS[name])), decisions(real[name])
    assert len(became) == END / _EVERY
    for number, (expected, found) in enumerate(zip(told, became, strict=True)):
        assert found == expected, f"run {number}"
    assert targets(real[name])[-1] == (0, 0) and len(set(targets(real[name]))) >= 4


@pytest.mark.parametrize("name", FORMULAS)
def test_every_sample_is_the_same(real: Mapping[str, WhatHappened], name: str) -> None:
    told, became = measured(simulated(FORMULAS[name])), measured(real[name])
    assert len(became) == END / _PERIOD
    for number, (expected, found) in enumerate(zip(told, became, strict=True)):
        assert found == expected, f"sample {number}"


@pytest.mark.parametrize("name", FORMULAS)
def test_tasks_and_nodes_come_and_go_at_the_same_times(real: Mapping[str, WhatHappened], name: str) -> None:
    told, became = simulated(FORMULAS[name]), real[name]

    def times(happened: WhatHappened) -> dict[str, list[float]]:
        """Of tasks and nodes that are alike, whichever comes first: in the order of time."""
        return {
            "begun": sorted(begun for attempts in happened.begun.values() for begun in attempts),
            "ended": sorted(happened.ended.values()),
            "ordered": sorted(happened.ordered.values()),
            "usable": sorted(happened.usable.values()),
            "gone": sorted(happened.gone.values()),
        }

    expected, found = times(told), times(became)
    for what in expected:
        assert found[what] == pytest.approx(expected[what], abs=TOLERANCE), what
    assert len(told.ended) == len(_TASKS) and len(told.gone) == len(told.ordered) > 2


def test_a_task_was_taken_from_its_node(real: Mapping[str, WhatHappened]) -> None:
    """Else the option of the formula would not have mattered."""
    assert [max(map(len, happened.begun.values())) for happened in real.values()] == [1, 2, 1]


@pytest.mark.parametrize("name", FORMULAS)
def test_nothing_depends_on_what_the_tolerance_lets_pass(name: str) -> None:
    """However late things are within it, and whatever nodes are called."""
    told = simulated(FORMULAS[name])
    for seed in range(40):
        random = Random(seed)
        late = simulated(
            FORMULAS[name],
            tasks=arrivals(shift=lambda: random.uniform(-10.0, 5.0)),  # noqa: B023 - called at once
            faults=lambda world, number: LateFaults(world, number, random),  # noqa: B023
            ids=lambda number: ShuffledIds(random.getrandbits(32)),  # noqa: B023
        )
        assert decisions(late) == decisions(told), f"seed {seed}"
        assert measured(late) == measured(told), f"seed {seed}"


# -- it can fail -----------------------------------------------------------------------------------------------


class SlowDestroys(PerfectFaults):
    def latency(self, kind: str) -> float:
        return 60.0 if kind == "call" else 0.0


def _active_alone(core: Core, pool_id: str) -> TaskCounts:
    return core.tasks.counts(pool_id)._replace(running=0)


WRONG: dict[str, Callable[[pytest.MonkeyPatch, str], WhatHappened]] = {
    "boots take a minute more": lambda patch, formula: simulated(
        formula, replace(SCENARIO, boot=Distribution(constant=220.0))
    ),
    "VMs take tasks at once": lambda patch, formula: simulated(
        formula, replace(SCENARIO, boot=Distribution(constant=0.0))
    ),
    "samples are seen a period early": lambda patch, formula: simulated(
        formula, replace(SCENARIO, sample_delay=timedelta(seconds=15))
    ),
    "samples are seen a period late": lambda patch, formula: simulated(
        formula, replace(SCENARIO, sample_delay=timedelta(seconds=75))
    ),
    "two tasks share a node": lambda patch, formula: simulated(formula, replace(SCENARIO, task_slots_per_node=2)),
    "tasks take a minute more": lambda patch, formula: simulated(formula, tasks=arrivals(longer=60.0)),
    "calls to the cloud take a minute": lambda patch, formula: simulated(formula, faults=SlowDestroys),
    "running tasks count for nothing": lambda patch, formula: _patched(patch, formula, Core, "counts", _active_alone),
    "the duration is that of another task": lambda patch, formula: _patched(
        patch, formula, running.Running, "_behaviour", lambda lab, command: Plan(120.0)
    ),
}


def _patched(patch: pytest.MonkeyPatch, formula: str, where: type, name: str, wrong: Any) -> WhatHappened:
    patch.setattr(where, name, wrong)
    return simulated(formula)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_model_decides_otherwise(
    real: Mapping[str, WhatHappened], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a way in which the lab could be wrong; of every one, some run of every formula tells."""
    for name, formula in FORMULAS.items():
        assert targets(WRONG[wrong](monkeypatch, formula)) != targets(real[name]), name
