"""What cannot become what a file says: refused before anything is done, or left as it is."""

from typing import Any

import pytest

from ...providers.waiting import wait_until
from .place import Place

POOL: dict[str, Any] = {"id": "p@", "vmSize": "local.small"}
INFO = {"poolInfo": {"poolId": "p@"}}
JOB: dict[str, Any] = {"id": "j@", **INFO}
TASKS = [{"id": "a", "commandLine": "true"}, {"id": "b", "commandLine": "true"}]
MANAGER = {"id": "m", "commandLine": "true"}
TIMES = {"doNotRunUntil": "2090-01-01T00:00:00Z"}
SCHEDULE: dict[str, Any] = {"id": "s@", "schedule": TIMES, "jobSpecification": {**INFO, "jobManagerTask": MANAGER}}


def pools(**given: Any) -> dict[str, Any]:
    return {"pools": [{**POOL, **given}]}


def jobs(**given: Any) -> dict[str, Any]:
    return {"pools": [POOL], "jobs": [{**JOB, **given}]}


def schedules(**given: Any) -> dict[str, Any]:
    return {"pools": [POOL], "jobSchedules": [{**SCHEDULE, **given}]}


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "what a job is for life": (
        jobs(),
        jobs(displayName="x", usesTaskDependencies=True),
        ["displayName, usesTaskDependencies cannot change"],
    ),
    "a job that ends with its tasks": (
        jobs(onAllTasksComplete="terminatejob", jobManagerTask=MANAGER),
        jobs(jobManagerTask=MANAGER),
        ["terminatejob cannot become noaction"],
    ),
    "the pool of a job that is not disabled": (
        {"pools": [POOL, {**POOL, "id": "q@"}], "jobs": [JOB]},
        {"pools": [POOL, {**POOL, "id": "q@"}], "jobs": [{"id": "j@", "poolInfo": {"poolId": "q@"}}]},
        ["poolInfo can change only while the job is disabled, and it is active: `ebbtide job disable j@ --tasks"],
    ),
    "tasks": (
        jobs(tasks=TASKS),
        jobs(tasks=[{"id": "a", "commandLine": "false"}, {**TASKS[1], "requiredSlots": 1, "displayName": "x"}]),
        ["these tasks have other properties there, which are for life: 'a' (commandLine), 'b' (displayName)"],
    ),
    "what a schedule is called": (
        schedules(),
        schedules(displayName="x"),
        ["displayName cannot change; what can: jobSpecification"],
    ),
    "another provider": (
        pools(metadata=[{"name": "provider", "value": "local"}]),
        pools(metadata=[{"name": "provider", "value": "other"}]),
        ["its nodes are at the provider local, and stay there; make another pool for other"],
    ),
    "all of it at once": (
        jobs(),
        {"pools": [POOL, {**POOL, "id": "new@"}], "jobs": [{**JOB, "displayName": "x"}, {**JOB, "id": "new@"}]},
        ["displayName cannot change"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_change_is_refused_before_anything_is_done(here: Place, name: str) -> None:
    before, file, told = REFUSED[name]
    here.bring(before)
    found = here.bring(file)
    assert len(found.plan.refused) == len(told)
    for line, text in zip(found.plan.refused, told, strict=True):
        assert text in here.plain(line)
    assert found.asked == []


def test_a_completed_job_stays_as_it_is(here: Place) -> None:
    here.bring(jobs(tasks=TASKS))
    here.objects.ask("POST", *here.own(["jobs", "j@", "terminate"]))
    found = here.bring(jobs(tasks=TASKS, priority=5))
    assert found.plan.left_alone == here.own(["job 'j@' is completed, so it keeps its priority"])
    assert (found.told, found.asked) == (["2 unchanged, and 2 tasks"], [])
    more = here.bring(jobs(tasks=[*TASKS, {"id": "c", "commandLine": "true"}]))
    assert "is completed and takes no more tasks, but 'c' is new" in more.plan.refused[0]


def test_what_is_going_is_awaited(here: Place) -> None:
    pool = {**POOL, "targetDedicatedNodes": 0}
    here.bring({"pools": [pool], "jobSchedules": [SCHEDULE]})
    here.objects.ask("POST", *here.own(["jobschedules", "s@", "terminate"]))
    found = here.bring({"pools": [pool], "jobSchedules": [{**SCHEDULE, "metadata": [{"name": "a", "value": "b"}]}]})
    assert found.plan.left_alone == here.own(
        ["job schedule 's@' is completed and makes no job any more, so it keeps its metadata"]
    )


def test_what_all_nodes_have_in_common(here: Place) -> None:
    """It can change when there are none; the cure that is told works."""
    pool_id = here.own("p@")
    here.bring(pools(targetDedicatedNodes=1))

    def nodes() -> int:
        return int(here.objects.one("pools", pool_id)["currentDedicatedNodes"])

    try:
        wait_until(nodes)
        found = here.bring(pools(taskSlotsPerNode=2))
        assert found.asked == []
        assert here.plain(found.plan.refused[0]) == (
            "pool 'p@': taskSlotsPerNode can change only while the pool has no node, and it has 1; `ebbtide pool "
            "resize p@ --dedicated 0 --low-priority 0` takes them away, or undo this change"
        )
    finally:
        here.objects.ask("POST", "pools", pool_id, "resize", body={"targetDedicatedNodes": 0})
        wait_until(lambda: not nodes())
    assert here.bring(pools(taskSlotsPerNode=2)).told == ["~ pool p@", "    taskSlotsPerNode: 1 -> 2"]


def test_a_disabled_job_goes_to_another_pool(here: Place) -> None:
    both = {"pools": [POOL, {**POOL, "id": "q@"}], "jobs": [JOB]}
    here.bring(both)
    here.objects.ask("POST", *here.own(["jobs", "j@", "disable"]), body={"disableTasks": "requeue"})
    found = here.bring({**both, "jobs": [{**JOB, "poolInfo": {"poolId": "q@"}}]})
    assert (found.told[1], found.asked) == ("    poolInfo.poolId: p@ -> q@", ["PATCH /jobs/j@"])
