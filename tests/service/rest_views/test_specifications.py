"""What was asked for comes back as it was spelled; what was not said has the service's default; secrets stay here."""

import pytest

from runner import JobScheduleSpec, JobSpec, TaskSpec
from service.rest_views import Links, job_view, pool_view, schedule_view, specification_view, task_view
from service.rest_views.specifications import NO_LIMIT

from . import full

NOWHERE = Links()


@pytest.mark.parametrize(
    ("kind", "wire"),
    [(JobSpec, {**full.JOB, "id": "j"}), (TaskSpec, full.TASK), (JobScheduleSpec, full.SCHEDULE)],
)
def test_everything_comes_back(kind, wire):
    assert specification_view(full.spec(kind, wire)) == wire


def test_everything_of_a_pool_comes_back():
    found = pool_view(full.pool(), [], NOWHERE)
    assert {name: found[name] for name in full.POOL} == full.POOL


def test_passwords_do_not():
    account = {"name": "ann", "password": "sealed:1"}
    registry = {"username": "u", "password": "sealed:2"}
    image = {"imageName": "i", "registry": registry}
    machine = {"containerConfiguration": {"containerRegistries": [registry]}}
    asked = {"vmSize": "s", "userAccounts": [account], "virtualMachineConfiguration": machine}
    asked["startTask"] = {"commandLine": "x", "containerSettings": image}
    found = pool_view(full.pool(asked), [], NOWHERE)
    told = task_view(full.task({"id": "t", "commandLine": "x", "containerSettings": image}), full.job(), NOWHERE)
    assert "sealed" not in f"{found}{told}"
    assert "password" not in f"{found}{told}"
    assert found["userAccounts"] == [{"name": "ann", "elevationLevel": "nonadmin"}]


PLAIN_JOB = JobSpec(id="j", pool_info=full.spec(JobSpec, {**full.JOB, "id": "j"}).pool_info)


def test_what_nobody_said_of_a_job():
    found = job_view(full.job(spec=PLAIN_JOB), NOWHERE)
    assert found["constraints"] == {"maxWallClockTime": NO_LIMIT, "maxTaskRetryCount": 0}
    assert (found["priority"], found["maxParallelTasks"], found["allowTaskPreemption"]) == (0, -1, False)
    assert (found["onAllTasksComplete"], found["onTaskFailure"]) == ("noaction", "noaction")
    assert found["usesTaskDependencies"] is False


def test_what_nobody_said_of_a_task():
    found = task_view(full.task({"id": "t", "commandLine": "x"}), full.job(), NOWHERE)
    # the retries are the job's
    assert found["constraints"] == {"maxWallClockTime": NO_LIMIT, "retentionTime": "P7D", "maxTaskRetryCount": 2}
    assert found["requiredSlots"] == 1
    assert not {"resourceFiles", "dependsOn", "exitConditions", "nodeInfo", "previousState"} & set(found)


def test_what_nobody_said_of_a_release_task():
    release = {"commandLine": "x"}
    asked = full.spec(JobSpec, {"id": "j", "poolInfo": {"poolId": "p"}, "jobReleaseTask": release})
    found = job_view(full.job(spec=asked), NOWHERE)["jobReleaseTask"]
    assert found == {"id": "jobrelease", "commandLine": "x", "maxWallClockTime": "PT15M", "retentionTime": "P7D"}


def test_no_limit_is_spelled_as_the_service_does():
    limit = {"maxWallClockTime": "P10675199DT2H48M5.4775807S"}
    wire = {"id": "j", "poolInfo": {"poolId": "p"}, "constraints": limit}
    assert job_view(full.job(spec=full.spec(JobSpec, wire)), NOWHERE)["constraints"]["maxWallClockTime"] == NO_LIMIT


def test_a_pool_without_a_formula():
    found = pool_view(full.pool({"vmSize": "s", "targetDedicatedNodes": 2}, target_dedicated=5), [full.node()], NOWHERE)
    assert found["enableAutoScale"] is False
    assert not {"autoScaleFormula", "autoScaleEvaluationInterval", "autoScaleRun"} & set(found)
    counts = (found["targetDedicatedNodes"], found["currentDedicatedNodes"], found["currentLowPriorityNodes"])
    assert counts == (5, 1, 0)


def test_moments_of_a_schedule():
    found = schedule_view(full.schedule(), NOWHERE)
    assert found["schedule"] == full.SCHEDULE["schedule"]
    assert found["executionInfo"]["nextRunTime"] == "2026-01-01T01:00:00.000Z"
    ended = schedule_view(full.schedule(state="completed", end_time=full.T0), NOWHERE)["executionInfo"]
    assert ended == {"recentJob": {"id": "nightly:job-1"}, "endTime": "2026-01-01T00:00:00.000Z"}
