"""What the clients do: they make, read, list, change, terminate and delete the same few pools and jobs, as it comes by
chance, and some of their own that nobody else touches."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from .client import At, Client, Reply
from .ledger import Entry, Found

POOLS, JOBS = 4, 12
IMAGE = {
    "imageReference": {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"},
    "nodeAgentSKUId": "batch.node.ubuntu 22.04",
}
#: What all of these have, whatever state they are in.
_WHOLE = {
    "pools": ("id", "url", "eTag", "lastModified", "creationTime", "state", "stateTransitionTime", "allocationState",
              "allocationStateTransitionTime", "vmSize", "metadata", "virtualMachineConfiguration"),
    "jobs": ("id", "url", "eTag", "lastModified", "creationTime", "state", "stateTransitionTime", "poolInfo",
             "metadata", "displayName", "executionInfo", "onAllTasksComplete"),
}  # fmt: skip
#: What may be answered to each kind of request, beside what is done: others have been there before.
_EXPECTED = {
    "create": (409, 404), "delete": (404, 409, 412), "terminate": (404, 409), "count": (404, 409, 412),
    "tasks": (404, 409), "read": (404,), "list": (),
}  # fmt: skip
_PAUSE = 0.05


class Told(msgspec.Struct):
    """What one client has to tell at the end: its entries, how each request was answered (kind, status, seconds), and
    what was wrong."""

    entries: list[Entry] = []
    answers: list[tuple[str, int | None, float]] = []
    faults: list[str] = []


def marked(token: str, count: int) -> list[dict[str, str]]:
    """The counter stands there twice: half an object would have two different ones."""
    values = {"token": token, "count": str(count), "again": str(count)}
    return [{"name": name, "value": value} for name, value in values.items()]


def seen(thing: dict[str, Any]) -> Found:
    """Its token and counter; None: it is on its way out. Raises ValueError if it is half of one thing."""
    values = {item["name"]: item["value"] for item in thing["metadata"]}
    if values["count"] != values["again"] or thing.get("displayName", values["token"]) != values["token"]:
        raise ValueError(f"half an object: {thing}")
    return None if thing["state"] == "deleting" else (values["token"], int(values["count"]))


class Worker:
    """`down`: was the server away at any time between two moments?"""

    def __init__(self, at: At, name: str, seed: int, down: Callable[[float, float], bool]) -> None:
        self._client = Client(at)
        self._name = name
        self._random = Random(f"{seed} {name}")
        self._down = down
        self._number = 0
        self._own: list[tuple[str, str]] = []
        self.told = Told()
        self._steps: list[tuple[int, Callable[[], None]]] = [
            (3, lambda: self._create_pool(f"shared-{self._random.randrange(POOLS)}")),
            (1, lambda: self._delete(f"pools/shared-{self._random.randrange(POOLS)}")),
            (8, lambda: self._create_job(self._shared())),
            (2, lambda: self._terminate(self._shared())),
            (3, lambda: self._delete(f"jobs/{self._shared()}")),
            (8, lambda: self._count(self._shared())),
            (3, lambda: self._add_tasks(self._shared(), "")),
            (4, lambda: self._list("jobs")),
            (2, lambda: self._list("pools")),
            (4, self._own_job),
            (8, self._of_own),
        ]

    def work(self, over: Callable[[], bool]) -> Told:
        choices, weights = [step for _, step in self._steps], [weight for weight, _ in self._steps]
        while not over():
            (step,) = self._random.choices(choices, weights)
            try:
                step()
            except (ValueError, KeyError, TypeError, AttributeError) as error:  # an answer that is not as it is to be
                self.told.faults.append(f"{type(error).__name__}: {error}"[:500])
        self._client.close()
        return self.told

    def _shared(self) -> str:
        return f"shared-{self._random.randrange(JOBS)}"

    def _token(self) -> str:
        self._number += 1
        return f"{self._name}-{self._number}"

    def _ask(self, kind: str, method: str, path: str, body: object = None, **headers: str) -> Reply:
        reply = self._client.ask(method, path, body, **headers)
        status = reply.status
        self.told.answers.append((kind, status, reply.answered - reply.sent))
        if status is None:
            if not self._down(reply.sent, reply.answered):
                self.told.faults.append(f"{method} {path}: no answer, and the server was there")
            time.sleep(_PAUSE)
        elif 200 <= status < 300 or status in _EXPECTED[kind]:
            pass
        elif status != 503 or not self._down(reply.sent, reply.answered):
            self.told.faults.append(f"{method} {path}: {status} {str(reply.body)[:300]}")
        return reply

    def _note(self, kind: Any, thing: str, reply: Reply, **more: Any) -> None:
        self.told.entries.append(Entry(kind, thing, reply.sent, reply.answered, reply.status, **more))

    # -- steps ---------------------------------------------------------------------------------------------------

    def _create_pool(self, pool_id: str) -> None:
        token = self._token()
        body: dict[str, Any] = {"id": pool_id, "displayName": token, "vmSize": "local.small", "targetDedicatedNodes": 0}
        body |= {"virtualMachineConfiguration": IMAGE, "metadata": marked(token, 0)}
        self._note("create", f"pools/{pool_id}", self._ask("create", "POST", "pools", body), token=token)

    def _create_job(self, job_id: str, pool_id: str | None = None) -> None:
        token = self._token()
        pool_id = pool_id or f"shared-{self._random.randrange(POOLS)}"
        body = {"id": job_id, "displayName": token, "poolInfo": {"poolId": pool_id}, "metadata": marked(token, 0)}
        reply = self._ask("create", "POST", "jobs", body)
        self._note("create", f"jobs/{job_id}", reply, token=token)
        if reply.status == 201 and job_id.startswith("own"):
            self._own.append((job_id, token))

    def _terminate(self, job_id: str) -> None:
        self._note("terminate", f"jobs/{job_id}", self._ask("terminate", "POST", f"jobs/{job_id}/terminate"))

    def _delete(self, thing: str) -> None:
        self._note("delete", thing, self._ask("delete", "DELETE", thing))

    def _count(self, job_id: str) -> None:
        """One more, if nobody else was faster."""
        read = self._ask("read", "GET", f"jobs/{job_id}")
        now = seen(read.body) if read.status == 200 else None
        if now is None:
            return
        token, value = now[0], now[1] + 1
        body = {"metadata": marked(token, value)}
        reply = self._ask("count", "PATCH", f"jobs/{job_id}", body, if_match=read.etag)
        self._note("count", f"jobs/{job_id}", reply, token=token, value=value)

    def _add_tasks(self, job_id: str, token: str) -> None:
        ids = tuple(f"{self._token()}-{n}" for n in range(self._random.randint(1, 8)))
        body = {"value": [{"id": task, "commandLine": "/bin/true"} for task in ids]}
        reply = self._ask("tasks", "POST", f"jobs/{job_id}/addtaskcollection", body)
        results = reply.body["value"] if reply.status == 200 else []
        refused: set[str] = {each["error"]["code"] for each in results if each["status"] != "success"}
        # somebody may have deleted the pool of a shared job
        gone = set[str]() if token else {"PoolNotFound", "PoolBeingDeleted"}
        if refused - gone:
            self.told.faults.append(f"jobs/{job_id}: new tasks were refused: {refused}")
        if token:
            self._note("tasks", f"jobs/{job_id}", reply, token=token, tasks=ids)

    def _list(self, kind: str) -> None:
        path, ids = f"{kind}?maxresults={self._random.choice((40, 1000))}", list[str]()
        while path:
            reply = self._ask("list", "GET", path)
            if reply.status != 200:
                return
            for thing in reply.body["value"]:
                missing = [name for name in _WHOLE[kind] if name not in thing]
                if missing and not thing["id"].startswith("base"):
                    self.told.faults.append(f"{kind}: without {missing}: {thing}")
                seen(thing)
                ids.append(thing["id"])
            path = reply.body.get("odata.nextLink", "").partition(f"/{kind}")[2]
            path = f"{kind}{path}".replace("&api-version=2025-06-01", "") if path else ""
        if len(set(ids)) != len(ids):
            self.told.faults.append(f"{kind}: the list holds one twice: {sorted(ids)}")

    def _own_job(self) -> None:
        """One that is nobody else's."""
        self._create_job(f"own-{self._name}-{self._number}", "base")

    def _of_own(self) -> None:
        if not self._own:
            return
        at = self._random.randrange(len(self._own))
        job_id, token = self._own[at]
        act = self._random.random()
        if act < 0.4:
            self._count(job_id)
        elif act < 0.8:
            self._add_tasks(job_id, token)
        else:
            del self._own[at]
            self._delete(f"jobs/{job_id}")
