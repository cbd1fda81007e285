"""What every attempt printed is kept, and why there was another is said. (Simulated executions print their ids.)"""

from msgspec.structs import replace

from pools import NodeDeallocationOption, StartTask
from runner import (
    DeleteTask,
    DisableJob,
    EnableJob,
    JobPreparationTask,
    LookAtOutputs,
    Output,
    ReactivateTask,
    RebootNode,
    ReimageNode,
    ResizePool,
    TaskConstraints,
)
from runner.commands import ReadOutputs
from runner.events import Outcome, OutputsSeen
from runner.simulated_node import Plan

from .run import SETTINGS, ask, completed, job, node_of, simulation, task, tasks_of, until
from .test_multi_instance import gang
from .test_multi_instance import pool as gang_pool

FOREVER = TaskConstraints(max_task_retry_count=-1)


def kept(sim, owner="task", id="t"):
    """What is kept on standard output, by attempt."""
    found = sim.journal.table("outputs").items()
    return {key[3]: output.data.decode() for key, output in found if (key[0], key[2]) == (owner, id)}


def test_each_retry_keeps_what_it_printed():
    sim = simulation({"t": [(5.0, 3), (5.0, 4), (5.0, 0)]})
    ask(sim, job("j", task("t", constraints=FOREVER)))
    (done,) = completed(sim, "t")
    assert kept(sim) == {n: f"{done.uid}-{n}" for n in (1, 2, 3)}
    assert [(each.number, each.exit_code, each.reason) for each in done.earlier] == [
        (1, 3, "the task exited with code 3"),
        (2, 4, "the task exited with code 4"),
    ]
    assert all(each.end_time - each.start_time == 5.0 and each.node_id for each in done.earlier)


def test_one_attempt_costs_no_more_than_before():
    sim = simulation()
    ask(sim, job("j", task("t")))
    (done,) = completed(sim, "t")
    assert list(sim.journal.table("outputs")) == [("task", "j", "t", 1, "stdout")]
    assert done.earlier == ()


def test_of_many_the_first_and_the_last_are_kept():
    settings = replace(SETTINGS, pools=replace(SETTINGS.pools, kept_attempts=3))
    sim = simulation({"t": [(1.0, 1)] * 8 + [(1.0, 0)]}, settings=settings)
    ask(sim, job("j", task("t", constraints=FOREVER)))
    (done,) = completed(sim, "t")
    assert [each.number for each in done.earlier] == [1, 7, 8]
    assert sorted(kept(sim)) == [1, 7, 8, 9]


def test_a_requeue_says_why_and_keeps_what_was_printed():
    sim = simulation({"t": [(1000.0, 0), (5.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, DisableJob("j", "requeue"))
    until(sim, lambda: tasks_of(sim)["t"].requeue_count)
    assert tasks_of(sim)["t"].last_requeue_reason == "its job was disabled"
    assert list(kept(sim)) == [1]
    ask(sim, EnableJob("j"))
    (done,) = completed(sim, "t")
    assert sorted(kept(sim)) == [1, done.attempt]
    assert [(each.reason, each.exit_code) for each in done.earlier] == [("its job was disabled", 137)]
    assert (done.ending, done.ending_reason) == (None, "")


def test_a_job_of_higher_priority_is_named_as_the_reason():
    sim = simulation({"t": [(1000.0, 0), (5.0, 0)]})
    ask(sim, job("j", task("t"), allow_task_preemption=True))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    ask(sim, job("high", task("h"), priority=5))
    until(sim, lambda: tasks_of(sim)["t"].requeue_count)
    assert "higher priority" in tasks_of(sim)["t"].last_requeue_reason


def test_a_node_that_leaves_or_dies_is_the_reason():
    sim = simulation({"t": [(1000.0, 0)]}, target_dedicated_nodes=2)
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    first = tasks_of(sim)["t"].node_id
    ask(sim, ResizePool("p", 0, 0, NodeDeallocationOption.REQUEUE))
    until(sim, lambda: tasks_of(sim)["t"].requeue_count == 1)
    said = tasks_of(sim)["t"].last_requeue_reason
    assert said.startswith(f"node {first}: ") and "0 dedicated" in said
    ask(sim, ResizePool("p", 1, 0))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    second = tasks_of(sim)["t"].node_id
    sim.world.kill_vm(node_of(sim).vm_name)
    until(sim, lambda: tasks_of(sim)["t"].requeue_count == 2)
    assert tasks_of(sim)["t"].last_requeue_reason.startswith(f"node {second}")
    assert [each.exit_code for each in tasks_of(sim)["t"].earlier] == [137, None]


def test_what_a_reactivated_task_printed_before_stays():
    sim = simulation({"t": [(5.0, 2), (5.0, 0)]})
    ask(sim, job("j", task("t")))
    completed(sim, "t")
    ask(sim, ReactivateTask("j", "t"))
    (done,) = completed(sim, "t")
    assert sorted(kept(sim)) == [1, 2] and done.result == "success"
    assert [(each.number, each.exit_code) for each in done.earlier] == [(1, 2)]


def test_a_task_that_is_deleted_leaves_nothing_of_any_attempt():
    sim = simulation({"t": [(5.0, 2), (5.0, 0)]})
    ask(sim, job("j", task("t", constraints=FOREVER)))
    completed(sim, "t")
    assert kept(sim)
    ask(sim, DeleteTask("j", "t"))
    assert kept(sim) == {}


def test_start_and_preparation_tasks_keep_what_each_attempt_printed():
    plans = {"start task": [(1.0, 1), (1.0, 0)], "prep": [(1.0, 7), (1.0, 7), (1.0, 0)]}
    sim = simulation(plans, start_task=StartTask(command_line="start", max_task_retry_count=-1))
    preparation = JobPreparationTask(id="prep", command_line="prepare", constraints=FOREVER)
    ask(sim, job("j", task("t"), job_preparation_task=preparation))
    completed(sim, "t")
    node = node_of(sim)
    assert sorted(kept(sim, "starttask", node.id)) == [1, 2]
    assert [each.exit_code for each in node.start_task.earlier] == [1]
    assert sorted(kept(sim, "jobpreparation", node.id)) == [1, 2, 3]
    (record,) = sim.journal.table("job_nodes").values()
    assert [(each.number, each.exit_code) for each in record.preparation.earlier] == [(1, 7), (2, 7)]


def test_of_a_node_that_is_often_rebooted_the_first_and_the_last_start_tasks_are_kept():
    settings = replace(SETTINGS, pools=replace(SETTINGS.pools, kept_attempts=3))
    sim = simulation(settings=settings, start_task=StartTask(command_line="start"), target_dedicated_nodes=1)
    for attempt in range(1, 8):
        until(sim, lambda number=attempt: node_of(sim).start_task_attempt == number and node_of(sim).state == "idle")
        ask(sim, RebootNode("p", node_of(sim).id, NodeDeallocationOption.REQUEUE))
    until(sim, lambda: node_of(sim).start_task_attempt == 8 and node_of(sim).state == "idle")
    node = node_of(sim)
    assert [each.number for each in node.start_task.earlier] == [1, 6, 7]
    assert sorted(kept(sim, "starttask", node.id)) == [1, 6, 7, 8]
    late = Output(stream="stdout", size=1, data=b"x")
    sim._deliver(Outcome(node.id, f"start:{node.id}:3", sim.now, sim.now, 0, outputs=(late,)))
    ask(sim, job("j"))
    assert sorted(kept(sim, "starttask", node.id)) == [1, 6, 7, 8]


def test_what_start_tasks_printed_on_the_vm_before_a_reimage_goes():
    sim = simulation(start_task=StartTask(command_line="start"), target_dedicated_nodes=1)
    until(sim, lambda: node_of(sim).state == "idle")
    ask(sim, RebootNode("p", node_of(sim).id, NodeDeallocationOption.REQUEUE))
    until(sim, lambda: node_of(sim).start_task_attempt == 2 and node_of(sim).state == "idle")
    assert sorted(kept(sim, "starttask", node_of(sim).id)) == [1, 2]
    ask(sim, ReimageNode("p", node_of(sim).id, NodeDeallocationOption.REQUEUE))
    until(sim, lambda: node_of(sim).start_task_attempt == 3 and node_of(sim).state == "idle")
    assert node_of(sim).start_task.earlier == ()
    assert sorted(kept(sim, "starttask", node_of(sim).id)) == [3]


def test_a_failed_coordination_command_is_named_and_every_instance_keeps_what_it_printed():
    sim = gang_pool(nodes=2)
    failing(sim, instance=1)
    ask(sim, job("j", gang("g", 2)))
    (done,) = completed(sim, "g")
    node = done.instances[1].node_id
    assert done.failure.code == "CoordinationCommandFailed"
    assert done.failure.message == (
        f"the coordination command failed with exit code 5 on node {node}; what it printed: `ebbtide logs j g/1`"
    )
    assert kept(sim, id="g/1") == {1: f"{done.uid}-1.1"}
    assert kept(sim, id="g") == {1: f"{done.uid}-1"}


def failing(sim, instance):
    """The coordination command of this instance exits with 5."""
    former = sim.world._behaviour

    def behave(command):
        own = command.environment["EBBTIDE_INSTANCE"]
        return Plan(5.0, coordination=0.5, coordination_code=5) if own == str(instance) else former(command)

    sim.world._behaviour = behave


def test_what_a_running_task_has_printed_so_far_is_left_when_its_node_dies():
    sim = simulation({"t": [(1000.0, 0), (5.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    running, asked = tasks_of(sim)["t"], reads(sim)
    sim.core.handle(LookAtOutputs(60.0), running.start_time + 59.0)
    assert asked == []
    sim.core.handle(LookAtOutputs(60.0), running.start_time + 61.0)
    assert asked == [ReadOutputs(running.node_id, ((running.execution_id, "workitems/j/job-1/t"),))]
    half = Output(stream="stdout", size=100, data=b"half", seen=sim.now)
    sim.core.handle(OutputsSeen(running.node_id, running.execution_id, (half,)), sim.now)
    sim.core.handle(OutputsSeen(running.node_id, f"{running.uid}-7", (half,)), sim.now)
    sim.world.kill_vm(node_of(sim).vm_name)
    (done,) = completed(sim, "t")
    assert done.requeue_count == 1
    assert kept(sim) == {1: "half", done.attempt: done.execution_id}
    sim.core.handle(OutputsSeen(running.node_id, running.execution_id, (half,)), sim.now)  # late: of no account
    assert not sim.core.take()[0]


def test_its_outcome_takes_the_place_of_what_was_seen_before():
    sim = simulation({"t": [(1000.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    running = tasks_of(sim)["t"]
    half = Output(stream="stdout", size=100, data=b"half", seen=sim.now)
    sim.core.handle(OutputsSeen(running.node_id, running.execution_id, (half,)), sim.now)
    completed(sim, "t")
    assert kept(sim) == {1: running.execution_id}


def reads(sim):
    """The questions for outputs that the core asks from now on."""
    found = []
    say = sim.core.ctx.say

    def heard(command):
        found.append(command) if isinstance(command, ReadOutputs) else say(command)

    sim.core.tasks._say = heard
    return found
