"""The servers that requests are timed at: `ebbtide serve` with a state of its own, and the bare one."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pools import Change, ExecutionResult
from runner import Task, TaskSpec, TaskState, open_journal, signature
from runner.task_spec import packed
from tests.service.served import VERSION, Served

POOL = {
    "id": "pool",
    "vmSize": "local.small",
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"},
        "nodeAgentSKUId": "batch.node.ubuntu 22.04",
    },
    "targetDedicatedNodes": 0,
}
#: Of these, so many thousandths have failed.
FAILED = 1
_SOME = 10_000


class Bare:
    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.bare_http"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Product:
    """`ebbtide serve`, with a pool that has no nodes, and in the job `many` so many completed tasks."""

    def __init__(self, folder: Path, many: int) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._served = self._started()
        shown = self._served.lines
        self._account, self._key = shown["AZURE_BATCH_ACCOUNT"], shown["AZURE_BATCH_ACCESS_KEY"]
        self.ask("POST", "/pools", POOL)
        self.job("many")
        self._end()
        self._fill(many)
        self._served = self._started()
        self.port = urlsplit(self._served.url).port or 0

    @property
    def process(self) -> subprocess.Popen[Any]:
        return self._served.process

    @property
    def database(self) -> Path:
        return self._served.state / "ebbtide.db"

    def _started(self) -> Served:
        return Served(self._folder).ready()

    def _end(self) -> None:
        self._served.end()
        self._served.close()

    def close(self) -> None:
        self._end()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Raises HTTPStatusError."""
        content = None if body is None else msgspec.json.encode(body)
        answer = self._served.ask(method, path, self._account, self._key, content=content)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def job(self, job_id: str) -> None:
        self.ask("POST", "/jobs", {"id": job_id, "poolInfo": {"poolId": POOL["id"]}})

    def request(self, method: str, path: str, body: bytes = b"", query: str = "") -> bytes:
        """As an SDK sends it: signed, and good for some minutes."""
        query = f"api-version={VERSION}{query}"
        headers = {
            "host": "127.0.0.1",
            "user-agent": "azsdk-python-batch/15.1.0 Python/3.11",
            "accept": "application/json",
            "ocp-date": formatdate(time.time(), usegmt=True),
        }
        if body:
            headers |= {"content-type": "application/json; odata=minimalmetadata", "content-length": str(len(body))}
        made = signature(self._key, self._account, method, path, query, headers)
        headers["authorization"] = f"SharedKey {self._account}:{made}"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{method} {path}?{query} HTTP/1.1\r\n{head}\r\n".encode() + body

    def _fill(self, many: int) -> None:
        with closing(open_journal(f"sqlite:///{self.database}")) as journal:
            for at in range(0, many, _SOME):
                tasks = [_completed(number) for number in range(at, min(at + _SOME, many))]
                journal.commit([Change("tasks", task.key, task) for task in tasks])


def task_id(number: int) -> str:
    return f"task-{number:07d}"


def _completed(number: int) -> Task:
    failed = number % 1000 < FAILED
    now = time.time()
    return Task(
        job_id="many",
        id=task_id(number),
        uid=f"{number:012x}",
        sequence=number + 1,
        raw_spec=packed(TaskSpec(id=task_id(number), command_line=f"/bin/sh -c 'echo {number}'")),
        created=now,
        modified=now,
        state_time=now,
        state=TaskState.COMPLETED,
        attempt=1,
        start_time=now,
        end_time=now,
        exit_code=int(failed),
        result=ExecutionResult.FAILURE if failed else ExecutionResult.SUCCESS,
        satisfies=not failed,
    )
