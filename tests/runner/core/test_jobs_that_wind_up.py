"""Jobs that end while something stands in the way of the last things that they have to do."""

import pytest

from pools import evolve
from runner import TerminateJob
from runner.states import JobNodeState

from .prepared import FOR_EVER, prepared_job, record_of, runs
from .run import ask, completed, job, job_of, node_of, simulation, task, tasks_of, until


def test_a_preparation_that_is_ended_on_a_node_with_other_work_is_released():
    """The node stays as it is meanwhile."""
    sim = simulation({"jobpreparation": [(FOR_EVER, 0)], "other": [(FOR_EVER, 0)]}, task_slots_per_node=2)
    ask(sim, job("k", task("other")))
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: runs(sim, "p") and tasks_of(sim, "k")["other"].state == "running")
    ask(sim, TerminateJob("j"))
    until(sim, lambda: job_of(sim).state == "completed", 60.0)
    assert record_of(sim).state is JobNodeState.RELEASED and tasks_of(sim, "k")["other"].state == "running"


@pytest.mark.parametrize("after", [0.0, 0.001, 0.01, 0.05, 0.1, 0.3])
def test_a_preparation_whose_end_is_not_heard_is_asked_to_end_again(after):
    sim = simulation({"jobpreparation": [(FOR_EVER, 0)]})
    ask(sim, prepared_job("j", task("t")))
    until(sim, lambda: runs(sim, "p"))
    sim.request(TerminateJob("j"))
    sim.run(lambda: False, sim.now + after)
    sim.world.cut(node_of(sim).id)
    until(sim, lambda: job_of(sim).state == "completed", 120.0)
    assert record_of(sim).state is JobNodeState.RELEASED


def test_a_node_that_is_not_to_go_after_all_is_released():
    """Nobody waits for the release on a node that its cloud takes back, unless it stays before the job is over."""
    sim = simulation({"jobrelease": [(FOR_EVER, 0), (1.0, 0)], "1": [(5.0, 0)]}, target_dedicated_nodes=2)
    until(sim, lambda: [node.state for node in sim.journal.table("nodes").values()].count("idle") == 2)
    ask(sim, prepared_job("j", task("0"), task("1")))
    ended = completed(sim, "0", "1")
    node_id, ctx = ended[0].last_node_id or ended[0].node_id, sim.core.ctx
    ctx.put_node(evolve(ctx.nodes[node_id], sim.now, reclaim_at=sim.now + 600.0))
    ask(sim, TerminateJob("j"))
    until(sim, lambda: len(runs(sim, "r")) == 1, 60.0)
    sim.run(lambda: False, sim.now + 60.0)
    assert len(runs(sim, "r")) == 1 and job_of(sim).state == "terminating"
    ctx.put_node(evolve(ctx.nodes[node_id], sim.now, reclaim_at=None))
    until(sim, lambda: len(runs(sim, "r")) == 2, 60.0)
