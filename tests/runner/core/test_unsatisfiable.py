"""Work that cannot be done as things are: said at once, and taken back."""

import pytest
from msgspec.structs import replace

from pools import NodeDeallocationOption, Pool, PoolSpec, PoolState
from runner import (
    AddPool,
    AddTasks,
    DeletePool,
    DeleteTask,
    DisableJob,
    EnableJob,
    ReplaceJob,
    ResizePool,
    TerminateJob,
)
from runner.events import Tick
from runner.outlook import obstacle
from runner.spec import PoolInfo
from runner.unsatisfiable import Unsatisfiable

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until
from .test_multi_instance import gang


def pool(**changes):
    spec = PoolSpec(id="p", vm_size="s")
    return replace(Pool(created=0, modified=0, state_time=0, id="p", spec=spec, provider="x"), **changes)


SCALING = PoolSpec(id="p", vm_size="s", enable_auto_scale=True, auto_scale_formula="$TargetDedicatedNodes = 0;")
OBSTACLES = {
    "a target of 0": (pool(), 0, "target is 0"),
    "a node is left": (pool(), 1, None),
    "a target": (pool(target_dedicated=1), 0, None),
    "a low-priority target": (pool(target_low_priority=1), 0, None),
    "a formula": (pool(spec=SCALING), 0, None),
    "stopped": (pool(spec=SCALING, broken_since=1.0), 0, "resume"),
    "stopped, with a node": (pool(broken_since=1.0), 1, None),
    "going": (pool(target_dedicated=1, state=PoolState.DELETING), 0, "deleted"),
}


@pytest.mark.parametrize("case", OBSTACLES.values(), ids=OBSTACLES)
def test_obstacle(case):
    record, usable, named = case
    error = obstacle(record, usable)
    assert (error is None) == (named is None)
    if error is not None and named is not None:
        assert error.code == "PoolHasNoNodes" and named in error.message


def test_it_is_said_on_the_job_until_the_pool_grows():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j", task("t")))
    assert job_of(sim).scheduling_error.code == "PoolHasNoNodes"
    sim.crash()
    ask(sim, ResizePool("p", 1, 0))
    assert job_of(sim).scheduling_error is None
    completed(sim, "t")


def test_of_a_pool_that_is_gone_it_is_said_that_there_is_none():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j", task("t")))
    ask(sim, DeletePool("p"))
    until(sim, lambda: job_of(sim).scheduling_error.code != "PoolHasNoNodes")
    error = job_of(sim).scheduling_error
    assert (error.code, error.message) == ("PoolNotFound", "there is no pool 'p'")
    assert job_of(sim).blocked
    sim.crash()
    again = PoolSpec(id="p", vm_size="simulated.small", target_dedicated_nodes=1)
    assert ask(sim, AddPool(again, "simulated", "simulated")) is None
    assert job_of(sim).scheduling_error is None
    completed(sim, "t")


def test_it_is_not_said_of_a_job_without_open_tasks():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j"))
    assert job_of(sim).scheduling_error is None


def test_it_is_not_said_of_a_job_of_which_nothing_waits():
    sim = simulation({"t": [(60.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, ResizePool("p", 0, 0, NodeDeallocationOption.TASK_COMPLETION))
    assert job_of(sim).scheduling_error is None
    ask(sim, AddTasks("j", (task("late"),)))
    assert job_of(sim).scheduling_error.code == "PoolHasNoNodes"
    ask(sim, DeleteTask("j", "late"))
    assert job_of(sim).scheduling_error is None
    completed(sim, "t")


def test_a_job_that_is_over_has_nothing_in_its_way():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j", task("t")))
    assert job_of(sim).scheduling_error is not None
    ask(sim, TerminateJob("j"))
    assert (job_of(sim).state, job_of(sim).scheduling_error) == ("completed", None)


def moved(sim, pool_id):
    ask(sim, DisableJob("j", "requeue"))
    until(sim, lambda: job_of(sim).state == "disabled")
    changed = replace(job_of(sim).spec, pool_info=PoolInfo(pool_id=pool_id))
    assert ask(sim, ReplaceJob(changed, frozenset({"pool_info"}))) is None
    ask(sim, EnableJob("j"))


def test_a_task_that_no_node_of_another_pool_has_slots_for():
    sim = simulation(target_dedicated_nodes=0, task_slots_per_node=4)
    small = PoolSpec(id="small", vm_size="simulated.small", target_dedicated_nodes=1)
    ask(sim, AddPool(small, "simulated", "simulated"))
    ask(sim, job("j", task("wide", required_slots=3), task("narrow")))
    assert sim.core.counts("p").active == 0, "they make no node"
    moved(sim, "small")
    completed(sim, "narrow")
    wide = tasks_of(sim)["wide"]
    assert (wide.scheduling_error.code, wide.state) == ("TaskSchedulingConstraintFailed", "active")
    assert "needs 3 task slots" in wide.scheduling_error.message
    assert sim.core.counts("small").active == 0
    assert not sim.core.unfinished()
    ask(sim, ResizePool("p", 1, 0))
    moved(sim, "p")
    assert tasks_of(sim)["wide"].scheduling_error is None
    completed(sim, "wide")


def test_a_pool_that_goes():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("j", task("t")))
    ask(sim, ResizePool("p", 1, 0))
    until(sim, lambda: job_of(sim).scheduling_error is None)
    ask(sim, DeletePool("p"))
    until(sim, lambda: job_of(sim).scheduling_error is not None)


# -- jobs that nothing is to be said of --------------------------------------------------------------------------


@pytest.fixture
def looked_at(monkeypatch):
    """The jobs that were looked at, one by one."""
    found = []
    look = Unsatisfiable._settle

    def noted(self, one, now):
        found.append(one.id)
        look(self, one, now)

    monkeypatch.setattr(Unsatisfiable, "_settle", noted)
    return found


def with_waiting_jobs(count=5):
    """In a pool with one node, that is busy for long."""
    sim = simulation({"t": [(10_000.0, 0)]}, enable_inter_node_communication=True)
    until(sim, lambda: any(node.state == "idle" for node in sim.journal.table("nodes").values()))
    for number in range(count):
        ask(sim, job(f"j{number}", task("t")))
    sim.run(lambda: False, sim.now + 60.0)
    return sim


def test_they_are_not_looked_at_in_each_batch(looked_at):
    sim = with_waiting_jobs()
    looked_at.clear()
    for _ in range(3):
        sim.core.handle(Tick(), sim.now)
        sim.core.settle(sim.now)
    assert looked_at == []


def test_one_that_tasks_come_to_is(looked_at):
    sim = with_waiting_jobs()
    looked_at.clear()
    ask(sim, AddTasks("j3", (gang("g", 2),)))
    assert set(looked_at) == {"j3"}
    assert tasks_of(sim, "j3")["g"].scheduling_error is not None


def test_one_that_is_enabled_again_is(looked_at):
    sim = with_waiting_jobs()
    ask(sim, DisableJob("j3", "requeue"))
    looked_at.clear()
    ask(sim, EnableJob("j3"))
    assert set(looked_at) == {"j3"}


def test_all_are_when_their_pool_changes():
    sim = with_waiting_jobs()
    ask(sim, ResizePool("p", 0, 0, NodeDeallocationOption.REQUEUE))
    until(sim, lambda: not sim.journal.table("nodes"))
    ask(sim, DeleteTask("j0", "t"))  # whatever the next batch is
    errors = [job_of(sim, f"j{number}").scheduling_error for number in range(1, 5)]
    assert {error and error.code for error in errors} == {"PoolHasNoNodes"}
    ask(sim, ResizePool("p", 1, 0))
    assert not any(job_of(sim, f"j{number}").scheduling_error for number in range(1, 5))
