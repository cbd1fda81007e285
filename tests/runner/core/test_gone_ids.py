"""What is left of jobs that were forgotten and of tasks that were deleted: their ids, from the commit on in which the
record goes."""

from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from pools import CountingIds, Deployment, folded
from runner import (
    AddJobSchedule,
    AddTasks,
    Core,
    CoreSettings,
    DeleteJob,
    DeleteJobSchedule,
    DeleteTask,
    ForgetJob,
    JobForgotten,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    Schedule,
)

from .run import POOL, ask, completed, forget, job_of, simulation, task, tasks_of, until
from .run import job as requested


def job(job_id, *tasks, **changes):
    """One of a workload file."""
    return replace(requested(job_id, *tasks, **changes), declared=True)


def ids(sim):
    return set(sim.journal.table("gone"))


@contextmanager
def watched(sim):
    """No commit lets a record go without leaving its id."""
    seen = set()

    def look():
        jobs, tasks = sim.journal.table("jobs"), sim.journal.table("tasks")
        there = {(folded(job_id), "") for job_id in jobs} | {(folded(job), folded(task)) for job, task in tasks}
        seen.update(there)
        missing = seen - there - ids(sim)
        assert not {key for key in missing if key[1] == "" or (key[0], "") in there}

    sim.observe = look
    yield
    sim.observe = lambda: None
    assert seen


@pytest.fixture
def sim():
    sim = simulation(task_slots_per_node=2)
    assert ask(sim, job("Old", task("T"), task("u"), on_all_tasks_complete="terminatejob")) is None
    until(sim, lambda: job_of(sim, "Old").state == "completed")
    return sim


def moment(sim, name):
    """Brings the task `t` of the job `j`, which goes on, into a state."""
    assert ask(sim, job("j", task("t"), task("u"))) is None
    if name == "running":
        until(sim, lambda: tasks_of(sim)["t"].state == "running")
    elif name == "completed":
        completed(sim, "t")


@pytest.mark.parametrize("name", ["active", "running", "completed"])
def test_a_deleted_task(name):
    sim = simulation(task_slots_per_node=2)
    moment(sim, name)
    with watched(sim):
        assert ask(sim, DeleteTask("J", "T")) is None
        until(sim, lambda: set(tasks_of(sim)) == {"u"})
    assert ids(sim) == {("j", "t")}
    assert not [*sim.core.tasks.gone], "it is not held in memory"
    assert ask(sim, AddTasks("j", (task("t"),))) is None  # whoever adds it by itself may
    completed(sim, "t")
    assert ask(sim, DeleteJob("j")) is None
    until(sim, lambda: job_of(sim) is None)
    assert ids(sim) == set()


def test_a_deleted_task_of_a_job_that_is_over(sim):
    with watched(sim):
        assert ask(sim, DeleteTask("Old", "T")) is None
        assert ids(sim) == {("old", "t")}
        forget(sim, "Old")
    assert ids(sim) == {("old", "")}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("way", ["deleted", "made again"])
def test_a_forgotten_job(sim, restart, way):
    forget(sim, "Old")
    assert ids(sim) == {("old", "")}
    if restart:
        sim.crash()
    until(sim, lambda: sim.core is not None)
    assert sim.core.tasks.gone.job("OLD").time == pytest.approx(sim.now, abs=60.0)
    if way == "deleted":
        assert ask(sim, DeleteJob("OLD")) is None
        assert ask(sim, DeleteJob("OLD")).code == "JobNotFound"
    else:
        assert ask(sim, job("OLD", task("u"))) is None
    assert ids(sim) == set()
    assert sim.core.tasks.gone.job("old") is None


def test_a_job_that_is_half_forgotten(sim):
    """Its tasks go bit by bit: whoever finds some of them only is to know why."""
    ended = job_of(sim, "Old").end_time
    assert ask(sim, ForgetJob("Old", ended)) is None
    assert ids(sim) == {("old", "")}
    sim.crash()
    until(sim, lambda: sim.core is not None)
    assert sim.core.tasks.gone.job("old") is not None
    forget(sim, "Old")
    assert ids(sim) == {("old", "")}


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_job_that_is_deleted_is_not_remembered(sim, when):
    ended = job_of(sim, "Old").end_time
    if when == "meanwhile":
        assert ask(sim, ForgetJob("Old", ended)) is None
    assert ask(sim, DeleteJob("Old")) is None
    if when == "meanwhile":
        assert ask(sim, JobForgotten("Old", ended)) is None
    assert job_of(sim, "Old") is None
    assert ids(sim) == set()


def test_jobs_that_no_file_declares_are_not_remembered():
    """Nobody asks for them again, and there may be any number of them."""
    sim = simulation(task_slots_per_node=2)
    assert ask(sim, requested("Old", task("T"), task("u"), on_all_tasks_complete="terminatejob")) is None
    until(sim, lambda: job_of(sim, "Old").state == "completed")
    assert ask(sim, DeleteTask("Old", "T")) is None
    assert ids(sim) == set()
    forget(sim, "Old")
    assert ids(sim) == set()


def test_jobs_of_schedules_are_not_remembered():
    sim = simulation()
    specification = JobSpecification(
        pool_info=POOL, on_all_tasks_complete="terminatejob", job_manager_task=JobManagerTask(id="m", command_line="x")
    )
    spec = JobScheduleSpec(id="s", schedule=Schedule(), job_specification=specification)
    assert ask(sim, AddJobSchedule(spec)) is None
    until(sim, lambda: job_of(sim, "s:job-1") is not None and job_of(sim, "s:job-1").state == "completed")
    assert ask(sim, DeleteTask("s:job-1", "m")) is None
    forget(sim, "s:job-1")
    assert ids(sim) == set()
    assert ask(sim, DeleteJobSchedule("s")) is None
    assert ids(sim) == set()


def test_deleted_tasks_are_not_loaded():
    sim = simulation()
    moment(sim, "active")
    assert ask(sim, DeleteTask("j", "t")) is None
    core = Core(CoreSettings(), Deployment("0" * 12, ""), CountingIds())
    core.load(sim.journal.load(), sim.now)
    assert not [*core.tasks.gone]
