"""Tasks are counted by SQL, as the records say it."""

from typing import Any

import pytest
from sqlalchemy import event

from pools import ExecutionResult
from runner import Journal, JournalError, TaskState, tables, task_store
from runner.task_store import JobSums

from .records import NOW, job, put, task

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


@pytest.mark.parametrize("at_a_time", [1, 3, len(TASKS) - 1, len(TASKS)])
def test_counts_and_slots_of_a_job(filled: Journal, monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    monkeypatch.setattr(task_store, "_MANY", at_a_time)
    counts = {"active": 2, "preparing": 1, "running": 1, "succeeded": 1, "failed": 2}
    slots = {"active": 5, "preparing": 1, "running": 2, "succeeded": 3, "failed": 6}
    assert filled.task_queries.counts_of("job") == (counts, slots)
    assert filled.task_queries.counts_of("other") == ({"active": 1}, {"active": 9})
    assert filled.task_queries.counts_of("empty") == ({}, {})


@pytest.mark.parametrize("at_a_time", [1, 2, 4, 5])
def test_sums_of_a_job(journal: Journal, monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    monkeypatch.setattr(task_store, "_MANY", at_a_time)
    good, bad = ({**DONE, "result": each} for each in (ExecutionResult.SUCCESS, ExecutionResult.FAILURE))
    ran = {"start_time": NOW + 2.0, "end_time": NOW + 5.0}
    made = [
        task("waits", sequence=1),
        task("runs", sequence=2, state=TaskState.RUNNING, node_id="n", start_time=NOW + 1.0, retry_count=2),
        task("good", sequence=3, **{**good, **ran}, retry_count=1),
        task("bad", sequence=4, **{**bad, **ran}),
        task("never ran", sequence=5, **bad),
    ]
    journal.commit([put(job()), put(job("empty")), *map(put, made)])
    assert journal.task_queries.sums("job") == JobSums(succeeded=1, failed=2, retries=3, ran=6.0, waited=5.0)
    assert journal.task_queries.sums("empty") == JobSums(0, 0, 0, 0.0, 0.0)


def test_what_is_counted_for_nobody_ends_early(filled: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_store, "_MANY", 2)
    for count in (filled.task_queries.counts_of, filled.task_queries.sums):
        asked = iter([False, False, True])
        with pytest.raises(JournalError, match="nobody waits"):
            count("job", lambda asked=asked: next(asked))  # type: ignore[misc]
        assert list(asked) == [], "twice was looked at two"


@pytest.mark.parametrize(
    ("states", "indexed"), [(("running",), True), (("active", "preparing"), True), (("failed",), False)]
)
def test_open_tasks_are_found_by_an_index(filled: Journal, states: tuple[str, ...], indexed: bool) -> None:
    """However many are completed, whose records are not read."""
    said: list[tuple[str, Any]] = []
    engine = filled.task_queries._engine
    if engine.dialect.name != "sqlite":
        pytest.skip("what PostgreSQL does depends on how much there is")
    note = lambda _, __, statement, parameters, *___: said.append((statement, parameters))  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    filled.task_queries.find(states=states)
    event.remove(engine, "before_cursor_execute", note)
    statement, parameters = next(each for each in said if each[0].startswith("SELECT"))
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert any("tasks_by_done (done=?)" in row[3] for row in plan) == indexed, plan


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
