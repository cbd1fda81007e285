"""What a node has run is counted at it, and the last ten are named."""

import pytest

from runner import TaskConstraints, TerminateTask
from runner.task_spec import MultiInstanceSettings

from .run import ask, completed, job, node_of, simulation, task, tasks_of, until


def test_each_execution_counts_at_its_node():
    sim = simulation({"bad": [(1.0, 3)]})
    ask(sim, job("j", task("good"), task("bad", constraints=TaskConstraints(max_task_retry_count=1))))
    completed(sim, "good", "bad")
    history = node_of(sim).history
    assert (history.run, history.succeeded) == (3, 1)
    told = [(each.task_id, each.state, each.exit_code, each.retry_count) for each in history.recent]
    assert told == [("bad", "completed", 3, 1), ("bad", "active", 3, 0), ("good", "completed", 0, 0)]
    assert history.recent[0].failure.code == "FailureExitCode" and history.recent[-1].failure is None
    assert all(each.end_time - each.start_time >= 1.0 for each in history.recent)


@pytest.mark.parametrize("crash", [False, True])
def test_the_last_ten_are_named(crash):
    sim = simulation(task_slots_per_node=4)
    ask(sim, job("j", *(task(str(n)) for n in range(13))))
    completed(sim, *(str(n) for n in range(13)))
    if crash:
        sim.crash()
        until(sim, lambda: sim.core is not None)
    ask(sim, job("k", task("last")))
    until(sim, lambda: tasks_of(sim, "k")["last"].state == "completed")
    history = node_of(sim).history
    assert (history.run, history.succeeded, len(history.recent)) == (14, 14, 10)
    assert (history.recent[0].job_id, history.recent[0].task_id) == ("k", "last")


def test_one_that_was_ended_on_request_has_not_succeeded():
    sim = simulation({"t": [(600.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, TerminateTask("j", "t"))
    completed(sim, "t")
    history = node_of(sim).history
    assert (history.run, history.succeeded, history.recent[0].failure.code) == (1, 0, "TaskEnded")


def test_each_subtask_counts_where_it_ran():
    sim = simulation(target_dedicated_nodes=2, enable_inter_node_communication=True)
    together = MultiInstanceSettings(coordination_command_line="coordinate", number_of_instances=2)
    ask(sim, job("j", task("g", multi_instance_settings=together)))
    completed(sim, "g")
    found = [node.history for node in sim.journal.table("nodes").values()]
    assert [(each.run, each.succeeded) for each in found] == [(1, 1), (1, 1)]
    assert sorted(each.recent[0].subtask for each in found) == [0, 1]
