"""Announcing that a node is taken back: what is refused, and what the engine is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from runner import Event, NodeNotice
from service.node_routes import routes
from service.web_errors import HANDLERS

from .stage import Stage

Announce = Callable[[str, bytes], httpx.Response]
SPOT, OWN = SimpleNamespace(id="spot", low_priority=True), SimpleNamespace(id="own", low_priority=False)


class Nodes(dict[str, Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())


@pytest.fixture
def posted() -> list[Event]:
    return []


@pytest.fixture
def announce(posted: list[Event]) -> Announce:
    controller: Any = SimpleNamespace(
        core=SimpleNamespace(ctx=SimpleNamespace(nodes=Nodes(spot=SPOT, own=OWN))),
        engine=SimpleNamespace(post=posted.append),
        now=lambda: 1000.0,
    )
    transport = httpx.ASGITransport(Starlette(routes=routes(controller), exception_handlers=HANDLERS))

    async def ask(node: str, body: bytes) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://controller") as client:
            return await client.post(f"/nodes/{node}/notice", content=body)

    return lambda node, body: asyncio.run(ask(node, body))


def test_the_core_is_told(announce: Announce, posted: list[Event]) -> None:
    assert announce("spot", b'{"seconds": 30}').status_code == 202
    assert posted == [NodeNotice("spot", 1030.0)]


@pytest.mark.parametrize(
    ("node", "body", "status", "told"),
    [
        ("none", b'{"seconds": 1}', 404, "there is no node 'none'; there are spot, own"),
        ("own", b'{"seconds": 1}', 409, "own is dedicated: no cloud takes it back"),
        ("spot", b"", 400, 'the body is to be like {"seconds": 30}'),
        ("spot", b'{"seconds": "soon"}', 400, 'the body is to be like {"seconds": 30}'),
        ("spot", b'{"seconds": 1, "x": 1}', 400, 'the body is to be like {"seconds": 30}'),
        ("spot", b'{"seconds": -1}', 400, "seconds: at least 0"),
        ("spot", b'{"seconds": 1e999}', 400, ""),
    ],
)
def test_refusals(
    announce: Announce, posted: list[Event], node: str, body: bytes, status: int, told: str
) -> None:
    answer = announce(node, body)
    assert answer.status_code == status and told in answer.json()["message"]
    assert posted == []


def test_without_a_controller_it_says_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    first = stage(workload="pools:\n- {id: p, vmSize: local.small, targetDedicatedNodes: 0}\n")
    assert first.returncode == 0, first.stderr
    told = stage("node", "preempt", "n", "--notice", "PT30S")
    assert told.returncode == 1 and "no controller works on the state" in told.stderr
    bad = stage("node", "preempt", "n", "--notice", "30")
    assert bad.returncode == 2 and "is no ISO 8601 duration: '30'" in bad.stderr
