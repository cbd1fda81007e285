"""One job of 100,000 tasks on 50 simulated nodes, with the journal on: memory, and processor time beside the bare
journal's."""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pools import ExecutionResult
from runner import Output, Task, TaskSpec, TaskState, open_journal
from runner import store as stored
from runner.task_spec import packed

from .report import Report, table
from .rounds import Spread
from .scale import Run

NOW = 1_750_000_000.0
TIMEOUT = 1800.0


@dataclass(frozen=True)
class Counts:
    tasks: int = 100_000
    nodes: int = 50
    #: of the run under the profiler
    profiled: int = 20_000


QUICK = Counts(tasks=300, nodes=3, profiled=100)


def _product(folder: Path, tasks: int, nodes: int, *more: str) -> Run:
    command = [sys.executable, "-m", "tests.benchmarks.scale", str(folder), str(tasks), str(nodes), *more]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=TIMEOUT).stdout
    return msgspec.json.decode(said, type=Run)


def _versions(number: int) -> list[Task]:
    """A task as it is added, placed, running and completed."""
    added = Task(
        job_id="job",
        id=f"t{number}",
        uid=f"{number:012x}",
        sequence=number,
        raw_spec=packed(TaskSpec(id=f"t{number}", command_line=f"/bin/sh -c 'echo hello world' {number}")),
        created=NOW,
        modified=NOW,
        state_time=NOW,
    )
    place: dict[str, Any] = {"attempt": 1, "node_id": "node-000001", "modified": NOW + 1}
    placed = msgspec.structs.replace(added, state=TaskState.PREPARING, version=2, previous_state="active", **place)
    running = msgspec.structs.replace(placed, state=TaskState.RUNNING, version=3, start_time=NOW + 2)
    ending = {"node_id": None, "last_node_id": "node-000001", "end_time": NOW + 3, "exit_code": 0}
    result = ExecutionResult.SUCCESS
    done = msgspec.structs.replace(running, state=TaskState.COMPLETED, version=4, result=result, **ending)
    return [added, placed, running, done]


def _bare(database: Path, tasks: int, batch: int, *, outputs: bool) -> float:
    """Processor seconds of one insert and three updates a task (and of its two outputs) into the journal's own tables,
    `batch` rows in a commit: the rows are made before, and nothing is decided."""
    open_journal(f"sqlite:///{database}").close()
    steps: list[list[tuple[Any, ...]]] = [[], [], [], []]
    kept: list[tuple[Any, ...]] = []
    for number in range(tasks):
        for rows, task in zip(steps, _versions(number), strict=True):
            rows += stored.tasks.rows({task.key: task})
        for stream, data in (("stdout", b"hello world\n"), ("stderr", b"")):
            output = Output(owner="task", parent_id="job", id=f"t{number}", stream=stream, size=len(data), data=data)
            kept += stored.outputs.rows({output.key: output})
    names = [column.name for column in stored.tasks.table.columns]
    changed = ", ".join(f"{name} = excluded.{name}" for name in names[2:])
    upsert = f"{_insert('tasks', names)} ON CONFLICT (job_id, id) DO UPDATE SET {changed}"
    insert = _insert("outputs", [column.name for column in stored.outputs.table.columns])
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        start = time.process_time()
        for rows in steps:
            _write(connection, upsert, rows, batch)
        if outputs:
            _write(connection, insert, kept, batch)
        return time.process_time() - start


def _insert(name: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _write(connection: sqlite3.Connection, statement: str, rows: list[tuple[Any, ...]], batch: int) -> None:
    for at in range(0, len(rows), batch):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows[at : at + batch])
        connection.execute("COMMIT")


def run(folder: Path, rounds: int, counts: Counts) -> Report:
    runs: list[Run] = []
    bare: list[float] = []
    full: list[float] = []
    for number in range(rounds):
        done = _product(folder / f"scale-{number}", counts.tasks, counts.nodes)
        runs.append(done)
        batch = max(1, round(4 * counts.tasks / done.commits))
        bare.append(_bare(folder / f"scale-bare-{number}.db", counts.tasks, batch, outputs=False) / counts.tasks)
        full.append(_bare(folder / f"scale-full-{number}.db", counts.tasks, batch, outputs=True) / counts.tasks)
    profiled = _product(folder / "scale-profile", counts.profiled, counts.nodes, "--profile")
    return _report(runs, bare, full, profiled)


def _report(runs: list[Run], bare: list[float], full: list[float], profiled: Run) -> Report:
    tasks, nodes = runs[0].tasks, runs[0].nodes
    each = [done.cpu / tasks for done in runs]
    adding = [done.cpu_adding / tasks for done in runs]
    view = [done.cpu_view / tasks for done in runs]
    memory = max(done.memory for done in runs)
    ratio = Spread.of([mine / theirs for mine, theirs in zip(each, bare, strict=True)])
    beside = Spread.of([mine / theirs for mine, theirs in zip(each, full, strict=True)])
    rows = [
        ("ebbtide: engine, core, SQLite journal", each),
        ("  of that, until the tasks are added", adding),
        ("the view of `ebbtide run`, in its own thread", view),
        ("bare SQLite: 1 insert, 3 updates", bare),
        ("bare SQLite: these, and 2 outputs", full),
    ]
    cells = [[name, _us(statistics.median(some)), f"{_us(min(some))}-{_us(max(some))}"] for name, some in rows]
    batch = statistics.median(4 * tasks / done.commits for done in runs)
    speed = statistics.median(tasks / done.seconds for done in runs)
    lines = [
        f"A job of {tasks:,} tasks, all added first, then worked off by {nodes} simulated nodes; {len(runs)} rounds",
        f"({speed:,.0f} tasks/s with the simulated nodes in the same thread; {batch:,.0f} task rows in a commit)",
        "",
        *table(["processor time, us a task", "median", "min-max"], cells),
        "",
        f"Memory: {memory:.0f} MiB at the most; {max(done.memory_before for done in runs):.0f} before the job came",
        "",
        f"The profile of {profiled.tasks:,} tasks, us a task (the profiler itself slows calls down)",
        "",
        *table(["", "own", "with all it calls"], [[h.name, f"{h.own:.1f}", f"{h.all:.1f}"] for h in profiled.hot]),
        "",
    ]
    last = (
        f"{_us(statistics.median(each))} us of processor a task, {ratio} the bare journal's "
        f"({beside} with outputs); {memory:.0f} MiB at the most"
    )
    figures = {
        "rows": [{"name": name.strip(), "count": tasks, "remark": "", "secondsEach": some} for name, some in rows],
        "memoryMiB": memory,
        "profile": msgspec.to_builtins(profiled.hot),
    }
    return Report("scale", lines, figures, last)


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.1f}"
