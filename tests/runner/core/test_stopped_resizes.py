"""What becomes of nodes that leave when the resize is stopped: those that only wait for their tasks stay."""

import pytest

from pools import NodeDeallocationOption
from runner import AddTasks, Drain, RebootNode, ResizePool, StopResize

from .prepared import prepared_job, record_of, runs
from .run import ask, completed, job, node_of, simulation, task, tasks_of, until

OPTION = NodeDeallocationOption


def leaving(option=OPTION.TASK_COMPLETION, *, added=None, **plans):
    """A pool whose only node leaves while the task `t` runs there for a minute."""
    sim = simulation({"t": [(60.0, 0)], **plans}, task_slots_per_node=2)
    ask(sim, added or job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, ResizePool("p", 0, 0, option))
    assert node_of(sim).state == "leavingpool"
    return sim


def pool_of(sim):
    return sim.journal.table("pools")["p"]


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("option", [OPTION.TASK_COMPLETION, OPTION.RETAINED_DATA])
def test_a_node_that_waits_for_its_tasks_stays(option, crash):
    sim = leaving(option)
    node_id = node_of(sim).id
    ask(sim, AddTasks("j", (task("more"), task("yet-more"))))
    if crash:
        sim.crash()
    assert ask(sim, StopResize("p")) is None
    node, pool = node_of(sim), pool_of(sim)
    assert (node.state, node.leaving, node.reason) == ("running", None, None)
    assert (pool.target_dedicated, pool.allocation_state) == (1, "steady")
    done = completed(sim, "t", "more", "yet-more")
    assert [node.id for node in sim.journal.table("nodes").values()] == [node_id]
    assert done[1].start_time < done[0].end_time, "it has both of its slots"
    until(sim, lambda: node_of(sim).state == "idle")
    assert ask(sim, StopResize("p")).code == "OperationInvalidForCurrentState"


def goes(sim):
    assert ask(sim, StopResize("p")) is None
    assert (node_of(sim).state, pool_of(sim).target_dedicated) == ("leavingpool", 0)
    until(sim, lambda: not sim.journal.table("nodes"))


@pytest.mark.parametrize("option", [OPTION.REQUEUE, OPTION.TERMINATE])
def test_a_node_whose_tasks_are_ended_goes(option):
    goes(leaving(option, t=[(60.0, 0)]))


def test_a_node_from_which_a_job_is_released_goes():
    """The job would run nothing there any more."""
    sim = simulation({"t": [(90.0, 0)], "jobrelease": [(20.0, 0)]}, task_slots_per_node=2)
    ask(sim, prepared_job("j", task("short")))
    ask(sim, job("k", task("t")))
    until(sim, lambda: completed(sim, "short") and tasks_of(sim, "k")["t"].state == "running")
    ask(sim, ResizePool("p", 0, 0, OPTION.TASK_COMPLETION))
    until(sim, lambda: record_of(sim).state == "releasing")
    goes(sim)
    assert len(runs(sim, "r")) == 1 and tasks_of(sim, "k")["t"].exit_code == 0


@pytest.mark.parametrize("crash", [False, True])
def test_a_job_goes_on_with_what_it_has_prepared_on_a_node_that_stays(crash):
    sim = leaving(added=prepared_job("j", task("t")))
    if crash:
        sim.crash()
    assert ask(sim, StopResize("p")) is None
    ask(sim, AddTasks("j", (task("more"),)))
    completed(sim, "t", "more")
    assert (len(runs(sim, "p")), runs(sim, "r"), record_of(sim).state) == (1, [], "prepared")


def test_a_node_that_was_to_be_rebooted_goes():
    sim = simulation({"t": [(60.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    assert ask(sim, RebootNode("p", node_of(sim).id, OPTION.TASK_COMPLETION)) is None
    ask(sim, ResizePool("p", 0, 0, OPTION.TASK_COMPLETION))
    goes(sim)


def test_a_pool_that_is_drained_is_drained_all_the_same():
    sim = leaving()
    ask(sim, Drain(OPTION.TASK_COMPLETION))
    assert ask(sim, StopResize("p")) is None
    until(sim, lambda: not sim.journal.table("nodes"))
    assert tasks_of(sim)["t"].exit_code == 0
