"""`ebbtide down` where a server works on the state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers import marked_processes
from tests.providers.waiting import wait_until

from .served import PATIENCE, Served, ebbtide

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    config = tmp_path / "c.yaml"
    config.write_text("bootPollInterval: PT0.5S\nvmPollInterval: PT1S\n")
    served = Served(tmp_path, "--config", str(config)).ready()
    yield served
    served.close()
    ebbtide("down", "--now", state=served.state)


def test_pools_are_drained_through_it(served: Served) -> None:
    account = served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"]

    def ask(method: str, path: str, content: object = None) -> dict[str, object]:
        body = json.dumps(content).encode() if content is not None else None
        answer = served.ask(method, path, *account, content=body)
        assert answer.status_code < 300, answer.text
        found: dict[str, object] = answer.json() if answer.content else {}
        return found

    def nodes(pool: str) -> list[str]:
        listed = ask("GET", f"/pools/{pool}/nodes")["value"]
        assert isinstance(listed, list)
        return [node["state"] for node in listed]

    for pool in ("p", "q"):
        ask("POST", "/pools", {"id": pool, "vmSize": "local.small", "targetDedicatedNodes": 1})
    ask("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "p"}})
    ask("POST", "/jobs/j/tasks", {"id": "t", "commandLine": "sleep 3600"})
    wait_until(lambda: ask("GET", "/jobs/j/tasks/t")["state"] == "running", PATIENCE)
    wait_until(lambda: nodes("q") == ["idle"], PATIENCE)

    done = ebbtide("down", "--pool", "nothing", state=served.state)
    assert (done.returncode, "there is no pool" in done.stderr) == (2, True), done.stderr
    done = ebbtide("down", "--pool", "p", state=served.state)
    assert done.returncode == 0, done.stderr
    assert "no VM of pool p is left" in done.stdout and "the server goes on: pool p gets no node" in done.stdout
    assert (nodes("p"), nodes("q")) == ([], ["idle"])
    assert ask("GET", "/jobs/j/tasks/t")["state"] == "active", "it is back in its queue"

    done = ebbtide("down", state=served.state)
    assert done.returncode == 0 and "\nno VM is left\n" in done.stdout, done.stderr
    assert nodes("q") == [] and served.client().get("/healthz").status_code == 200
    assert not marked_processes((served.state / "deployment").read_text().strip())
    assert served.end() == 0
    again = ebbtide("down", state=served.state)
    assert again.returncode == 0 and "the server goes on" not in again.stdout, "and without a server, as ever"
