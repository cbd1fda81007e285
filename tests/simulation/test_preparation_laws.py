"""The law that no task is started before its job was prepared there: what counts as prepared, and what does not."""

from types import SimpleNamespace
from typing import Any

import pytest

from pools import PoolSpec
from runner import AddJob, AddPool, JobSpec, PoolInfo, TaskSpec
from runner.simulated_node import Execution, Plan
from runner.simulation_faults import USUAL_LATENCY
from runner.task_spec import JobPreparationTask

from .invariants import Broken, require
from .preparation_laws import PreparationLaws
from .settings import SETTINGS
from .storms.chances import Chances
from .storms.driver import StormSimulation
from .storms.faults import StormFaults
from .storms.laws import StormLaws

SUCCEEDED = {"ended": 10.0}
FORGOTTEN = {"ended": 10.0, "forgotten": True}
LOST = {"ended": 10.0, "lost": True}
KILLED = {"ended": 10.0, "killed": True, "exit_code": 137}
FAILED = {"ended": 10.0, "exit_code": 1}
LIVE = {"ended": None}


def starts(*preparations, rerun=True, reboots=()):
    """A task, after those preparations, on a node that has started anew before those of the given numbers."""
    prepare = JobPreparationTask(command_line="prepare", rerun_on_node_reboot_after_success=rerun)
    spec = SimpleNamespace(job_preparation_task=prepare)
    tables = {
        "jobs": {"j": SimpleNamespace(id="j", created=0.0, spec=spec)},
        "job_nodes": {("j", "n"): SimpleNamespace(uid="place", job_id="j")},
        "tasks": {("j", "t"): SimpleNamespace(uid="task", job_id="j")},
    }
    node = SimpleNamespace(node_id="n", reboots=0)
    sim: Any = SimpleNamespace(
        journal=SimpleNamespace(table=tables.__getitem__), world=SimpleNamespace(nodes={"vm": node})
    )
    laws = PreparationLaws(require, lambda _: False)
    for number, ends in enumerate(preparations):
        node.reboots += number in reboots
        execution = Execution(f"place-p{number + 1}", "n", 1, 0.0, 0)
        laws.started(sim, execution)
        for name, value in ends.items():
            setattr(execution, name, value)
    node.reboots += len(preparations) in reboots
    laws.started(sim, Execution("task-1", "n", 1, 20.0, 0))


@pytest.mark.parametrize("good", [(SUCCEEDED,), (FORGOTTEN,), (LOST, SUCCEEDED), (FORGOTTEN, FORGOTTEN)])
def test_the_last_preparation_has_succeeded(good):
    starts(*good)


def test_one_before_a_reboot_counts_where_it_is_not_to_run_again():
    starts(SUCCEEDED, rerun=False, reboots=[1])


@pytest.mark.parametrize("bad", [LIVE, LOST, KILLED, FAILED])
@pytest.mark.parametrize("before", [(), (FORGOTTEN,)])
def test_the_last_preparation_has_not_succeeded(before, bad):
    with pytest.raises(Broken, match="before its job was prepared there"):
        starts(*before, bad)


def test_its_node_has_started_anew_since():
    with pytest.raises(Broken, match="before its job was prepared there"):
        starts(SUCCEEDED, reboots=[1])


class Well(StormFaults):
    """Nothing goes wrong by itself; an outcome is on its way for `fetch` seconds."""

    fetch = 0.0

    def latency(self, kind):
        return self.fetch if kind == "fetch" else USUAL_LATENCY[kind]


@pytest.mark.parametrize(
    ("fetch", "prepared"), [(0.5, 1), (60.0, 2)], ids=["the outcome comes first", "the node comes back first"]
)
def test_a_preparation_that_its_node_has_forgotten_counts_if_the_controller_is_told_of_it(fetch, prepared):
    faults, laws = Well(Chances(0, frozenset())), StormLaws()
    faults.fetch = fetch
    sim = StormSimulation(
        SETTINGS, lambda command: Plan(30.0), faults, faults.cloud_settings(), lambda: laws.check(), seed=0
    )
    laws.sim = sim
    spec = JobSpec(
        id="j", pool_info=PoolInfo(pool_id="p"), job_preparation_task=JobPreparationTask(command_line="prepare")
    )
    pool = PoolSpec(id="p", vm_size="simulated.small", target_dedicated_nodes=1)
    sim.request(AddPool(pool, "simulated", "simulated"))
    sim.request(AddJob(spec, (TaskSpec(id="t", command_line="work"),)))
    assert sim.run(lambda: any(not x.live for x in sim.world.log.started), sim.now + 600)
    (first,) = sim.world.log.started
    while not first.forgotten:
        sim.effects.damage(next(iter(sim.world.nodes)))  # by chance it is spared
    assert sim.run(lambda: sim.journal.table("tasks")["j", "t"].state == "completed", sim.now + 600)
    assert len(sim.world.log.started) == prepared + 1
    sim.close()
