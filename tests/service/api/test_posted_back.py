"""What GET answers can be posted back under another id, and is the same then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect as shape

from runner import JobScheduleSpec, JobSpec
from service.api import bodies
from service.api.properties import PROPERTIES
from service.property_table import Status, objects, rows
from service.rest_views import Links, job_view, pool_view, schedule_view, task_view

from ..openapi.described import document
from ..rest_views import full
from .served import Served, served

LINKS = Links("https://somewhere")


def required(kind: type[msgspec.Struct]) -> set[str]:
    info = shape.type_info(kind)
    assert isinstance(info, shape.StructType)
    return {field.encode_name for field in info.fields if field.required}


def within(wanted: shape.Type) -> type[msgspec.Struct] | None:
    """The struct that values of the type are, or lists of it hold."""
    match wanted:
        case shape.StructType():
            return wanted.cls
        case shape.UnionType():
            return next(filter(None, map(within, wanted.types)), None)
        case shape.VarTupleType():
            return within(wanted.item_type)
    return None


def parts(wire: Any, kind: type[msgspec.Struct] | None) -> st.SearchStrategy[Any]:
    """A body with some of the properties of a full one, and with all that it must have."""
    if isinstance(wire, list):
        return st.tuples(*(parts(each, kind) for each in wire)).map(list)
    if not isinstance(wire, dict) or kind is None:
        return st.just(wire)
    info = shape.type_info(kind)
    assert isinstance(info, shape.StructType)
    types = {field.encode_name: within(field.type) for field in info.fields}
    have = required(kind)
    found = {name: parts(value, types.get(name)) for name, value in wire.items()}
    return st.fixed_dictionaries(
        {name: each for name, each in found.items() if name in have},
        optional={name: each for name, each in found.items() if name not in have},
    )


def of_pool(wire: dict[str, Any]) -> dict[str, Any]:
    return pool_view(full.pool(wire), [], LINKS)


def of_job(wire: dict[str, Any]) -> dict[str, Any]:
    return job_view(full.job(spec=full.spec(JobSpec, wire)), LINKS)


def of_task(wire: dict[str, Any]) -> dict[str, Any]:
    return task_view(full.task(wire), full.job(), LINKS)


def of_schedule(wire: dict[str, Any]) -> dict[str, Any]:
    return schedule_view(full.schedule(spec=full.spec(JobScheduleSpec, wire)), LINKS)


JOB = {**full.JOB, "id": "j"}
POOL = {**full.POOL, "id": "p", "resourceTags": {"a": "b"}, "targetNodeCommunicationMode": "classic"}
KINDS: list[tuple[str, dict[str, Any], Callable[[dict[str, Any]], dict[str, Any]]]] = [
    ("Pool", POOL, of_pool),
    ("Job", JOB, of_job),
    ("Job", {**JOB, "poolInfo": full.AUTO_POOL}, of_job),
    ("Task", full.TASK, of_task),
    ("Job schedule", full.SCHEDULE, of_schedule),
]


@pytest.mark.parametrize(("name", "wire", "view"), KINDS)
def test_the_same_is_asked_for(
    name: str, wire: dict[str, Any], view: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    kind = objects()[name]

    @settings(deadline=None, max_examples=40)
    @given(parts(wire, kind))
    def law(asked: dict[str, Any]) -> None:
        answer = view(asked)
        read = bodies.read(json.dumps(answer).encode(), kind)
        again = view(msgspec.to_builtins(read))
        assert again == answer

    law()


@pytest.mark.parametrize("name", ["Pool", "Job", "Job schedule", "Task"])
def test_whatever_is_only_answered_is_known(name: str) -> None:
    """Also what is answered of those that have gone through something."""
    views = {
        "Pool": pool_view(full.busy_pool(), [full.node()], LINKS) | {"stats": {}},
        "Job": job_view(full.job(previous_state="active", previous_state_time=full.T0, end_time=1.0), LINKS),
        "Job schedule": schedule_view(full.schedule(), LINKS),
        "Task": task_view(full.failed_task(scheduling_error=full.FAILURE), full.job(), LINKS),
    }
    known = {row.name for row in rows(objects()[name]) if row.status is not Status.REFUSED}
    assert views[name].keys() <= known


@pytest.mark.parametrize(
    ("name", "kind", "answered"),
    [
        ("Pool", "pool", "Pool"),
        ("Job", "job", "Job"),
        ("Job schedule", "schedule", "JobSchedule"),
        ("Task", "task", "Task"),
    ],
)
def test_whatever_an_answer_may_hold_is_known(name: str, kind: str, answered: str) -> None:
    """All that can be selected of it, and all that the description says of it."""
    told = document()["components"]["schemas"][answered]["properties"]
    assert {*PROPERTIES[kind], *told} - {row.name for row in rows(objects()[name])} == set()


# -- over a controller at work ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("api") / "s") as found:
        for collection, body in HOME:
            assert found("POST", f"/{collection}", body).status_code == 201
        yield found


#: What is another one's for each object.
OWN = {"id", "url", "eTag", "lastModified", "creationTime", "stateTransitionTime", "allocationStateTransitionTime"}
OWN |= {"executionInfo", "autoScaleRun", "odata.metadata"}
SLEEPING = {"vmSize": "local.small", "metadata": [{"name": "a", "value": "b"}]}
#: What the cases need, whichever of them come here.
HOME: list[tuple[str, dict[str, Any]]] = [
    ("pools", {"id": "home", **SLEEPING}),
    ("jobs", {"id": "plain", "poolInfo": {"poolId": "home"}}),
    ("jobs", {"id": "dependent", "poolInfo": {"poolId": "home"}, "usesTaskDependencies": True}),
]
FORMULA = {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = 0;"}


def posted_back(api: Served, collection: str, item_id: str, body: dict[str, Any]) -> None:
    answer = api("POST", f"/{collection}", {**body, "id": item_id})
    assert answer.status_code == 201, answer.text
    first = api.get(f"/{collection}/{item_id}")
    answer = api("POST", f"/{collection}", {**first, "id": f"{item_id}-again"})
    assert answer.status_code == 201, answer.text
    second = api.get(f"/{collection}/{item_id}-again")
    assert {k: v for k, v in second.items() if k not in OWN} == {k: v for k, v in first.items() if k not in OWN}


@pytest.mark.parametrize(
    ("collection", "item_id", "body"),
    [
        ("pools", "plain", SLEEPING),
        ("pools", "formula", {**SLEEPING, **FORMULA}),
        ("pools", "start", {**SLEEPING, "startTask": {"commandLine": "x", "userIdentity": full.AUTO_USER}}),
        ("pools", "image", {**SLEEPING, "virtualMachineConfiguration": {"nodeAgentSKUId": "batch.node.debian 12"}}),
        ("pools", "noted", {**SLEEPING, "targetNodeCommunicationMode": "simplified"}),
        ("jobs", "bare", {"poolInfo": {"poolId": "home"}}),
        ("jobs", "more", {"poolInfo": {"poolId": "home"}, "priority": 7, "constraints": {"maxWallClockTime": "P1D"}}),
        ("jobschedules", "later", {"schedule": {"doNotRunUntil": "2099-01-01T00:00:00Z"},
            "jobSpecification": {"poolInfo": {"poolId": "home"}, "jobManagerTask": {"id": "m", "commandLine": "x"}}}),
        ("jobs", "ordered", {"poolInfo": {"poolId": "home"}, "usesTaskDependencies": True}),
        ("jobs/plain/tasks", "plain", {"commandLine": "x"}),
        ("jobs/dependent/tasks", "waits", {"commandLine": "x", "dependsOn": {"taskIds": ["none"]}}),
        ("jobs/plain/tasks", "more", {"commandLine": "x", "environmentSettings": full.ENVIRONMENT, "requiredSlots": 1,
            "constraints": full.CONSTRAINTS, "outputFiles": full.OUTPUTS}),
    ],
)  # fmt: skip
def test_it_works(api: Served, collection: str, item_id: str, body: dict[str, Any]) -> None:
    posted_back(api, collection, item_id, body)


def test_what_looks_like_an_answer_is_no_way_past_the_checks(api: Served) -> None:
    body = {"id": "both", **SLEEPING, **FORMULA, "targetDedicatedNodes": 3}
    answer = api("POST", "/pools", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyValue")
    nested = {"id": "nested", **SLEEPING, "startTask": {"commandLine": "x", "url": "y"}}
    answer = api("POST", "/pools", nested)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyName")


def test_a_list_of_tasks_is_posted_to_another_job(api: Served) -> None:
    for job in ("from", "to"):
        assert api("POST", "/jobs", {"id": job, "poolInfo": {"poolId": "home"}}).status_code == 201
    for task in ("one", "two"):
        assert api("POST", "/jobs/from/tasks", {"id": task, "commandLine": "x"}).status_code == 201
    answer = api("POST", "/jobs/to/addtaskcollection", api.get("/jobs/from/tasks"))
    assert answer.status_code == 200, answer.text
    assert [each["status"] for each in answer.json()["value"]] == ["success", "success"]


@pytest.mark.parametrize("password", ["", "two\nlines", "${secret:file:../x}"])
def test_what_is_no_password_is_refused(api: Served, password: str) -> None:
    body = {"id": "users", **SLEEPING, "userAccounts": [{"name": "me", "password": password}]}
    answer = api("POST", "/pools", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidPropertyValue")
    assert "password: " in answer.json()["message"]["value"]
