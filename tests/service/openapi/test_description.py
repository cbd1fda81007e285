"""The description of the API: it is valid OpenAPI, and every operation is in it as the table of operations has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette
from starlette.routing import Route

from service import web
from service.api.accounts import Accounts
from service.api.operations import OPERATIONS, Operation
from service.api.own_operations import OWN_OPERATIONS
from service.api.properties import PROPERTIES
from service.openapi.operations import ANSWER, BODY
from service.property_table import BODIES

from .described import document, named, operations

ALL = (*OPERATIONS, *OWN_OPERATIONS)
#: What is beside the operations of the table.
OPEN = {"/healthz", "/openapi.json"}
BESIDE = {*OPEN, "/drain", "/left"}


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (part["$ref"],) if "$ref" in part else ()
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def test_it_is_valid():
    assert [str(error) for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_every_part_is_used_and_none_is_missing():
    components = document()["components"]
    there = {f"#/components/{kind}/{name}" for kind, found in components.items() for name in found}
    schemes = {f"#/components/securitySchemes/{name}" for name in components["securitySchemes"]}
    assert set(references(document())) == there - schemes


def test_its_operations_are_those_of_the_table():
    described = {(path, method): each["operationId"] for path, method, each in operations() if path not in BESIDE}
    assert described == {(each.path, each.method): each.name for each in ALL}


def test_what_the_network_is_served_beside_them(monkeypatch: pytest.MonkeyPatch):
    served: list[Route] = []

    def application(routes: list[Route]) -> Starlette:
        served.extend(routes)
        return Starlette(routes=routes)

    monkeypatch.setattr(web, "handlers", lambda backend: {})
    monkeypatch.setattr(web, "_application", application)
    controller: Any = SimpleNamespace(now=lambda: 0.0)
    web.Web(controller).network_application(Accounts(Path("nowhere")), 1 << 20)
    found = {(each.path, method) for each in served for method in each.methods or () if method != "HEAD"}
    assert found == {(path, method) for path, method, _ in operations() if path in BESIDE}


def test_all_but_two_need_an_account():
    assert {path for path, _, each in operations() if each.get("security") == []} == OPEN
    assert document()["security"] == [{"SharedKey": []}]


@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.name)
def test_operation(operation: Operation):
    found = named()[operation.name]
    asked = {each.get("name") or each["$ref"].rpartition("/")[2] for each in found["parameters"]}
    assert {name.removeprefix("$") for name in operation.query} <= {name.removeprefix("$") for name in asked}
    if operation.served:
        assert "content" in found["responses"][str(operation.status)] or operation.name not in ANSWER
    else:
        assert all(int(status) >= 400 for status in found["responses"]), "it is always refused"
    assert ("If-Match" in asked) >= (operation.conditions == "all")


def test_every_answer_with_a_body_has_a_schema():
    files = {"file.get_from_task", "file.get_from_compute_node"}
    read = {each.name for each in ALL if each.served and each.method == "GET"}
    assert read - files <= set(ANSWER)
    assert set(ANSWER) <= {each.name for each in ALL}


def test_every_body_that_is_read_is_described():
    others = {"UpdateBody"}  # TaskChange has more: what else an answer holds
    assert {kind.__name__ for _, kind in BODIES} <= set(BODY.values()) | others


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("Pool", "pool"), ("ComputeNode", "node"), ("Job", "job"), ("Task", "task"), ("Subtask", "subtask"),
        ("JobSchedule", "schedule"), ("JobPreparationAndReleaseTaskStatus", "preparation"), ("SupportedImage", "image"),
        ("RecordedAutoScaleRun", "autoscale run"),
    ],
)  # fmt: skip
def test_whatever_is_answered_can_be_selected(schema: str, kind: str):
    assert set(document()["components"]["schemas"][schema]["properties"]) - {"odata.metadata"} <= set(PROPERTIES[kind])


def test_it_holds_nothing_of_the_deployment():
    assert not any(word in json.dumps(document()) for word in ("/work/", "/root", "/home", "127.0.0.1", "localhost"))
