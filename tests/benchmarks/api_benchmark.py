"""The HTTP API: tasks that are added, durably, beside a server that parses the same requests and stores nothing; one
task and a filtered list of a job of a million, beside the bare SQL queries."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from .api_servers import Bare, Product, task_id
from .cpu import Measured, Stopwatch, of_process
from .http_clients import ask_all
from .report import Report, table
from .rounds import Row, Spread, run_rounds

CLIENTS, IN_A_CALL = 4, 100
#: The bare server gets all requests so many times: it is done before the clock has moved.
_AGAIN = 10
#: What adding a task may cost at most, in those of the bare server.
GOAL = 30.0
_FILTER = "executionInfo/result eq 'failure'"


@dataclass(frozen=True)
class Counts:
    #: collections added in a round, and tasks in the job that is read
    calls: int = 600
    many: int = 1_000_000
    #: single tasks and lists read in a round
    gets: int = 1000
    lists: int = 4


QUICK = Counts(calls=8, many=2000, gets=10, lists=2)


def run(folder: Path, rounds: int, counts: Counts) -> Report:
    product, bare = Product(folder / "api", counts.many), Bare()
    try:
        with closing(sqlite3.connect(f"file:{product.database}?mode=ro", uri=True)) as database:
            added, read = _adding(product, bare, counts), _reading(product, database, counts)
            run_rounds([*added, *read], rounds)
    finally:
        bare.close()
        product.close()
    return _report(added, read, rounds, counts)


# -- adding ------------------------------------------------------------------------------------------------------


def _collections(product: Product, job_id: str, calls: int) -> list[bytes]:
    path = f"/jobs/{job_id}/addtaskcollection"
    found = []
    for call in range(calls):
        tasks = [_rendered(call * IN_A_CALL + number) for number in range(IN_A_CALL)]
        found.append(product.request("POST", path, msgspec.json.encode({"value": tasks})))
    return found


def _rendered(frame: int) -> dict[str, str]:
    """A task of some 130 bytes, as people send them."""
    command = f"python3 render.py --scene scene.json --samples 64 --frame {frame} --out frames/{frame}.png"
    return {"id": f"frame-{frame:06d}", "commandLine": f"/bin/bash -c '{command}'"}


def _adding(product: Product, bare: Bare, counts: Counts) -> list[Row]:
    tasks = counts.calls * IN_A_CALL

    def ours(number: int) -> Measured:
        job_id = f"added-{number}"
        product.job(job_id)
        requests = _collections(product, job_id, counts.calls)
        measured = _measured(product.process.pid, lambda: ask_all(product.port, requests, CLIENTS))
        _check(product, job_id, tasks)
        return measured

    def theirs(number: int) -> Measured:
        requests = _collections(product, f"bare-{number}", counts.calls) * _AGAIN
        return _measured(bare.process.pid, lambda: ask_all(bare.port, requests, CLIENTS))

    return [Row("ebbtide, durable", tasks, ours), Row("bare, stores nothing", tasks * _AGAIN, theirs)]


def _measured(pid: int, action: Callable[[], object]) -> Measured:
    """The seconds of it, and of the processor those of the server alone."""
    cpu, watch = of_process(pid), Stopwatch()
    action()
    return Measured(watch.stop().seconds, of_process(pid) - cpu)


def _check(product: Product, job_id: str, tasks: int) -> None:
    """Raises AssertionError if one that was said to be there is not."""
    with closing(sqlite3.connect(f"file:{product.database}?mode=ro", uri=True)) as database:
        (count,) = database.execute("SELECT count(*) FROM tasks WHERE job_id = ?", (job_id,)).fetchone()
    if count != tasks:
        raise AssertionError(f"{tasks} tasks were answered for, and {count} are in the database")


# -- reading -----------------------------------------------------------------------------------------------------

_ONE = "SELECT body FROM tasks WHERE job_id = ? AND id = ?"
_FAILED = "SELECT id, body FROM tasks WHERE job_id = ? AND done & 1 = 0 ORDER BY id LIMIT 1001"


def _reading(product: Product, database: sqlite3.Connection, counts: Counts) -> list[Row]:
    chosen = [task_id(number * 7919 % counts.many) for number in range(counts.gets)]

    def one(_: int) -> Measured:
        requests = [product.request("GET", f"/jobs/many/tasks/{task}") for task in chosen]
        return _measured(product.process.pid, lambda: ask_all(product.port, requests, 1))

    def one_bare(_: int) -> Measured:
        watch = Stopwatch()
        for task in chosen:
            database.execute(_ONE, ("many", task)).fetchall()
        return watch.stop()

    def listed(_: int) -> Measured:
        request = product.request("GET", "/jobs/many/tasks", query=f"&$filter={quote(_FILTER, safe='')}")
        found: list[bytes] = []
        requests = [request] * counts.lists
        measured = _measured(product.process.pid, lambda: found.append(ask_all(product.port, requests, 1)))
        wanted = min(1000, -(-counts.many // 1000))
        if len(msgspec.json.decode(found[0])["value"]) != wanted:
            raise AssertionError(f"a list of other than {wanted} tasks")
        return measured

    def listed_bare(_: int) -> Measured:
        watch = Stopwatch()
        for _ in range(counts.lists):
            database.execute(_FAILED, ("many",)).fetchall()
        return watch.stop()

    return [
        Row("GET of one task", counts.gets, one),
        Row("its SQL query", counts.gets, one_bare),
        Row("GET of the failed ones", counts.lists, listed),
        Row("the list's SQL query", counts.lists, listed_bare),
    ]


def _report(added: list[Row], read: list[Row], rounds: int, counts: Counts) -> Report:
    ours, bare = added
    one, one_bare, listed, listed_bare = read
    wall = _slower(ours, bare)
    cpu = Spread.of([a / b for a, b in zip(ours.cpu, bare.cpu, strict=True)] if all(bare.cpu) else [0.0])
    lines = [
        f"addtaskcollection, {IN_A_CALL} tasks a call, {CLIENTS} clients, {ours.count} tasks; {rounds} rounds, medians",
        "",
        *table(
            ["", "tasks/s", "us each", "processor, us"],
            [
                [row.name, f"{1 / row.median:,.0f}", f"{row.median * 1e6:.2f}", f"{_median_cpu(row) * 1e6:.2f}"]
                for row in added
            ],
        ),
        f"  as slow as the bare one: {wall}; by its processor time {cpu}; the goal is {GOAL:g}x",
        "",
        f"Of a job of {counts.many:,} tasks, one client",
        "",
        *table(
            ["", "ms", "bare SQL, ms", "as slow as that"],
            [
                [a.name, f"{a.median * 1e3:.2f}", f"{b.median * 1e3:.3f}", str(_slower(a, b))]
                for a, b in ((one, one_bare), (listed, listed_bare))
            ],
        ),
        "",
    ]
    figures = {
        "rows": [{"name": r.name, "count": r.count, "secondsEach": r.each, "cpuEach": r.cpu} for r in (*added, *read)],
        "ratio": wall.median,
        "cpuRatio": cpu.median,
    }
    last = f"a durable task costs {wall} what a bare server takes to parse it ({cpu} in processor time)"
    return Report("api", lines, figures, last)


def _slower(ours: Row, bare: Row) -> Spread:
    """How many times as slow, over the rounds."""
    return Spread.of([mine / theirs for mine, theirs in zip(ours.each, bare.each, strict=True)])


def _median_cpu(row: Row) -> float:
    return sorted(row.cpu)[len(row.cpu) // 2]
