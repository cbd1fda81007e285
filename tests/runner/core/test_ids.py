"""Ids are case-insensitive and keep their case: what exists exists in every spelling, and is found in every one."""

import pytest

from pools import PoolSpec
from runner import (
    AddApplication,
    AddJob,
    AddJobSchedule,
    AddPool,
    AddTasks,
    ApplicationPackage,
    DeletePool,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    ResizePool,
    Schedule,
    TaskDependencies,
)
from runner import job_events as jev
from runner.task_spec import JobManagerTask

from .run import ask, completed, job, job_of, simulation, task, tasks_of, until


def schedule(schedule_id="Nightly", pool_id="p"):
    manager = JobManagerTask(id="Manager", command_line="work")
    specification = JobSpecification(pool_info=PoolInfo(pool_id=pool_id), job_manager_task=manager)
    return AddJobSchedule(JobScheduleSpec(id=schedule_id, schedule=Schedule(), job_specification=specification))


EXISTING = {
    "pool": (AddPool(PoolSpec(id="P", vm_size="simulated.small"), "simulated", "simulated"), "PoolExists", "'p'"),
    "job": (job("MINE"), "JobExists", "'Mine'"),
    "job in lower case": (job("mine"), "JobExists", "'Mine'"),
    "task": (AddTasks("Mine", (task("T1"),)), "TaskExists", "'t1'"),
    "task of another spelling": (AddTasks("MINE", (task("dONE"),)), "TaskExists", "'Done'"),
    "two tasks of one request": (AddTasks("Mine", (task("new"), task("New"))), "TaskExists", "'new'"),
    "two tasks of a new job": (job("other", task("new"), task("New")), "TaskExists", "'new'"),
    "schedule": (schedule("NIGHTLY"), "JobScheduleExists", "'Nightly'"),
}


@pytest.fixture(params=["as it was", "restarted"])
def sim(request):
    sim = simulation()
    assert ask(sim, job("Mine", task("Done"), task("t1"), task("T2"))) is None
    assert ask(sim, schedule()) is None
    completed(sim, "Done", "t1", job_id="Mine")
    if request.param == "restarted":
        sim.crash()
    return sim


@pytest.mark.parametrize("case", EXISTING)
def test_what_exists_cannot_be_made_again(sim, case):
    event, code, name = EXISTING[case]
    refused = ask(sim, event)
    assert (refused.code, name in str(refused)) == (code, True), refused


def test_a_job_finds_its_pool_and_says_so():
    sim = simulation()
    assert ask(sim, AddJob(JobSpec(id="j", pool_info=PoolInfo(pool_id="P")), (task("t"),))) is None
    assert job_of(sim).pool_id == job_of(sim).spec.pool_info.pool_id == "p"
    completed(sim, "t")


def test_a_schedule_finds_its_pool_and_is_found(sim):
    assert ask(sim, schedule("other", "P")) is None
    assert sim.journal.table("job_schedules")["other"].spec.job_specification.pool_info.pool_id == "p"
    assert ask(sim, jev.DisableJobSchedule("OTHER")) is None
    assert sim.journal.table("job_schedules")["other"].state == "disabled"


def test_requests_about_jobs_find_them(sim):
    assert ask(sim, jev.DisableJob("mINE", "wait")) is None
    until(sim, lambda: job_of(sim, "Mine").state == "disabled")
    changed = jev.ReplaceJob(JobSpec(id="mine", pool_info=PoolInfo(pool_id="P"), priority=5), frozenset(("priority",)))
    assert ask(sim, changed) is None
    assert job_of(sim, "Mine").spec.priority == 5
    assert ask(sim, jev.EnableJob("MINE")) is None
    assert ask(sim, jev.TerminateJob("mine")) is None
    until(sim, lambda: job_of(sim, "Mine").state == "completed")


def test_requests_about_pools_find_them(sim):
    assert ask(sim, ResizePool("P", 2, 0)) is None
    assert sim.journal.table("pools")["p"].target_dedicated == 2
    assert ask(sim, DeletePool("P")) is None
    assert sim.journal.table("pools")["p"].state == "deleting"


@pytest.mark.parametrize("over", [False, True])
def test_requests_about_completed_tasks_find_them(sim, over):
    if over:
        assert ask(sim, jev.TerminateJob("Mine")) is None
        until(sim, lambda: job_of(sim, "Mine").state == "completed")
        sim.crash()
    assert ask(sim, jev.ReactivateTask("mine", "dONE")).code == "TaskSucceeded"
    for spelled in ("dONE", "T1"):
        assert ask(sim, jev.DeleteTask("MINE", spelled)) is None
        assert ask(sim, jev.DeleteTask("MINE", spelled)).code == "TaskNotFound"
    assert set(tasks_of(sim, "Mine")) == {"T2"}


def test_a_task_that_was_deleted_may_come_back_in_another_spelling(sim):
    assert ask(sim, jev.DeleteTask("Mine", "done")) is None
    assert ask(sim, AddTasks("mine", (task("DONE"),))) is None
    assert ask(sim, AddTasks("Mine", (task("Done"),))).code == "TaskExists"
    assert "DONE" in tasks_of(sim, "Mine")


def test_a_job_that_was_deleted_may_come_back_in_another_spelling(sim):
    assert ask(sim, jev.DeleteJob("mine")) is None
    until(sim, lambda: job_of(sim, "Mine") is None)
    assert ask(sim, job("mINE", task("done"))) is None
    assert ask(sim, job("Mine")).code == "JobExists"
    completed(sim, "done", job_id="mINE")


@pytest.mark.parametrize("crash", [False, True])
def test_dependencies_find_their_tasks(crash):
    sim = simulation({"First": [(30.0, 0)], "bad": [(5.0, 1)]})
    tasks = (
        task("First"),
        task("bad"),
        task("second", depends_on=TaskDependencies(task_ids=("FIRST",))),
        task("never", depends_on=TaskDependencies(task_ids=("BAD",))),
    )
    assert ask(sim, job("j", *tasks, uses_task_dependencies=True)) is None
    if crash:
        sim.crash()
    completed(sim, "First", "bad", "second")
    found = tasks_of(sim)
    assert found["second"].start_time >= found["First"].end_time
    assert found["never"].scheduling_error.code == "DependencyFailed"
    assert "'bad'" in found["never"].scheduling_error.message
    assert ask(sim, AddTasks("j", (task("third", depends_on=TaskDependencies(task_ids=("fIRST",))),))) is None
    completed(sim, "third")


def test_a_circle_in_two_spellings_is_one():
    sim = simulation()
    tasks = (
        task("A", depends_on=TaskDependencies(task_ids=("B",))),
        task("b", depends_on=TaskDependencies(task_ids=("a",))),
    )
    refused = ask(sim, job("j", *tasks, uses_task_dependencies=True))
    assert "in a circle" in str(refused) and "'A'" in str(refused) and "'b'" in str(refused)


def test_an_application_has_one_spelling():
    sim = simulation()
    for name, version, digest in (("Tool", "V1", "aa"), ("TOOL", "v1", "bb"), ("tool", "2", "cc")):
        package = ApplicationPackage(application_id=name, version=version, sha256=digest * 32, size=1, created=0.0)
        assert ask(sim, AddApplication(package)) is None
    kept = sim.journal.table("applications")
    assert {key: record.sha256[:2] for key, record in kept.items()} == {("Tool", "V1"): "bb", ("Tool", "2"): "cc"}


def test_ids_in_lower_case_cost_nothing():
    """What 100,000 tasks cost in memory is counted."""
    sim = simulation()
    assert ask(sim, job("j", *(task(f"t{n}") for n in range(50)))) is None
    assert not sim.core.tasks._spellings
