"""What happens again and again while a pool works does not look at all that there is: counted, not timed."""

import pytest

from runner import ResizePool, open_nodes, placing
from runner.job_nodes import JobNodes
from runner.open_nodes import takes_tasks
from runner.task_model import Task

from .prepared import prepared_job, runs
from .run import ask, completed, job, job_of, simulation, task, tasks_of, until


def idle(sim, count):
    until(sim, lambda: [node.state for node in sim.journal.table("nodes").values()].count("idle") == count)


@pytest.mark.parametrize("nodes", [5, 10, 20])
def test_what_waits_at_nodes_is_asked_after_without_looking_at_all_nodes(nodes, monkeypatch):
    """Short tasks let long ones be sent ahead; these wait, and each node has a timer for them."""
    looked = []

    def looks(ctx, node_id):
        looked.append(node_id)
        return takes_tasks(ctx, node_id)

    plans = {f"short{n}": [(0.1, 0)] for n in range(3 * nodes)} | {f"long{n}": [(3600.0, 0)] for n in range(3 * nodes)}
    sim = simulation(plans, target_dedicated_nodes=nodes)
    idle(sim, nodes)
    ask(sim, job("j", *map(task, plans)))
    sim.run(lambda: False, sim.now + 30.0)
    waiting = [each for each in tasks_of(sim).values() if each.state == "active" and each.node_id is not None]
    assert len({each.node_id for each in waiting}) == nodes
    monkeypatch.setattr(placing, "takes_tasks", looks)
    monkeypatch.setattr(open_nodes, "takes_tasks", looks)
    sim.run(lambda: False, sim.now + 10.0)
    assert len(looked) <= 10 * nodes


@pytest.mark.parametrize("nodes", [5, 10, 20])
def test_a_preparation_that_ends_is_no_reason_to_look_at_what_waits_elsewhere(nodes, monkeypatch):
    """They end one after the other, and on each node a task waits for its own."""
    looked = []
    execution_at = Task.execution_at

    def looks(self, node_id):
        looked.append(node_id)
        return execution_at(self, node_id)

    monkeypatch.setattr(Task, "execution_at", looks)
    sim = simulation({"jobpreparation": [(30.0 + n, 0) for n in range(nodes)]}, target_dedicated_nodes=nodes)
    idle(sim, nodes)
    ask(sim, prepared_job("j", *(task(str(n)) for n in range(nodes))))
    until(sim, lambda: len(runs(sim, "task")) == nodes)
    assert len(looked) <= 10 * nodes


@pytest.mark.parametrize("nodes", [5, 10, 20])
def test_a_release_that_ends_is_no_reason_to_look_at_all_others(nodes, monkeypatch):
    """They end one after the other, and the job waits for the last."""
    looked = []
    owes_release = JobNodes._owes_release

    def looks(self, record):
        looked.append(record.key)
        return owes_release(self, record)

    monkeypatch.setattr(JobNodes, "_owes_release", looks)
    sim = simulation({"jobrelease": [(5.0 + 3 * n, 0) for n in range(nodes)]}, target_dedicated_nodes=nodes)
    idle(sim, nodes)
    ask(sim, prepared_job("j", *(task(str(n)) for n in range(nodes)), on_all_tasks_complete="terminatejob"))
    until(sim, lambda: job_of(sim).state == "completed")
    assert len(runs(sim, "r")) == nodes
    assert len(looked) <= 10 * nodes


@pytest.mark.parametrize("nodes", [5, 10, 20])
def test_a_node_that_leaves_is_no_reason_to_look_at_others_that_do(nodes, monkeypatch):
    """Releases end there one after the other."""
    looked = []
    wind_up = JobNodes._wind_up

    def looks(self, record, now):
        looked.append(record.key)
        wind_up(self, record, now)

    monkeypatch.setattr(JobNodes, "_wind_up", looks)
    sim = simulation({"jobrelease": [(5.0 + 3 * n, 0) for n in range(nodes)]}, target_dedicated_nodes=nodes)
    idle(sim, nodes)
    ask(sim, prepared_job("j", *(task(str(n)) for n in range(nodes))))
    completed(sim, *(str(n) for n in range(nodes)))
    ask(sim, ResizePool("p", 0, 0))
    until(sim, lambda: not sim.journal.table("nodes"))
    assert len(runs(sim, "r")) == nodes
    assert len(looked) <= 10 * nodes
