"""The whole run: a server, clients in some processes, kill -9 in the middle, and the check of what was acknowledged."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import statistics
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.service.served import Served

from .client import At, Client
from .ledger import Found, Verdict, durable, lost_updates, statuses
from .work import IMAGE, Told, Worker, marked, seen

#: The server may say 503, or nothing, for so long (seconds) after it was killed: until it is ready, and what was sent
#: to it before has ended.
_AFTER = 1.0
#: Seconds until the clients are loaded.
_START = 120.0
_NEVER = 1e18


@dataclass
class Outcome:
    clients: int
    seconds: float
    requests: int = 0
    #: by kind of request: how often each status was answered, and the median and 99th percentile of seconds
    answers: dict[str, dict[str, int]] = field(default_factory=dict)
    took: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: seconds from the kill until the server was ready again
    away: float = 0.0
    entries: int = 0
    checked: int = 0
    faults: list[str] = field(default_factory=list)

    def lines(self) -> Iterable[str]:
        rate = self.requests / self.seconds
        yield f"{self.clients} clients, {self.seconds:.0f} s: {self.requests} requests, {rate:.0f} a second"
        yield f"killed in the middle, ready again after {self.away:.1f} s"
        for kind, counts in sorted(self.answers.items()):
            told = ", ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
            half, most = (1e3 * seconds for seconds in self.took[kind])
            yield f"  {kind:<10} {half:7.1f} ms, 99 of 100 in {most:7.1f}   {told}"
        yield f"{self.entries} changes asked for, {self.checked} acknowledged things looked at afterwards"
        yield f"faults: {len(self.faults)}"
        yield from (f"  {fault}" for fault in self.faults[:20])


class Load:
    """`folder`: for the state; nobody else's."""

    def __init__(self, folder: Path, clients: int, seconds: float, processes: int, seed: int) -> None:
        """`seconds`: half of them before the server is killed, and half when it is there again."""
        self._folder = folder
        self._clients = clients
        self._seconds = seconds
        self._processes = min(processes, clients)
        self._seed = seed

    def run(self) -> Outcome:
        served = Served(self._folder).ready()
        try:
            at = At(urlsplit(served.url).port or 0, *_account(served))
            _base(at)
            outcome = Outcome(self._clients, self._seconds)
            served, told = self._storm(served, at, outcome)
            self._judge(at, told, outcome)
            return outcome
        finally:
            served.close()

    def _storm(self, served: Served, at: At, outcome: Outcome) -> tuple[Served, list[Told]]:
        context = multiprocessing.get_context("spawn")
        killed: Synchronized[float] = context.Value("d", _NEVER)
        ready: Synchronized[float] = context.Value("d", _NEVER)
        end: Synchronized[float] = context.Value("d", _NEVER)
        start = context.Barrier(self._processes + 1)
        shares = [range(n, self._clients, self._processes) for n in range(self._processes)]
        with ThreadPoolExecutor(self._processes) as pool:
            common = (self._seed, start, killed, ready, end)
            running = [pool.submit(_process, context, (at, share, *common)) for share in shares]
            try:
                start.wait(_START)
                time.sleep(self._seconds / 2)
                killed.value = time.monotonic()
                os.kill(served.process.pid, signal.SIGKILL)
                served.process.wait()
                served.close()
                served = Served(self._folder, "--listen", f"127.0.0.1:{at.port}")
                served.until("what a client needs")
                ready.value = time.monotonic()
                outcome.away = ready.value - killed.value
                time.sleep(self._seconds / 2)
            finally:
                end.value = 0.0
                start.abort()
                told = [each for future in running for each in future.result()]
        return served, told

    def _judge(self, at: At, told: list[Told], outcome: Outcome) -> None:
        entries = [entry for each in told for entry in each.entries]
        answers = [answer for each in told for answer in each.answers]
        outcome.requests, outcome.entries = len(answers), len(entries)
        outcome.answers = {k: dict(v) for k, v in statuses((kind, status) for kind, status, _ in answers).items()}
        for kind in outcome.answers:
            took = sorted(seconds for each, status, seconds in answers if each == kind and status is not None)
            outcome.took[kind] = (statistics.median(took), took[int(len(took) * 0.99)]) if took else (0.0, 0.0)
        with closing(Client(at)) as client:
            look = _Look(client)
            verdict: Verdict = durable(entries, look.found, look.tasks_of)
        outcome.checked = verdict.checked
        outcome.faults = [fault for each in told for fault in each.faults] + verdict.faults + lost_updates(entries)


def _process(context: Any, arguments: tuple[Any, ...]) -> list[Told]:
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_share, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        found: list[Told] = mine.recv()
        return found
    finally:
        process.join()


def _share(
    out: Any,
    at: At,
    numbers: range,
    seed: int,
    start: Barrier,
    killed: Synchronized[float],
    ready: Synchronized[float],
    end: Synchronized[float],
) -> None:
    """Some of the clients, in a process of their own."""

    def down(sent: float, answered: float) -> bool:
        return answered >= killed.value and sent <= ready.value + _AFTER

    workers = [Worker(at, f"c{number}", seed, down) for number in numbers]
    threads = [threading.Thread(target=worker.work, args=(lambda: end.value == 0.0,)) for worker in workers]
    start.wait(_START)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out.send([worker.told for worker in workers])
    out.close()


class _Look:
    """How things are after all."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def found(self, thing: str) -> Found:
        reply = self._client.ask("GET", thing)
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise AssertionError(f"{thing}: {reply.status} {reply.body}")
        return seen(reply.body)

    def tasks_of(self, thing: str) -> frozenset[str]:
        ids: set[str] = set()
        last = ""
        for _ in itertools.count():
            reply = self._client.ask("GET", f"{thing}/tasks?$select=id" + (f"&$skiptoken={last}" if last else ""))
            assert reply.status == 200, reply
            ids.update(each["id"] for each in reply.body["value"])
            if "odata.nextLink" not in reply.body:
                break
            last = reply.body["value"][-1]["id"]
        return frozenset(ids)


def _account(served: Served) -> tuple[str, str]:
    return served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"]


def _base(at: At) -> None:
    """A pool that stays."""
    body = {"id": "base", "displayName": "base", "vmSize": "local.small", "virtualMachineConfiguration": IMAGE}
    with closing(Client(at)) as client:
        reply = client.ask("POST", "pools", body | {"targetDedicatedNodes": 0, "metadata": marked("base", 0)})
    assert reply.status == 201, reply
