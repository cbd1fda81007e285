"""What is refused of job preparation and release tasks, by whatever request they come."""

from datetime import timedelta

import pytest

from pools import EnvironmentSetting, ResourceFile
from runner import (
    AddJobSchedule,
    AddTasks,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    Schedule,
    TaskConstraints,
)
from runner.task_spec import JobPreparationTask, JobReleaseTask

from .run import POOL, ask, job, job_of, simulation, task

FINE = JobPreparationTask(command_line="x")


def prepare(**changes):
    return {"job_preparation_task": JobPreparationTask(**{"command_line": "x", **changes})}


def release(**changes):
    return {"job_preparation_task": FINE, "job_release_task": JobReleaseTask(**{"command_line": "x", **changes})}


REFUSED = {
    "no preparation": ({"job_release_task": JobReleaseTask(command_line="x")}, "InvalidPropertyValue", "needs a job"),
    "id": (prepare(id="a/b"), "InvalidPropertyValue", "jobPreparationTask.id"),
    "id of a release": (release(id=""), "InvalidPropertyValue", "jobReleaseTask.id"),
    "one id": (release(id="JobPreparation"), "JobReleaseTaskIdSameAsJobPreparationTask", "JobPreparation"),
    "command": (prepare(command_line="'"), "InvalidPropertyValue", "jobPreparationTask.commandLine"),
    "command of a release": (release(command_line=""), "InvalidPropertyValue", "jobReleaseTask.commandLine"),
    "environment": (
        prepare(environment_settings=(EnvironmentSetting(name="A=B"),)),
        "InvalidPropertyValue",
        "jobPreparationTask.environmentSettings",
    ),
    "files": (
        prepare(resource_files=(ResourceFile(http_url="http://a/b", file_path="../c"),)),
        "InvalidPropertyValue",
        "jobPreparationTask.resourceFiles",
    ),
    "retries": (prepare(constraints=TaskConstraints(max_task_retry_count=-2)), "InvalidPropertyValue", "RetryCount"),
    "no time": (
        prepare(constraints=TaskConstraints(max_wall_clock_time=timedelta())),
        "InvalidPropertyValue",
        "maxWallClockTime",
    ),
    "too long": (release(max_wall_clock_time=timedelta(minutes=16)), "InvalidPropertyValue", "at most 900 s"),
    "no time for a release": (release(max_wall_clock_time=timedelta()), "InvalidPropertyValue", "maxWallClockTime"),
    "no retention": (release(retention_time=timedelta()), "InvalidPropertyValue", "retentionTime"),
}


@pytest.mark.parametrize(("fields", "code", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(fields, code, text):
    sim = simulation(target_dedicated_nodes=0)
    manager = JobManagerTask(id="m", command_line="x")
    specification = JobSpecification(pool_info=POOL, job_manager_task=manager, **fields)
    schedule = Schedule(recurrence_interval=timedelta(minutes=10))
    for event in (
        job("j", task("t"), **fields),
        AddJobSchedule(JobScheduleSpec(id="s", schedule=schedule, job_specification=specification)),
    ):
        refused = ask(sim, event)
        assert refused is not None and refused.code == code and text in str(refused)
    assert not sim.journal.table("jobs")


@pytest.mark.parametrize(
    ("task_id", "code"),
    [
        ("jobpreparation", "TaskIdSameAsJobPreparationTask"),
        ("JOBPREPARATION", "TaskIdSameAsJobPreparationTask"),
        ("jobrelease", "TaskIdSameAsJobReleaseTask"),
    ],
)
def test_their_ids_are_taken(task_id, code):
    sim = simulation(target_dedicated_nodes=0)
    fields = release()
    assert ask(sim, job("j", task(task_id), **fields)).code == code
    assert ask(sim, job("j", job_manager_task=JobManagerTask(id=task_id, command_line="x"), **fields)).code == code
    assert ask(sim, job("j", **fields)) is None
    assert ask(sim, AddTasks("j", (task("other"), task(task_id)))).code == code
    assert not sim.journal.table("tasks")
    assert ask(sim, job("plain", task(task_id))) is None


def test_fine():
    sim = simulation(target_dedicated_nodes=0)
    fields = release(max_wall_clock_time=timedelta(minutes=15), id="r") | prepare(id="p")
    assert ask(sim, job("j", task("jobpreparation"), **fields)) is None
    assert job_of(sim).spec.job_preparation_task.id == "p"
