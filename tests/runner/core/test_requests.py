"""What is let in: every refusal has its code, names the property, and changes nothing."""

from datetime import timedelta

import pytest

from pools import (
    ApplicationPackageReference,
    EnvironmentSetting,
    PoolError,
    PoolSpec,
    ResourceFile,
    StartTask,
)
from runner import (
    AddApplication,
    AddJobSchedule,
    AddPool,
    AddTasks,
    ApplicationPackage,
    JobConstraints,
    JobError,
    JobManagerTask,
    JobScheduleSpec,
    JobSpecification,
    PoolInfo,
    Schedule,
    TaskConstraints,
    TaskSpec,
)

from .run import POOL, ask, job, simulation, task

PACKAGE = (ApplicationPackageReference(application_id="tool", version="9"),)
INVALID, MISSING = "InvalidPropertyValue", "InvalidApplicationPackageReferences"


def schedule(schedule_id="s", seconds=60.0, pool_info=POOL, **changes):
    interval = timedelta(seconds=seconds)
    specification = JobSpecification(pool_info=pool_info, **changes)
    return AddJobSchedule(
        JobScheduleSpec(
            id=schedule_id,
            schedule=Schedule(recurrence_interval=interval),
            job_specification=specification,
        )
    )


def pool(**changes):
    return AddPool(PoolSpec(id="q", vm_size="simulated.small", **changes), "simulated", "simulated")


def with_path(path):
    return job("j", task("t", resource_files=(ResourceFile(http_url="http://x/y", file_path=path),)))


REFUSED = {
    "a job id with a path": (job("../j"), INVALID, "id"),
    "a job id that only schedules make": (job("s:job-1"), INVALID, "id"),
    "a task id with a path": (job("j", task("../t")), INVALID, "id"),
    "an empty task id": (job("j", task("")), INVALID, "id"),
    "a schedule id with a colon": (schedule("s:1"), INVALID, "id"),
    "a priority beyond the bounds": (job("j", priority=1001), INVALID, "priority"),
    "no pool": (job("j", pool_info=PoolInfo(pool_id="none")), "PoolNotFound", "none"),
    "no pool for a schedule": (schedule(pool_info=PoolInfo(pool_id="none")), "PoolNotFound", "none"),
    "too many slots": (job("j", task("t", required_slots=2)), INVALID, "requiredSlots"),
    "no slots": (job("j", task("t", required_slots=0)), INVALID, "requiredSlots"),
    "an open quote": (job("j", TaskSpec(id="t", command_line="echo '")), INVALID, "commandLine"),
    "no command": (job("j", TaskSpec(id="t", command_line=" ")), INVALID, "commandLine"),
    "a bad command of a job manager": (
        schedule(job_manager_task=JobManagerTask(id="m", command_line="")),
        INVALID,
        "commandLine",
    ),
    "retries below -1": (
        job("j", task("t", constraints=TaskConstraints(max_task_retry_count=-2))),
        INVALID,
        "maxTaskRetryCount",
    ),
    "retries of a job below -1": (
        job("j", constraints=JobConstraints(max_task_retry_count=-2)),
        INVALID,
        "maxTaskRetryCount",
    ),
    "no time": (
        job("j", task("t", constraints=TaskConstraints(max_wall_clock_time=timedelta(0)))),
        INVALID,
        "maxWallClockTime",
    ),
    "a variable with =": (
        job("j", task("t", environment_settings=(EnvironmentSetting(name="a="),))),
        INVALID,
        "environmentSettings",
    ),
    "a common variable without a name": (
        job("j", common_environment_settings=(EnvironmentSetting(name=""),)),
        INVALID,
        "commonEnvironmentSettings",
    ),
    "a file above the task": (with_path("../up"), INVALID, "resourceFiles"),
    "a file anywhere": (with_path("/etc/passwd"), INVALID, "resourceFiles"),
    "a package that does not exist": (
        job("j", task("t", application_package_references=PACKAGE)),
        MISSING,
        "tool version 9",
    ),
    "a package of a job manager": (
        schedule(
            job_manager_task=JobManagerTask(id="m", command_line="x", application_package_references=PACKAGE)
        ),
        MISSING,
        "tool version 9",
    ),
    "a package of a pool": (pool(application_package_references=PACKAGE), MISSING, "tool version 9"),
    "a start task that cannot be split": (
        pool(start_task=StartTask(command_line="'")),
        INVALID,
        "startTask.commandLine",
    ),
    "two tasks of one id": (job("j", task("t"), task("t")), "TaskExists", "'t'"),
    "too short an interval": (schedule(seconds=0.5), INVALID, "recurrenceInterval"),
    "tasks of no job": (AddTasks("none", (task("t"),)), "JobNotFound", "none"),
    "an application with a path": (
        AddApplication(
            ApplicationPackage(application_id="../a", version="1", sha256="0", size=1, created=0.0)
        ),
        INVALID,
        "id",
    ),
    "a version with a path": (
        AddApplication(ApplicationPackage(application_id="a", version="..", sha256="0", size=1, created=0.0)),
        INVALID,
        "version",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_request_is_refused(case):
    event, code, named = case
    sim = simulation(target_dedicated_nodes=0)
    before = {name: dict(rows) for name, rows in sim.journal.tables.items()}
    refusal = ask(sim, event)
    assert isinstance(refusal, PoolError | JobError)
    assert refusal.code == code
    assert named in str(refusal)
    assert sim.journal.tables == before


def test_what_exists_is_refused_a_second_time():
    sim = simulation(target_dedicated_nodes=0)
    assert ask(sim, job("j", task("t"))) is None
    assert ask(sim, job("j")).code == "JobExists"
    assert ask(sim, AddTasks("j", (task("u"), task("t")))).code == "TaskExists"
    assert set(sim.journal.table("tasks")) == {("j", "t")}
    assert ask(sim, schedule()) is None
    assert ask(sim, schedule()).code == "JobScheduleExists"


@pytest.mark.parametrize(
    "event",
    [
        job("j" * 64, task("T_-9"), priority=-1000),
        job("j", task("t", constraints=TaskConstraints(max_task_retry_count=-1))),
        schedule(seconds=1.0),
    ],
)
def test_a_request_is_let_in(event):
    assert ask(simulation(target_dedicated_nodes=0), event) is None
