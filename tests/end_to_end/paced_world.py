"""A controller on real local nodes whose boots and tasks take as long as a scenario says, on a quick clock.

All is real but for the clock: the engine, the journal, the node processes, SSH, the agent, its tasks. A VM that is
there sooner than its boot is to be over is held back by its start task, and each task sleeps.
"""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec

from pools import Changes, PoolSpec, StartTask
from runner import AddJob, AddPool, AddTasks, EnableAutoScale, Engine, JobSpec, PoolInfo, TaskSpec
from service.controller import Controller
from service.lab.arrivals import Arrivals
from service.lab.scenario import World as Scenario
from service.settings import Settings

from .quick_clock import QuickClock, QuickInbox
from .what_happened import WhatHappened
from .world import PATIENCE, World

#: Seconds of the quick clock between two of its ticks.
TICK = 5.0
#: Of time-outs that would be short on the quick clock.
_LONG = timedelta(days=30)

#: Sleeps until so many seconds after its VM was asked for, or (of a task) its attempt began: that made its folder, and
#: one that is not the first looked for a checkpoint before it came here.
_SLEEPER = textwrap.dedent("""
    import json, os, sys, time
    if sys.argv[2] == "boot":
        with open(os.path.join(os.environ["AZ_BATCH_NODE_ROOT_DIR"], "..", "vm.json")) as file:
            began = json.load(file)["created"]
    else:
        began = os.stat(".").st_mtime
    time.sleep(max(0.0, began + float(sys.argv[1]) - time.time()))
""")


class PacedWorld(World):
    """Several pools in one world, each with a formula and the same tasks; `pools`: formulas by the pools' ids."""

    def __init__(
        self, directory: Path, scenario: Scenario, arrivals: Arrivals, pools: dict[str, str], start: float, speed: float
    ) -> None:
        self.clock = QuickClock(start, speed, TICK)
        self._scenario, self._arrivals, self._formulas = scenario, arrivals, pools
        #: by the pools' ids
        self.happened = {pool_id: WhatHappened(pool_id, pool_id, start, one_clock=False) for pool_id in pools}
        super().__init__(directory, _settings(scenario, speed))

    def _new_controller(self) -> Controller:
        inbox = QuickInbox(self.clock)
        engine = partial(Engine, inbox=inbox)
        return Controller(self.state, self.settings, clock=self.clock, observe=self._observe, engine=engine)

    def _observe(self, changes: Changes) -> None:
        for happened in self.happened.values():
            happened.commit(changes, self.clock.now())

    def go(self, end: float) -> None:
        """From the scenario's start to its second `end`."""
        for pool_id in self._formulas:
            self._set_up(pool_id)
        self.clock.wind_up()
        times = self._arrivals.times
        for first in range(len(times)):
            if first and times[first] == times[first - 1]:
                continue
            self.clock.sleep_until(self.clock.start + times[first])
            numbers = [number for number in range(first, len(times)) if times[number] == times[first]]
            asked = [
                self.controller.engine.request(AddTasks(pool_id, self._tasks(numbers))) for pool_id in self._formulas
            ]
            for each in asked:
                each.result(PATIENCE)
        self.clock.sleep_until(self.clock.start + end)

    def _set_up(self, pool_id: str) -> None:
        scenario = self._scenario
        boot = scenario.boot.constant
        assert boot is not None, "the n-th VM would have to boot as long as the n-th of the simulation"
        spec = PoolSpec(
            id=pool_id,
            vm_size="local.small",
            task_slots_per_node=scenario.task_slots_per_node,
            target_dedicated_nodes=0,
            start_task=StartTask(command_line=self._sleeps(boot, "boot")),
        )
        interval = scenario.evaluation_interval.total_seconds()
        self.request(AddPool(spec, "local", self.controller.providers["local"].images()[0].name))
        self.request(AddJob(JobSpec(id=pool_id, pool_info=PoolInfo(pool_id=pool_id))))
        self.request(EnableAutoScale(pool_id, self._formulas[pool_id], interval))

    def _tasks(self, numbers: Sequence[int]) -> tuple[TaskSpec, ...]:
        arrivals = self._arrivals
        return tuple(
            TaskSpec(
                id=str(number),
                command_line=self._sleeps(arrivals.durations[number], "task"),
                required_slots=arrivals.slots[number],
            )
            for number in numbers
        )

    def _sleeps(self, seconds: float, what: str) -> str:
        """`seconds`: of the quick clock."""
        return shlex.join((sys.executable, "-I", "-S", "-c", _SLEEPER, f"{seconds / self.clock.speed:.4f}", what))


def _settings(scenario: Scenario, speed: float) -> Settings:
    """Of the scenario, on the quick clock; where it has no say, what a busy machine does not stumble over."""
    return msgspec.structs.replace(
        Settings(),
        sample_delay=scenario.sample_delay,
        minimum_auto_scale_evaluation_interval=timedelta(seconds=1),
        vm_poll_interval=timedelta(minutes=5),
        boot_timeout=_LONG,
        unreachable_timeout=_LONG,
        orphan_grace=_LONG,
        boot_poll_interval=timedelta(seconds=0.5 * speed),
        connect_retry=timedelta(seconds=0.1 * speed),
    )
