"""What GET answers can be changed and sent back by PUT, as the official clients do: what cannot change may stand there
as it was."""

from collections.abc import Iterator
from typing import Any

import pytest

from .served import Served, served

WORK = {"commandLine": "x", "environmentSettings": [{"name": "A", "value": "1"}], "displayName": "named"}
JOB = {
    "poolInfo": {"poolId": "p"},
    "displayName": "named",
    "usesTaskDependencies": True,
    "onTaskFailure": "performexitoptionsjobaction",
    "commonEnvironmentSettings": [{"name": "A", "value": "1"}],
    "jobPreparationTask": {"commandLine": "x"},
    "jobReleaseTask": {"commandLine": "x"},
}
SCHEDULE = {
    "displayName": "named",
    "schedule": {"recurrenceInterval": "PT1H", "doNotRunUntil": "2099-01-01T00:00:00Z"},
    "jobSpecification": {"poolInfo": {"poolId": "p"}, "jobManagerTask": {"id": "m", "commandLine": "x"}},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("api") / "s") as found:
        for path, body in (
            ("/pools", {"id": "p", "vmSize": "local.small"}),
            ("/jobs", {"id": "j", **JOB}),
            ("/jobs/j/tasks", {"id": "t", **WORK}),
            ("/jobs/j/tasks", {"id": "waits", **WORK, "dependsOn": {"taskIds": ["none"]}}),
            ("/jobschedules", {"id": "s", **SCHEDULE}),
        ):
            assert found("POST", path, body).status_code == 201
        yield found


@pytest.mark.parametrize("stats", ["", "?$expand=stats"])
@pytest.mark.parametrize(
    ("path", "place", "value"),
    [
        ("/jobs/j", ("priority",), 7),
        ("/jobs/j", ("constraints", "maxTaskRetryCount"), 3),
        ("/jobs/j/tasks/t", ("constraints", "maxTaskRetryCount"), 5),
        ("/jobs/j/tasks/t", ("constraints", "maxWallClockTime"), "PT1H"),
        ("/jobs/j/tasks/waits", ("constraints", "maxWallClockTime"), "PT1H"),
        ("/jobschedules/s", ("schedule", "recurrenceInterval"), "PT2H"),
    ],
)
def test_what_changed_changes(api: Served, path: str, place: tuple[str, ...], value: Any, stats: str) -> None:
    whole = api.get(path + stats)
    assert ("schedulingError" in whole) == path.endswith("waits")
    inner = whole
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    answer = api("PUT", path, whole)
    assert answer.status_code == 200, answer.text
    stamps = ("eTag", "lastModified", "stats")
    after = api.get(path)
    assert {k: v for k, v in after.items() if k not in stamps} == {k: v for k, v in whole.items() if k not in stamps}


@pytest.mark.parametrize(
    ("path", "change", "code", "told"),
    [
        ("/jobs/j", {"usesTaskDependencies": False}, "InvalidPropertyValue", "usesTaskDependencies cannot change"),
        ("/jobs/j", {"displayName": "x", "jobReleaseTask": None}, "InvalidPropertyValue", "displayName cannot change"),
        ("/jobs/j", {"jobPreparationTask": {"commandLine": "y"}}, "InvalidPropertyValue", "jobPreparationTask cannot"),
        ("/jobs/j/tasks/t", {"commandLine": "y"}, "InvalidPropertyValue", "commandLine cannot change"),
        ("/jobs/j/tasks/t", {"requiredSlots": 2, "displayName": "x"}, "InvalidPropertyValue", "displayName, requiredS"),
        ("/jobs/j/tasks/t", {"id": "u"}, "InvalidPropertyName", "id"),
        ("/jobs/j/tasks/t", {"constraint": {}}, "InvalidPropertyName", "did you mean constraints"),
        ("/jobs/j/tasks/none", {"id": "none"}, "TaskNotFound", "none"),
        ("/jobschedules/s", {"displayName": "x"}, "InvalidPropertyValue", "displayName cannot change"),
    ],
)
def test_what_cannot_change_is_refused(api: Served, path: str, change: dict[str, Any], code: str, told: str) -> None:
    there = path if api("GET", path).status_code == 200 else "/jobs/j/tasks/t"
    before = api.get(there)
    answer = api("PUT", path, {**before, **change})
    assert answer.json()["code"] == code and told in answer.json()["message"]["value"]
    assert api.get(there) == before


def test_what_is_left_out_gets_its_default(api: Served) -> None:
    whole = {"constraints": {"maxTaskRetryCount": 4}}
    assert api("PUT", "/jobs/j/tasks/t", whole).status_code == 200
    assert api.get("/jobs/j/tasks/t")["constraints"]["maxTaskRetryCount"] == 4
    assert api("PUT", "/jobs/j/tasks/t", {}).status_code == 200
    of_the_job = api.get("/jobs/j")["constraints"]["maxTaskRetryCount"]
    assert api.get("/jobs/j/tasks/t")["constraints"]["maxTaskRetryCount"] == of_the_job


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_whether_its_own_pool_is_kept_can_change_while_the_job_is_disabled(api: Served, method: str) -> None:
    path, own = f"/jobs/own{method}", {"poolLifetimeOption": "job", "pool": {"vmSize": "local.small"}}
    assert api("POST", "/jobs", {"id": f"own{method}", "poolInfo": {"autoPoolSpecification": own}}).status_code == 201
    info = api.get(path)["poolInfo"]
    assert api(method, path, {"poolInfo": info, "priority": 1}).status_code == 200, "it is as it was"
    info["autoPoolSpecification"]["keepAlive"] = True
    refused = api(method, path, {"poolInfo": info})
    assert refused.json()["code"] == "InvalidPropertyValue" and "disable it first" in refused.text
    assert api("POST", f"{path}/disable", {"disableTasks": "requeue"}).status_code == 202
    assert api(method, path, {"poolInfo": info}).status_code == 200
    assert api.get(path)["poolInfo"] == info
    info["autoPoolSpecification"]["pool"]["vmSize"] = "local.large"
    refused = api(method, path, {"poolInfo": info})
    assert refused.json()["code"] == "InvalidPropertyValue" and "only keepAlive" in refused.text
    assert api("DELETE", path).status_code == 202
