"""Lists that look at much and find little, and counts: nobody else waits for them; they end when nobody wants them."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from service.api import paging

from .api.served import Served as InProcess
from .api.served import served as in_process
from .served import PATIENCE, Served, signed

TASKS = 600
#: A server that looks at two tasks a second, counts as many, and answers no page before it is full.
SLOW = """
import time
from service import server
from service.api import filters, paging
from service.cli import main
from runner import task_store
from sqlalchemy import Engine, event
predicate = filters.predicate
def slow(filter):
    check = predicate(filter)
    print(f"looks for {filter.value};", end="", flush=True)
    return lambda view: time.sleep(0.5) or check(view)
@event.listens_for(Engine, "before_cursor_execute")
def before(connection, cursor, statement, *_):
    if " AS slots" in statement or " AS retries" in statement:
        print("looks for a number;", end="", flush=True)
        time.sleep(0.5)
task_store._MANY = 1
filters.predicate, paging.PATIENCE, server.GRACE = slow, 3600.0, 0.5
main()
"""
#: More than may be looked for at a time.
CLIENTS = 10
POOL = {"id": "p", "vmSize": "local.small", "targetDedicatedNodes": 0}
JOB = b'{"id": "j", "poolInfo": {"poolId": "p"}}'


def collection(first: int) -> str:
    return json.dumps(
        {"value": [{"id": f"t{number:03}", "commandLine": "true"} for number in range(first, first + 100)]}
    )


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path, command=(sys.executable, "-c", SLOW)).ready()
    try:
        ask(served, "POST", "/pools", json.dumps(POOL).encode())
        ask(served, "POST", "/jobs", JOB)
        for first in range(0, TASKS, 100):
            ask(served, "POST", "/jobs/j/addtaskcollection", collection(first).encode())
        yield served
    finally:
        served.close()


def ask(served: Served, method: str, path: str, body: bytes | None = None) -> httpx.Response:
    answer = served.ask(method, path, *account(served), content=body)
    assert answer.status_code < 300, answer.text
    return answer


def account(served: Served) -> tuple[str, str]:
    return served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"]


#: What takes five minutes: a list with a filter that the database cannot decide, and counts.
LONG = ["/jobs/j/tasks?$filter=displayName%20eq%20'none'", "/jobs/j/taskcounts", "/jobs/j?$expand=stats"]


def begun(served: Served, path: str) -> socket.socket:
    """A connection on which that is asked for."""
    request = signed(served.client(), "GET", path, *account(served))
    head = f"GET {request.url.raw_path.decode()} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    sock = socket.create_connection((request.url.host, request.url.port or 0), timeout=PATIENCE)
    sock.sendall(f"{head}\r\n".encode())
    return sock


@pytest.mark.parametrize("path", LONG)
def test_nobody_waits_for_the_lists_of_others(slow: Served, path: str) -> None:
    with ExitStack() as connections:
        for _ in range(CLIENTS):
            connections.enter_context(begun(slow, path))
        slow.until("looks for(?s:.*looks for){3}")
        ask(slow, "GET", "/jobs/j")
    began = time.monotonic()
    assert len(ask(slow, "GET", "/jobs/j/tasks").json()["value"]) == TASKS, "those of before have given up"
    assert time.monotonic() - began < TASKS / 2 / 4


@pytest.mark.parametrize("path", LONG)
def test_a_list_does_not_hold_up_the_end(slow: Served, path: str) -> None:
    with begun(slow, path):
        slow.until("looks for")
        slow.process.send_signal(signal.SIGTERM)
        slow.until("1 answers were cut off")
    assert slow.process.wait(TASKS / 2 / 4) == 0


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with in_process(tmp_path_factory.mktemp("state")) as found:
        assert found("POST", "/pools", POOL).status_code == 201
        for job_id in ("a", "b", "c"):
            assert found("POST", "/jobs", {"id": job_id, "poolInfo": {"poolId": "p"}}).status_code == 201
        tasks = [{"id": f"t{number}", "commandLine": "true"} for number in range(5)]
        tasks[3]["displayName"] = "odd"
        assert found("POST", "/jobs/a/addtaskcollection", {"value": tasks}).status_code == 200
        yield found


@pytest.mark.parametrize(
    ("path", "ids", "pages"),
    [
        ("/jobs?$filter=id%20ge%20'b'", ["b", "c"], 4),
        ("/jobs?maxresults=2", ["a", "b", "c"], 4),
        ("/jobs/a/tasks?$filter=displayName%20eq%20'odd'", ["t3"], 6),
        # the database has looked at all of them at once
        ("/jobs/a/tasks?$filter=id%20ne%20't2'%20and%20displayName%20eq%20'odd'", ["t3"], 5),
        ("/jobs/a/tasks?$filter=id%20eq%20't2'", ["t2"], 2),
    ],
)
def test_a_page_that_takes_too_long_is_short_and_the_next_goes_on(
    records: InProcess, monkeypatch: pytest.MonkeyPatch, path: str, ids: list[str], pages: int
) -> None:
    """Also an empty one: the clients go on as long as there is a link."""
    monkeypatch.setattr(paging, "PATIENCE", -1.0)
    found, count = [], 0
    following: str | None = path
    while following is not None:
        page = records.get(following)
        found += [each["id"] for each in page["value"]]
        count += 1
        link = page.get("odata.nextLink")
        following = link and link.partition("/jobs")[1] + link.partition("/jobs")[2]
    assert (found, count) == (ids, pages)
