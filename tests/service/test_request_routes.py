"""POST /requests: what the engine is asked, and how its answers are told."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import fields
from starlette.applications import Starlette

from pools import NodeDeallocationOption, PoolError
from runner import DeleteTask, EnableAutoScale, Event, JobError, ResizePool, RunJobSchedule, TerminateJob
from service.request_routes import KINDS, routes
from service.web_errors import HANDLERS


class Engine:
    def __init__(self) -> None:
        self.asked: list[Event] = []
        self.error: Exception | None = None

    def request(self, event: Event) -> Future[None]:
        self.asked.append(event)
        future: Future[None] = Future()
        if self.error is None:
            future.set_result(None)
        else:
            future.set_exception(self.error)
        return future


@pytest.fixture
def engine() -> Engine:
    return Engine()


def post(engine: Engine, body: bytes) -> httpx.Response:
    controller: Any = SimpleNamespace(engine=engine)
    transport = httpx.ASGITransport(Starlette(routes=routes(controller), exception_handlers=HANDLERS))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://controller") as client:
            return await client.post("/requests", content=body)

    return asyncio.run(ask())


def body(event: Event) -> bytes:
    return json.dumps({"kind": type(event).__name__, "arguments": msgspec.to_builtins(event)}).encode()


@pytest.mark.parametrize(
    "event",
    [
        TerminateJob("j", "enough"),
        DeleteTask("j", "t"),
        RunJobSchedule("s"),
        EnableAutoScale("p", "$TargetDedicatedNodes = 1;", 60.0),
        ResizePool("p", None, 3, NodeDeallocationOption.TASK_COMPLETION),
    ],
)
def test_the_engine_is_asked(engine: Engine, event: Event) -> None:
    answer = post(engine, body(event))
    assert (answer.status_code, answer.content) == (204, b"")
    assert engine.asked == [event]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_left_out_has_its_usual_value(engine: Engine, kind: str) -> None:
    ids: dict[str, Any] = {"job_id": "j", "task_id": "t", "pool_id": "p", "schedule_id": "s", "tasks": "wait"}
    ids |= {"dedicated": None, "low_priority": None, "node_id": "n", "node_ids": ["n"]}
    names = {field.name for field in fields(KINDS[kind])}
    arguments = {name: value for name, value in ids.items() if name in names}
    assert post(engine, json.dumps({"kind": kind, "arguments": arguments}).encode()).status_code == 204
    assert type(engine.asked[0]) is KINDS[kind]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "InvalidRequestBody"),
        (b"[]", "InvalidRequestBody"),
        (b'{"kind": "TerminateJob"}', "InvalidRequestBody"),
        (b'{"kind": "Drain", "arguments": {"option": "requeue"}}', "InvalidRequestBody"),
        (b'{"kind": "TerminateJob", "arguments": {}}', "InvalidPropertyValue"),
        (b'{"kind": "TerminateJob", "arguments": {"job_id": 1}}', "InvalidPropertyValue"),
        (b'{"kind": "TerminateJob", "arguments": {"job_id": "j", "x": 1}}', "InvalidPropertyValue"),
        (b'{"kind": "ResizePool", "arguments": {"pool_id": "p", "dedicated": 1, "low_priority": 1, "option": "x"}}',
         "InvalidPropertyValue"),
    ],
)  # fmt: skip
def test_bodies_that_are_none(engine: Engine, sent: bytes, code: str) -> None:
    answer = post(engine, sent)
    assert (answer.status_code, answer.json()["code"], engine.asked) == (400, code, [])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (JobError("JobNotFound", "none"), 404),
        (PoolError("PoolBeingDeleted", "it goes"), 409),
        (JobError("InvalidPropertyValue", "no"), 400),
        (JobError("ServerBusy", "later"), 503),
    ],
)
def test_refusals(engine: Engine, error: Any, status: int) -> None:
    engine.error = error
    answer = post(engine, body(TerminateJob("j")))
    assert answer.status_code == status
    assert answer.json() == {"code": error.code, "message": str(error)}


def test_an_engine_that_does_not_answer(engine: Engine) -> None:
    engine.error = TimeoutError()
    answer = post(engine, body(TerminateJob("j")))
    assert (answer.status_code, answer.json()["code"]) == (503, "ServerBusy")
