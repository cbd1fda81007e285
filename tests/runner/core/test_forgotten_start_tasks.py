"""A node that has lost its record of a start task: it runs again, under another name, and nothing runs beside it."""

from functools import partial

import pytest

from pools import StartTask
from runner.execution_ids import start_task_id
from runner.simulation_faults import USUAL_LATENCY

from .run import ask, completed, job, node_of, simulation, task, until

#: Seconds until an outcome comes, and until the node is connected anew: the outcome is on its way meanwhile.
FETCH = 60.0


def forgotten(retries):
    """The start task has ended there, and its outcome is on its way, when its record is lost and the connection cut."""
    start = StartTask(command_line="start", max_task_retry_count=retries)
    sim = simulation({"start task": [(10.0, 0), (200.0, 0)]}, start_task=start)
    sim.faults.latency = lambda kind: FETCH if kind == "fetch" else USUAL_LATENCY[kind]
    until(sim, lambda: any(not x.live for x in sim.world.log.started))
    node = next(iter(sim.world.nodes.values()))
    name = start_task_id(node.node_id, 1)
    node._kept.discard(name)
    node.ran.pop(name)
    sim.world.cut(node.node_id)
    return sim


def test_it_runs_again_and_what_the_first_one_came_to_is_not_taken_for_its_outcome():
    sim = forgotten(retries=1)
    ask(sim, job("j", task("t")))
    until(sim, lambda: len(sim.world.log.started) == 2)
    first, second = sim.world.log.started
    assert [each.id.rpartition(":")[2] for each in (first, second)] == ["1", "2"]
    until(sim, lambda: sim.now > first.ended + FETCH + 5.0)
    assert second.live and node_of(sim).state == "waitingforstarttask"
    completed(sim, "t")
    assert sim.world.log.started[2].started >= second.ended
    assert node_of(sim).start_task.retry_count == 1
    assert [each.reason for each in node_of(sim).start_task.earlier] == ["the node came back without it"]


def test_without_retries_the_node_is_none():
    sim = forgotten(retries=0)
    until(sim, lambda: node_of(sim).state == "starttaskfailed")
    assert "came back without it" in node_of(sim).start_task.failure.message


@pytest.mark.parametrize("moment", [1.0, 5.0, 30.0])
@pytest.mark.parametrize("befalls", ["cut", "crash"])
def test_one_that_its_node_knows_of_goes_on(befalls, moment):
    sim = simulation({"start task": [(100.0, 0)]}, start_task=StartTask(command_line="start"))
    until(sim, lambda: sim.world.log.started)
    deed = partial(sim.world.cut, node_of(sim).id) if befalls == "cut" else sim.crash
    sim.at(sim.now + moment, lambda now: deed())
    ask(sim, job("j", task("t")))
    completed(sim, "t")
    assert len(sim.world.log.started) == 2 and node_of(sim).start_task_attempt == 1
