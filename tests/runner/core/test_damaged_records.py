"""Nodes that have lost records of executions, and say so: what they may have run is not started anew under its name."""

import pytest

from runner import AddTasks

from .prepared import prepared_job, record_of
from .run import ask, completed, job, node_of, simulation, task, tasks_of, until


@pytest.mark.parametrize("damaged", [False, True])
def test_what_a_node_with_damaged_records_does_not_know_counts_as_requeued(damaged):
    sim = simulation({"a": [(60.0, 0)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "preparing")
    (node,) = sim.world.nodes.values()
    node.damages = {"damage-1"} if damaged else set()
    sim.world.cut(node.node_id)
    assert not node.ran, "the start is lost with the connection"
    (done,) = completed(sim, "a")
    assert (done.requeue_count, done.attempt) == ((1, 2) if damaged else (0, 1))
    assert not node.damages, "it was acknowledged"


def forgets(sim, task_id):
    """The only node runs the task that it is about to be told to start, unheard; then its records are damaged."""
    until(sim, lambda: tasks_of(sim)[task_id].state == "preparing")
    (node,), execution_id = sim.world.nodes.values(), tasks_of(sim)[task_id].execution_id
    node.report = lambda event: None
    until(sim, lambda: execution_id in node.unacknowledged)
    node.acknowledge(execution_id)
    del node.ran[execution_id]
    node.damages = {"damage-1"}
    return node


def test_a_node_with_damaged_records_is_told_to_start_nothing_twice_under_one_name(monkeypatch):
    """However little is thought to have begun there: what it has told of that may come late."""
    sim = simulation({"a": [(5.0, 0)]})
    monkeypatch.setattr(sim.core.tasks, "unheard", lambda node_id, until: frozenset())
    ask(sim, job("j", task("a")))
    sim.world.cut(forgets(sim, "a").node_id)
    (done,) = completed(sim, "a")
    assert [each.id for each in sim.world.log.started] == [f"{done.uid}-1", f"{done.uid}-2"]
    assert (done.attempt, done.requeue_count) == (2, 0)


def test_a_node_with_damaged_records_that_has_started_anew_is_prepared_again_and_starts_nothing_twice():
    sim = simulation()
    ask(sim, prepared_job("j", task("a"), release=False))
    completed(sim, "a")
    ask(sim, AddTasks("j", (task("b"),)))
    forgets(sim, "b")
    sim.world.reboot(node_of(sim).vm_name)
    (done,) = completed(sim, "b")
    assert [each.id for each in sim.world.log.started if done.uid in each.id] == [f"{done.uid}-1", f"{done.uid}-2"]
    assert (done.attempt, done.requeue_count) == (2, 1)
    assert record_of(sim).preparation.attempt == 2


def test_a_damage_that_is_told_again_counts_once():
    sim = simulation({"a": [(60.0, 0)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "preparing")
    (node,) = sim.world.nodes.values()
    for _ in range(3):
        node.damages = {"damage-1"}  # nothing that was said to it arrived, the acknowledgement neither
        sim.world.cut(node.node_id)
        assert not node.ran
        until(sim, lambda: node.node_id not in sim.core.ctx.connected)
        until(sim, lambda: node.node_id in sim.core.ctx.connected and tasks_of(sim)["a"].state == "preparing")
    (done,) = completed(sim, "a")
    assert (done.requeue_count, done.attempt) == (1, 2)
