"""Task outcomes a second into the SQLite journal, beside the bare driver writing rows of the same content."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

import msgspec

from pools import Change
from runner import Output, Task, TaskSpec, TaskState, open_journal
from runner.task_spec import packed

from .cpu import Measured, Stopwatch
from .report import Report, table
from .rounds import Row, Spread, run_rounds

BATCHES = (1, 10, 100, 1000)
NOW = 1_750_000_000.0

#: What is committed when a task ends: its record, and two outputs.
Outcome = tuple[Change, Change, Change]


def _outcome(number: int) -> Outcome:
    task = Task(
        job_id="job",
        id=f"t{number}",
        uid=f"{number:012x}",
        sequence=number,
        raw_spec=packed(TaskSpec(id=f"t{number}", command_line="true")),
        state=TaskState.COMPLETED,
        exit_code=0,
        created=NOW,
        modified=NOW + 1,
        state_time=NOW + 1,
    )
    stdout, stderr = (
        Output(owner="task", parent_id="job", id=task.id, stream=stream, size=0, data=b"")
        for stream in ("stdout", "stderr")
    )
    return (
        Change("tasks", task.key, task),
        Change("outputs", stdout.key, stdout),
        Change("outputs", stderr.key, stderr),
    )


def _journal(path: Path, outcomes: Sequence[Outcome], batch: int) -> Measured:
    with closing(open_journal(f"sqlite:///{path}")) as journal:
        todo = iter(outcomes)
        watch = Stopwatch()
        while some := list(islice(todo, batch)):
            journal.commit(list(chain.from_iterable(some)))
        return watch.stop()


def _bare(path: Path, outcomes: Sequence[Outcome], batch: int) -> Measured:
    """One table of keys and ready-made bodies: nothing is encoded while the time runs."""
    rows = [("/".join(map(str, change.key)), msgspec.json.encode(change.record)) for o in outcomes for change in o]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE kept (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID")
        todo = iter(rows)
        watch = Stopwatch()
        while some := list(islice(todo, 3 * batch)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", some)
            connection.execute("COMMIT")
        return watch.stop()


def run(folder: Path, rounds: int, count: int) -> Report:
    outcomes = [_outcome(number) for number in range(count)]

    def row(name: str, way: Callable[[Path, Sequence[Outcome], int], Measured], batch: int) -> Row:
        # one by one takes long enough with fewer
        some = outcomes[: max(1, count // 10)] if batch == 1 else outcomes
        return Row(name, len(some), lambda n: way(folder / f"{name}-{batch}-{n}.db", some, batch))

    pairs = [(row("journal", _journal, batch), row("sqlite3", _bare, batch)) for batch in BATCHES]
    run_rounds(list(chain.from_iterable(pairs)), rounds)
    cells = []
    for batch, (ours, bare) in zip(BATCHES, pairs, strict=True):
        each = [f"{1 / ours.median:,.0f}", f"{ours.median * 1e6:.1f}", f"{bare.median * 1e6:.1f}"]
        cells.append([f"{batch} in a commit", *each, str(Spread.of(bare.ratios(ours)))])
    lines = [
        f"Outcomes (a task's record, two empty outputs) into the journal; {rounds} rounds, medians",
        "",
        *table(["", "outcomes/s", "us each", "bare sqlite3, us", "cost in bare sqlite3"], cells),
        "",
    ]
    figures = {
        "rows": [
            {"name": r.name, "batch": batch, "count": r.count, "secondsEach": r.each}
            for batch, pair in zip(BATCHES, pairs, strict=True)
            for r in pair
        ]
    }
    ours, bare = pairs[-1]
    last = f"{1 / ours.median:,.0f} outcomes/s in commits of {BATCHES[-1]}, {Spread.of(bare.ratios(ours))}"
    return Report("journal", lines, figures, f"{last} the cost of bare sqlite3")
