"""PATCH of pools, and updateproperties, over a controller at work with local nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .served import Served, served

START = {"commandLine": "/bin/sh -c 'echo first'", "waitForSuccess": True}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("api") / "s") as found:
        yield found
        for pool in found.get("/pools")["value"]:
            found("DELETE", f"/pools/{pool['id']}")
        until(lambda: not found.get("/pools")["value"])


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def made(api: Served, pool_id: str, **properties: Any) -> str:
    body = {"id": pool_id, "vmSize": "local.small", "displayName": "old", "startTask": START} | properties
    body = {"metadata": [{"name": "a", "value": "1"}]} | body
    assert api("POST", "/pools", body).status_code == 201
    return f"/pools/{pool_id}"


#: What a change brings, where the answer has more than was said.
OLD_START = {**START, "maxTaskRetryCount": 0}
FULL_START = {"commandLine": "x", "maxTaskRetryCount": 0, "waitForSuccess": True}


@pytest.mark.parametrize(
    ("number", "body", "found"),
    [
        (0, {"displayName": "new"}, {}),
        (1, {"startTask": {"commandLine": "x"}}, {"startTask": FULL_START}),
        (2, {"metadata": [{"name": "b", "value": "2"}]}, {}),
        (3, {"metadata": []}, {"metadata": None}),
        (4, {"metadata": [{"name": "provider", "value": "local"}]}, {}),
        (5, {"taskSlotsPerNode": "4"}, {"taskSlotsPerNode": 4}),
        (6, {"maxTasksPerNode": 3}, {"maxTasksPerNode": None, "taskSlotsPerNode": 3}),
        (7, {"vmSize": "local.large"}, {}),
        (8, {"taskSchedulingPolicy": {"nodeFillType": "Pack"}}, {"taskSchedulingPolicy": {"nodeFillType": "pack"}}),
        (9, {"userAccounts": [{"name": "ann"}]}, {"userAccounts": [{"name": "ann", "elevationLevel": "nonadmin"}]}),
        (10, {"certificateReferences": []}, {"certificateReferences": None}),
        (14, {"targetNodeCommunicationMode": "Default"}, {"targetNodeCommunicationMode": "default"}),
        (11, {"applicationPackageReferences": []}, {"applicationPackageReferences": None}),
        (12, {}, {}),
        (13, {"startTask": None, "displayName": None}, {"startTask": OLD_START, "displayName": "old"}),
    ],
)  # fmt: skip
def test_only_what_is_given_changes(
    api: Served, number: int, body: dict[str, Any], found: dict[str, Any]
) -> None:
    path = made(api, f"patched{number}")
    before = api.get(path)
    answer = api("PATCH", path, body)
    assert (answer.status_code, answer.content) == (200, b"")
    after = api.get(path)
    assert answer.headers["ETag"].strip('"') == after["eTag"] != before["eTag"]
    expected = {**before, **body, **found}
    stamps = ("eTag", "lastModified")
    assert {name: value for name, value in after.items() if name not in stamps} == {
        name: value for name, value in expected.items() if name not in stamps and value is not None
    }


@pytest.mark.parametrize(
    ("body", "status", "code", "told"),
    [
        ({"id": "q"}, 400, "InvalidPropertyName", "id"),
        ({"targetDedicatedNodes": 1}, 400, "InvalidPropertyName", "resize"),
        ({"autoScaleFormula": "$x"}, 400, "InvalidPropertyName", "enableautoscale"),
        ({"metadata": [{"name": "provider", "value": "elsewhere"}]}, 400, "InvalidPropertyValue", "provider"),
        ({"taskSlotsPerNode": 0}, 400, "InvalidPropertyValue", "taskSlotsPerNode"),
        ({"startTask": {"commandLine": ""}}, 400, "InvalidPropertyValue", "startTask.commandLine"),
        ({"vmSize": "nothing.like_it"}, 400, "InvalidPropertyValue", "local.small"),
        ({"networkConfiguration": {"subnetId": "subnet-1"}}, 400, "InvalidPropertyValue", "subnetId"),
        ({"startTask": {"commandLine": "cmd /c dir"}}, 400, "InvalidPropertyValue", "startTask.commandLine"),
        ({"startTask": {}}, 400, "MissingRequiredProperty", "commandLine"),
        ({"startTasks": {}}, 400, "InvalidPropertyName", "did you mean startTask"),
        ({"applicationPackageReferences": [{"applicationId": "no"}]}, 409, "InvalidApplicationPackageReferences", "no"),
        ({"certificateReferences": [{"thumbprint": "1"}]}, 400, "InvalidPropertyValue", "certificateReferences"),
        ([], 400, "InvalidRequestBody", "object"),
    ],
)
def test_what_cannot_change_changes_nothing(api: Served, body: Any, status: int, code: str, told: str) -> None:
    if api("GET", "/pools/refused").status_code == 404:
        made(api, "refused")
    before = api.get("/pools/refused")
    answer = api("PATCH", "/pools/refused", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert told in answer.json()["message"]["value"]
    assert api.get("/pools/refused") == before


def test_properties_that_are_not_replaced_go(api: Served) -> None:
    path = made(api, "replaced")
    answer = api("POST", f"{path}/updateproperties", {"metadata": [{"name": "b"}], "certificateReferences": []})
    assert (answer.status_code, answer.content) == (204, b"")
    found = api.get(path)
    assert (found["metadata"], found["displayName"]) == ([{"name": "b", "value": ""}], "old")
    assert "startTask" not in found
    refused = api("POST", f"{path}/updateproperties", {"vmSize": "local.large"})
    assert (refused.status_code, refused.json()["code"]) == (400, "InvalidPropertyName")


def test_who_knows_an_older_one_changes_nothing(api: Served) -> None:
    path = made(api, "guarded")
    etag = api.get(path)["eTag"]
    assert api("PATCH", path, {"displayName": "1"}, If_Match=etag).status_code == 200
    assert api("PATCH", path, {"displayName": "2"}, If_Match=etag).json()["code"] == "ConditionNotMet"
    assert api.get(path)["displayName"] == "1"


def test_one_that_is_not_there(api: Served) -> None:
    for method, path in (("PATCH", "/pools/none"), ("POST", "/pools/none/updateproperties")):
        for body in ({}, {"vmSize": "local.large"}):
            if method == "PATCH" or not body:
                answer = api(method, path, body)
                assert (answer.status_code, answer.json()["code"]) == (404, "PoolNotFound")


def test_new_nodes_meet_it_and_those_that_are_there_do_not(api: Served) -> None:
    path = made(api, "living", targetDedicatedNodes=1)

    def idle(number: int) -> list[dict[str, Any]] | None:
        nodes: list[dict[str, Any]] = api.get(f"{path}/nodes")["value"]
        return nodes if [node["state"] for node in nodes] == ["idle"] * number else None

    (first,) = until(lambda: idle(1))
    for name, value in (
        ("taskSlotsPerNode", 2),
        ("userAccounts", [{"name": "ann"}]),
        ("enableInterNodeCommunication", True),
    ):
        answer = api("PATCH", path, {name: value})
        expected = (409, "OperationInvalidForCurrentState")
        if name == "enableInterNodeCommunication":  # whatever nodes there are, theirs cannot
            assert (answer.status_code, answer.json()["code"]) in ((400, "InvalidPropertyValue"), expected)
        else:
            assert (answer.status_code, answer.json()["code"]) == expected
        assert name in answer.json()["message"]["value"]
    assert api("PATCH", path, {"startTask": {"commandLine": "/bin/sh -c 'echo second'"}}).status_code == 200
    assert api("POST", f"{path}/resize", {"targetDedicatedNodes": 2}).status_code == 202
    nodes = until(lambda: idle(2))

    def printed(node: dict[str, Any]) -> str:
        return api("GET", f"{path}/nodes/{node['id']}/files/startup%2Fstdout.txt").text

    assert {node["id"] == first["id"]: printed(node) for node in nodes} == {True: "first\n", False: "second\n"}


def test_accounts_that_tasks_run_as_stay(api: Served) -> None:
    path = made(api, "accounts", userAccounts=[{"name": "ann"}, {"name": "ben"}])
    assert api("POST", "/jobs", {"id": "annes", "poolInfo": {"poolId": "accounts"}}).status_code == 201
    task = {"id": "t", "commandLine": "x", "userIdentity": {"username": "ann"}}
    assert api("POST", "/jobs/annes/tasks", task).status_code == 201
    refused = api("PATCH", path, {"userAccounts": [{"name": "ben"}]})
    assert (refused.status_code, refused.json()["code"]) == (400, "InvalidPropertyValue")
    assert "'ann'" in refused.json()["message"]["value"]
    assert api("PATCH", path, {"userAccounts": [{"name": "ann"}]}).status_code == 200
