"""Tasks are counted by SQL, as the records say it."""

from typing import Any

import pytest

from pools import ExecutionResult
from runner import Journal, TaskState, tables, task_store

from .records import job, put, task

DONE: dict[str, Any] = {"state": TaskState.COMPLETED, "end_time": 1.0}
TASKS = [
    task("waits", sequence=1),
    task("waits wide", sequence=2, slots=4),
    task("prepares", sequence=3, state=TaskState.PREPARING, node_id="n"),
    task("runs", sequence=4, state=TaskState.RUNNING, node_id="n", slots=2),
    task("good", sequence=5, **DONE, result=ExecutionResult.SUCCESS, slots=3),
    task("bad", sequence=6, **DONE, result=ExecutionResult.FAILURE),
    task("bad wide", sequence=7, **DONE, result=ExecutionResult.FAILURE, slots=5),
    task("elsewhere", "other", sequence=8, slots=9),
]


@pytest.fixture
def filled(journal: Journal) -> Journal:
    journal.commit([put(job()), put(job("other")), put(job("empty")), *map(put, TASKS)])
    return journal


def test_counts(filled: Journal) -> None:
    assert filled.task_queries.counts() == {
        "job": {"active": 2, "preparing": 1, "running": 1, "succeeded": 1, "failed": 2},
        "other": {"active": 1},
    }


def test_slots(filled: Journal) -> None:
    slots = {"active": 5, "preparing": 1, "running": 2, "succeeded": 3, "failed": 6}
    assert filled.task_queries.slots("job") == slots
    assert filled.task_queries.slots("other") == {"active": 9}
    assert filled.task_queries.slots("empty") == {}


def test_few_of_many_are_found_bit_by_bit(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever asks may stop in between; what is in the order of ids, and what is none, is told."""
    monkeypatch.setattr(task_store, "_SOME", 2)
    monkeypatch.setattr(task_store, "_FAST", 0.0)
    made = [task(f"t{number:02}", sequence=number, exit_code=number % 10) for number in range(30)]
    journal.commit([put(job()), *map(put, made)])
    queries = journal.task_queries
    found = list(queries.after("job", "t01", [queries.integer("exit_code") == 3], 100))
    assert [key for key, each in found if each is not None] == ["t03", "t13", "t23"]
    assert all(each is None or each.id == key for key, each in found)
    looked = [key for key, _ in found]
    assert looked == sorted(looked) and len(looked) >= 6
    only = list(queries.after("job", "", [tables.tasks.c.id == "t13"], 100, only="t13"))
    assert [(key, each is not None) for key, each in only] == [("t13", True)]
    assert [key for key, _ in queries.after("job", "t27", (), 1)] == ["t28", "t29"]
