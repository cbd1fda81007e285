"""A server to try things at, and what is always there: a pool with a node, a job, a task that is completed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..service.served import PATIENCE, Served, ebbtide, exported
from .connection import Connection, Key, Reply, Request, signed
from .examples import THERE
from .requests import package

#: Pools that requests make have a provider without room: whatever is asked for, this machine gets no more nodes.
_SETTINGS = """\
defaultProvider: nowhere
providers:
  nowhere: {{driver: local, maxVms: 0, baseDir: {nodes}/none}}
  machine: {{driver: local, maxVms: 2, baseDir: {nodes}/some, runAs: self}}
bootPollInterval: PT1S
vmPollInterval: PT5S
taskGracePeriod: PT1S
"""
_POOL = {
    "id": "base", "vmSize": "local.small", "targetDedicatedNodes": 1, "taskSlotsPerNode": 4,
    "metadata": [{"name": "provider", "value": "machine"}],
}
#: Seconds in which a node has come, if nothing keeps it from coming.
_SETTLED = 30.0
_JOB = {"id": "base", "poolInfo": {"poolId": "base"}}
_TASK = {"id": "done", "commandLine": "echo hello"}


class World:
    def __init__(self, served: Served, key: Key, reader: Key) -> None:
        self.served = served
        self.key, self.reader = key, reader
        host, _, port = served.url.partition("//")[2].partition(":")
        self.connection = Connection(host, int(port))

    @property
    def memory(self) -> int:
        """Bytes of the server that are in memory."""
        status = Path(f"/proc/{self.served.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        data = json.dumps(body).encode() if body is not None else None if method == "GET" else b""
        request = Request("", method, path, (("Content-Type", "application/json"),) if data else (), data)
        return self.connection.ask(request, signed(request, self.key))

    def _put(self, path: str) -> Reply:
        request = Request("", "PUT", path, (), package("echo"))
        return self.connection.ask(request, signed(request, self.key))

    def get(self, path: str) -> Any:
        """None: it is not there."""
        reply = self.ask("GET", path)
        assert reply.status in (200, 400, 404), (path, reply)
        return json.loads(reply.body) if reply.status == 200 else None

    def nodes(self) -> tuple[str, ...]:
        return tuple(each["id"] for each in (self.get("/pools/base/nodes") or {"value": []})["value"])

    def tend(self) -> None:
        """Without what requests have made, and with what is to be there."""
        for path in ("/jobschedules", "/jobs", "/pools"):
            for each in self.get(path)["value"]:
                if each["id"] != "base" and each["state"] != "deleting":
                    self.ask("DELETE", f"{path}/{quote(each['id'], safe='')}")
        for each in (self.get("/jobs/base/tasks") or {"value": []})["value"]:
            if each["id"] != "done":
                self.ask("DELETE", f"/jobs/base/tasks/{quote(each['id'], safe='')}")
        self._there("/pools", _POOL)
        pool = self.get("/pools/base")
        if pool["enableAutoScale"]:
            self.ask("POST", "/pools/base/disableautoscale")
        if pool["targetDedicatedNodes"] != 1 or pool["targetLowPriorityNodes"]:
            self._until(self._resized)
        for node in self.nodes():
            self.ask("POST", f"/pools/base/nodes/{node}/enablescheduling")
        self._there("/jobs", _JOB)
        self.ask("POST", "/jobs/base/enable")
        self._there("/jobs/base/tasks", _TASK)
        for path, wanted in THERE:
            self._there(path, wanted)
        if self.get("/applications/app/versions/1.0") is None:
            assert self._put("/applications/app/versions/1.0").status == 201

    def _resized(self) -> bool:
        """It may be waiting for nodes that do not come."""
        self.ask("POST", "/pools/base/stopresize")
        wanted = {"targetDedicatedNodes": 1, "targetLowPriorityNodes": 0, "nodeDeallocationOption": "terminate"}
        return self.ask("POST", "/pools/base/resize", wanted).status == 202

    def ready(self) -> None:
        """Until the node is there and the task is completed; requests may have made that impossible."""
        for _ in range(5):
            deadline = time.monotonic() + _SETTLED
            while time.monotonic() < deadline:
                if (self.get("/jobs/base/tasks/done") or {}).get("state") == "completed" and self.nodes():
                    return
                time.sleep(0.05)
            for path in ("/jobs/base", "/pools/base"):
                self.ask("DELETE", path)
            self.tend()
        raise AssertionError(f"the node does not come: {self.get('/pools/base/nodes')}")

    def _there(self, path: str, wanted: Mapping[str, Any]) -> None:
        place, said = f"{path}/{wanted['id']}", list[object]()

        def made() -> bool:
            found = self.get(place)
            if found is not None and found["state"] in ("completed", "terminating") and path == "/jobs":
                self.ask("DELETE", place)
                return False
            if found is not None and found["state"] != "deleting":
                return True
            reply = self.ask("POST", path, wanted)
            said[:] = [place, found, reply]
            return reply.status == 201

        self._until(made, said)

    def _until(self, check: Callable[[], bool], said: object = "") -> None:
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < deadline, f"waited in vain: {said} {self.served.err[-2000:]}"
            time.sleep(0.05)


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """At the end the server has stopped, and no node of it is left."""
    config = directory / "settings.yaml"
    config.write_text(_SETTINGS.format(nodes=directory / "nodes"))
    served = Served(directory, "--config", str(config))
    try:
        served.ready()
        first = served.lines
        made = ebbtide("account", "create", "reader", "--read-only", state=served.state)
        assert made.returncode == 0, made.stderr
        told = (first, exported(made.stdout))
        key, reader = (Key(each["AZURE_BATCH_ACCOUNT"], each["AZURE_BATCH_ACCESS_KEY"]) for each in told)
        found = World(served, key, reader)
        found.tend()
        found.ready()
        yield found
        found.connection.close()
        assert served.end() == 0, served.err[-2000:]
    finally:
        served.close()
        ebbtide("down", "--now", state=served.state)
