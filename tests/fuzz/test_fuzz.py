"""A share of `python -m tests.fuzz`: as many requests as there is time for in continuous integration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..service.openapi.described import fits
from .campaign import Campaign
from .connection import Connection, Request
from .world import World, world

pytestmark = pytest.mark.slow
#: Seconds, and requests at most.
SHARE, MOST = 60.0, 5000
#: Megabytes that the memory of the server may grow by.
GROWTH = 20.0
CASES = Path(__file__).parent / "cases.jsonl"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("fuzz")) as found:
        yield found


@pytest.mark.parametrize("case", CASES.read_text().splitlines(), ids=lambda line: json.loads(line)["name"])
def test_what_was_found_once(served: World, case: str):
    told = json.loads(case)
    body = told["body"].encode() * told.get("times", 1) if "body" in told else None
    headers = (("Content-Type", "application/json"),) if body else ()
    campaign = Campaign(served, 0)
    reply = campaign.judge(Request(told.get("operation", ""), told["method"], told["path"], headers, body))
    assert [str(each) for each in campaign.findings] == []
    assert reply.status == told["status"], reply.body
    if reply.status >= 400:
        assert fits("Error", json.loads(reply.body)) == []


def test_no_request_is_answered_wrongly(served: World):
    campaign = Campaign(served, seed=int.from_bytes(b"share"))
    campaign.run(MOST, SHARE, marks=(200,))
    campaign.memory[campaign.done] = served.memory
    assert [str(each) for each in campaign.findings] == [], campaign.report()
    assert campaign.growth < GROWTH, campaign.report()
    assert not [line for line in served.served.err.splitlines() if "Traceback" in line], served.served.err[-4000:]
    good = sum(count for (_, status), count in campaign.statuses.items() if 200 <= status < 300)
    assert good > campaign.done / 10, f"requests that are all refused find little: {campaign.report()}"


def test_anybody_may_read_the_description_and_nothing_else(served: World):
    host, port = served.connection.at
    stranger = Connection(host, port)
    reply = stranger.ask(Request("", "GET", "/openapi.json"), {})
    assert reply.status == 200 and json.loads(reply.body)["openapi"] == "3.1.0"
    for path in ("/pools", "/jobs", "/jobs/base/tasks/done/files/stdout.txt", "/pools/%ff", "/nothing", "/left"):
        assert stranger.ask(Request("", "GET", path), {}).status == 401
    stranger.close()
