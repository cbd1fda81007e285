"""What is gone on purpose is not made again: deleted tasks, and jobs that were forgotten because they were old."""

from typing import Any

import pytest

from runner import ForgetJob, JobForgotten
from service.rest_objects import RequestRefused

from ...providers.waiting import wait_until
from .place import Place

TASKS = [{"id": each, "commandLine": "true"} for each in ("A", "b", "c")]


def workload(**given: Any) -> dict[str, Any]:
    job = {"id": "j@", "poolInfo": {"poolId": "p@"}, "tasks": TASKS, **given}
    return {"pools": [{"id": "p@", "vmSize": "local.small"}], "jobs": [job]}


def forget(here: Place, job_id: str) -> None:
    here.objects.ask("POST", "jobs", job_id, "terminate")
    controller = here.controller.controller
    ended = wait_until(lambda: (job := controller.journal.job(job_id)) is not None and job.end_time)
    controller.engine.request(ForgetJob(job_id, ended)).result()
    controller.engine.request(JobForgotten(job_id, ended)).result()
    wait_until(lambda: controller.journal.job(job_id) is None)


def test_tasks_that_were_deleted(here: Place) -> None:
    here.bring(workload())
    job_id = here.own("j@")
    for task_id in ("A", "c"):
        here.objects.ask("DELETE", "jobs", job_id, "tasks", task_id)
    wait_until(lambda: len(list(here.objects.each("jobs", job_id, "tasks"))) == 1)
    assert [each["id"] for each in here.objects.each("jobs", job_id, "deletedtasks")] == ["a", "c"]
    found = here.bring(workload())
    assert (found.told, found.asked) == (["2 unchanged, and 1 task"], [])
    (line,) = found.plan.left_alone
    assert "tasks that were deleted: 'A' of job" in line and f"`ebbtide job delete {job_id}`" in line
    # somebody adds one all the same
    here.objects.ask("POST", "jobs", job_id, "tasks", body={"id": "C", "commandLine": "true"})
    assert [each["id"] for each in here.objects.each("jobs", job_id, "deletedtasks")] == ["a"]


def test_jobs_that_were_forgotten(here: Place) -> None:
    here.bring(workload())
    job_id = here.own("j@")
    forget(here, job_id)
    assert here.objects.one("forgottenjobs", job_id.upper())["id"] == job_id
    found = here.bring(workload())
    assert (found.told, found.asked) == (["1 unchanged"], [])
    (line,) = found.plan.left_alone
    assert f"forgotten since: '{job_id}' (20" in line and f"`ebbtide job delete {job_id}` lets these run again" in line
    here.objects.ask("DELETE", "jobs", job_id)
    assert here.bring(workload()).told == ["+ job j@, 3 tasks", "1 unchanged"]


def test_a_job_that_nobody_declared_may_come_again(here: Place) -> None:
    here.bring({"pools": workload()["pools"]})
    job_id = here.own("other@")
    here.objects.ask("POST", "jobs", body={"id": job_id, **here.own({"poolInfo": {"poolId": "p@"}})})
    forget(here, job_id)
    with pytest.raises(RequestRefused) as refused:
        here.objects.one("forgottenjobs", job_id)
    assert refused.value.code == "JobNotFound"


@pytest.mark.parametrize("path", ["/forgottenjobs/none", "/jobs/none/deletedtasks"])
def test_what_there_is_not(here: Place, path: str) -> None:
    answer = here.controller("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, "JobNotFound")


def test_a_job_is_declared_or_not(here: Place) -> None:
    answer = here.controller("POST", "/jobs?declared=perhaps", {"id": "x", "poolInfo": {"poolId": "p"}})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidQueryParameterValue")
