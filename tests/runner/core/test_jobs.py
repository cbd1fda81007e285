"""Jobs and their tasks, end to end through the core: how they complete, retry, requeue and end."""

from datetime import timedelta

import msgspec
import pytest

from pools import NodeDeallocationOption, StartTask
from runner import (
    AddJobSchedule,
    AddTasks,
    DisableJob,
    EnableJob,
    JobConstraints,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    ReactivateTask,
    ResizePool,
    Schedule,
    TaskConstraints,
    TerminateJob,
)
from runner.events import Outcome
from runner.failure import LOST_LIMIT
from runner.task_model import Ending

from .run import POOL, SETTINGS, ask, completed, job, job_of, node_of, simulation, task, tasks_of, until


def test_a_job_completes_with_its_tasks():
    sim = simulation({"bad": [(5.0, 3)]})
    ask(sim, job("j", task("good"), task("bad"), on_all_tasks_complete="terminatejob"))
    good, bad = completed(sim, "good", "bad")
    assert (good.exit_code, good.result, bad.exit_code, bad.result) == (0, "success", 3, "failure")
    assert bad.failure.code == "FailureExitCode"
    assert (job_of(sim).state, job_of(sim).terminate_reason) == ("completed", "AllTasksComplete")


def test_a_job_without_tasks_has_completed_them_all():
    sim = simulation()
    ask(sim, job("j", on_all_tasks_complete="terminatejob"))
    assert (job_of(sim).state, job_of(sim).terminate_reason) == ("completed", "AllTasksComplete")


def test_a_job_stays_active_if_nobody_ends_it():
    sim = simulation()
    ask(sim, job("j", task("a")))
    completed(sim, "a")
    assert job_of(sim).state == "active"
    assert ask(sim, AddTasks("j", (task("b"),))) is None
    completed(sim, "b")


def test_the_end_of_the_job_manager_ends_the_job():
    sim = simulation({"slow": [(500.0, 0)]}, task_slots_per_node=2)
    manager = JobManagerTask(id="manager", command_line="work", run_exclusive=False)
    ask(sim, job("j", task("slow"), job_manager_task=manager))
    until(sim, lambda: job_of(sim).state == "completed", 120.0)
    slow, manager_task = tasks_of(sim)["slow"], tasks_of(sim)["manager"]
    assert job_of(sim).terminate_reason == "JMComplete"
    assert (manager_task.exit_code, manager_task.is_job_manager) == (0, True)
    assert (slow.state, slow.failure.code, slow.exit_code) == ("completed", "TaskEnded", 137)


def test_an_exclusive_job_manager_has_its_node_to_itself():
    sim = simulation(task_slots_per_node=4)
    ask(sim, job("j", task("other"), job_manager_task=JobManagerTask(id="manager", command_line="work")))
    until(sim, lambda: tasks_of(sim)["manager"].state == "running")
    assert tasks_of(sim)["other"].state == "active"


def test_retries_are_counted_and_end():
    sim = simulation({"hopeless": [(1.0, 7)], "lucky": [(1.0, 7), (1.0, 0)]})
    retries = TaskConstraints(max_task_retry_count=2)
    ask(sim, job("j", task("hopeless", constraints=retries), task("lucky", constraints=retries)))
    hopeless, lucky = completed(sim, "hopeless", "lucky")
    assert (hopeless.retry_count, hopeless.exit_code, hopeless.attempt) == (2, 7, 3)
    assert (lucky.retry_count, lucky.exit_code, lucky.result) == (1, 0, "success")
    assert lucky.requeue_count == hopeless.requeue_count == 0


def test_a_lost_node_counts_as_requeue_and_not_as_retry():
    sim = simulation({"a": [(60.0, 0)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    first = node_of(sim)
    sim.world.kill_vm(first.vm_name)
    (done,) = completed(sim, "a")
    assert (done.requeue_count, done.retry_count, done.exit_code) == (1, 0, 0)
    assert done.last_node_id != first.id


def test_a_task_that_kills_its_node_each_time_fails_in_the_end():
    sim = simulation({"a": [(600.0, 0)]})
    ask(sim, job("j", task("a")))
    deaths = 0
    while tasks_of(sim)["a"].state != "completed":
        until(sim, lambda: tasks_of(sim)["a"].state in ("running", "completed"))
        if tasks_of(sim)["a"].state == "running":
            deaths += 1
            sim.world.kill_vm(sim.journal.table("nodes")[tasks_of(sim)["a"].node_id].vm_name)
            until(sim, lambda: tasks_of(sim)["a"].state != "running")
    assert deaths == LOST_LIMIT + 1
    assert tasks_of(sim)["a"].failure.code == "ExecutionLost"
    assert f"lost {deaths} times" in tasks_of(sim)["a"].failure.message


def test_only_losses_count_as_losses():
    """A task that has made room, or whose job was disabled, as often as a hopeless one may be lost goes on when it is
    lost then."""
    sim = simulation({"a": [(600.0, 0)]})
    ask(sim, job("j", task("a")))
    for _ in range(LOST_LIMIT):
        until(sim, lambda: tasks_of(sim)["a"].state == "running")
        ask(sim, DisableJob("j", "requeue"))
        until(sim, lambda: tasks_of(sim)["a"].node_id is None)
        ask(sim, EnableJob("j"))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    sim.world.kill_vm(node_of(sim).vm_name)
    (done,) = completed(sim, "a")
    assert (done.result, done.requeue_count, done.losses) == ("success", LOST_LIMIT + 1, 1)


def test_a_task_that_is_reactivated_may_be_lost_as_often_as_at_first():
    sim = simulation({"a": [(600.0, 0), (1.0, 1), (1.0, 0)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    sim.world.kill_vm(node_of(sim).vm_name)
    assert completed(sim, "a")[0].losses == 1
    ask(sim, ReactivateTask("j", "a"))
    assert completed(sim, "a")[0].losses == 0


def test_what_may_have_begun_unheard_on_a_node_that_died_counts_as_requeued():
    sim = simulation({"a": [(60.0, 0)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "preparing")
    sim.world.kill_vm(node_of(sim).vm_name)
    (done,) = completed(sim, "a")
    assert (done.requeue_count, done.retry_count, done.attempt) == (1, 0, 2)


def test_a_cut_connection_does_not_disturb_a_task():
    sim = simulation({"a": [(60.0, 0)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    sim.world.cut(node_of(sim).id)
    (done,) = completed(sim, "a")
    assert (done.requeue_count, done.attempt, len(sim.world.log.started)) == (0, 1, 1)


def test_a_task_that_runs_is_adopted_by_the_next_controller():
    sim = simulation({"a": [(60.0, 5)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    sim.crash()
    (done,) = completed(sim, "a")
    assert (done.requeue_count, done.attempt, done.exit_code, sim.crashes) == (0, 1, 5, 1)


def test_a_terminated_job_ends_what_runs_and_leaves_what_waits():
    sim = simulation({"runs": [(500.0, 0)]})
    ask(sim, job("j", task("runs"), task("waits")))
    until(sim, lambda: tasks_of(sim)["runs"].state == "running")
    ask(sim, TerminateJob("j"))
    until(sim, lambda: job_of(sim).state == "completed", 60.0)
    assert tasks_of(sim)["runs"].failure.code == "TaskEnded"
    assert tasks_of(sim)["waits"].state == "active"
    assert sim.core.counts("p").active == 0
    assert ask(sim, AddTasks("j", (task("more"),))).code == "JobCompleted"


def test_a_job_does_not_outlive_its_wall_clock_time():
    sim = simulation({"a": [(500.0, 0)]})
    ask(sim, job("j", task("a"), constraints=JobConstraints(max_wall_clock_time=timedelta(seconds=60))))
    assert until(sim, lambda: job_of(sim).state == "completed") == pytest.approx(60.0, abs=5.0)
    assert job_of(sim).terminate_reason == "MaxWallClockTimeExpiry"


OPTIONS = {
    NodeDeallocationOption.REQUEUE: ("active", None, 1),
    NodeDeallocationOption.TERMINATE: ("completed", 137, 0),
    NodeDeallocationOption.TASK_COMPLETION: ("completed", 0, 0),
    NodeDeallocationOption.RETAINED_DATA: ("completed", 0, 0),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_what_becomes_of_a_task_whose_node_is_taken_away(option):
    sim = simulation({"a": [(60.0, 0)]})
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    ask(sim, ResizePool("p", 0, 0, option))
    until(sim, lambda: not sim.world.cloud.list_owned() and not sim.journal.table("nodes"))
    found = tasks_of(sim)["a"]
    assert (found.state, found.exit_code, found.requeue_count) == OPTIONS[option]


def test_a_task_that_fails_while_it_is_to_be_requeued_has_its_retries():
    sim = simulation({"a": [(60.0, 0)]})
    ask(sim, job("j", task("a", constraints=TaskConstraints(max_task_retry_count=1))))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    running = tasks_of(sim)["a"]
    tasks = sim.core.tasks
    tasks.end(running, Ending.REQUEUE, sim.now)
    report = Outcome(running.node_id, running.execution_id, exit_code=3, start_time=sim.now, end_time=sim.now)
    tasks.outcome(report, sim.now)
    found = tasks.tasks[running.key]
    assert (found.state, found.retry_count, found.requeue_count, found.ending) == ("active", 1, 0, None)


def test_counts_follow_the_tasks():
    sim = simulation({"fails": [(5.0, 1)], "long": [(100.0, 0)]})
    ask(sim, job("j", task("good"), task("fails"), task("long"), task("waits")))
    assert sim.core.counts("p") == (4, 0, 0, 0)
    completed(sim, "good", "fails")
    until(sim, lambda: tasks_of(sim)["long"].state == "running")
    assert sim.core.counts("p") == (1, 1, 1, 1)


def schedule(seconds):
    manager = JobManagerTask(id="m", command_line="work")
    return AddJobSchedule(
        JobScheduleSpec(
            id="s",
            schedule=Schedule(recurrence_interval=timedelta(seconds=seconds)),
            job_specification=JobSpecification(pool_info=POOL, job_manager_task=manager),
        )
    )


def test_a_schedule_has_one_job_at_a_time():
    sim = simulation({"m": [(100.0, 0)]})
    ask(sim, schedule(30))
    starts = []
    for number in (1, 2, 3):
        name = f"s:job-{number}"
        until(sim, lambda name=name: job_of(sim, name) is not None)
        running = [j.id for j in sim.journal.table("jobs").values() if j.state != "completed"]
        assert running == [name]
        starts.append(job_of(sim, name).created)
    assert starts[2] - starts[1] > 100.0  # the one before ran longer than the interval


def test_a_schedule_makes_as_many_jobs_as_it_may():
    sim = simulation(settings=msgspec.structs.replace(SETTINGS, occurrences=2))
    ask(sim, schedule(20))
    until(sim, lambda: not sim.core.unfinished())
    assert sorted(sim.journal.table("jobs")) == ["s:job-1", "s:job-2"]
    assert job_of(sim, "s:job-2").directory == "workitems/s/job-2"
    sim.run(lambda: False, sim.now + 200.0)
    assert len(sim.journal.table("jobs")) == 2


def test_a_start_task_that_fails_is_retried_and_then_replaced_with_patience():
    sim = simulation(
        {"start task": [(1.0, 9)]}, start_task=StartTask(command_line="prepare", max_task_retry_count=1)
    )
    until(sim, lambda: any(n.state == "starttaskfailed" for n in sim.journal.table("nodes").values()))
    node = node_of(sim)
    assert (node.start_task.exit_code, node.start_task.retry_count) == (9, 1)
    assert [error.code for error in sim.journal.table("pools")["p"].resize_errors] == ["StartTaskFailed"]
    until(sim, lambda: sim.journal.table("pools")["p"].failures >= 3)
    assert sim.journal.table("pools")["p"].usage.peak_nodes <= 2


def test_nobody_waits_for_a_start_task_that_need_not_succeed():
    start = StartTask(command_line="prepare", wait_for_success=False)
    sim = simulation({"start task": [(300.0, 9)]}, start_task=start)
    ask(sim, job("j", task("a")))
    completed(sim, "a")
    assert node_of(sim).start_task.state == "running"
