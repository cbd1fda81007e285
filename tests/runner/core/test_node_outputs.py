"""What nodes print beside the tasks of jobs says when it came in: no job takes it along when it goes."""

from pools import StartTask
from runner import Output
from runner.events import ConsoleRead, Outcome
from runner.execution_ids import start_task_id

from .run import ask, job, simulation, task, tasks_of, until


def outcome(node, execution, at, code=0):
    printed = (Output(stream="stdout", size=1, data=b"x"),)
    return Outcome(node, execution, start_time=at, end_time=at, exit_code=code, outputs=printed)


def test_of_start_tasks_and_consoles():
    sim = simulation({"start task": [(600.0, 0)]}, start_task=StartTask(command_line="x"))
    nodes = sim.journal.table("nodes")
    until(sim, lambda: any(node.start_task_attempt == 1 for node in nodes.values()))
    (node,) = nodes
    at = sim.now
    assert ask(sim, outcome(node, start_task_id(node, 1), at)) is None
    assert ask(sim, ConsoleRead(node, "text")) is None
    found = {each.owner: each.kept for each in sim.journal.table("outputs").values()}
    assert found.keys() == {"starttask", "node"}
    assert all(at <= kept <= sim.now for kept in found.values())


def test_what_belongs_to_a_job_needs_none():
    sim = simulation({"t": [(600.0, 0)]})
    assert ask(sim, job("j", task("t"))) is None
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    record = tasks_of(sim)["t"]
    assert ask(sim, outcome(record.node_id, record.execution_id, sim.now)) is None
    assert [each.kept for each in sim.journal.table("outputs").values()] == [None]
