"""What was committed is what is read, for every kind of record and every field."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pools import Change, CountingIds, Deployment, Prefix
from runner import Core, CoreSettings, Journal, Output, TaskState
from runner.store import ALL

from .records import KEYS, NOW, any_of, gone, job, put, task


def test_there_is_a_table_for_everything_that_the_core_changes():
    core = Core(CoreSettings(), Deployment("0" * 12, ""), CountingIds())
    ctx = core.ctx
    logs = {each.name for each in (ctx.runs, ctx.passes, ctx.boots, ctx.samples, core.tasks.outputs)}
    assert {*core.tables(), *logs} == set(ALL) == set(KEYS)
    assert [kept.record for kept in ALL.values()] == [KEYS[name][0] for name in ALL]


@pytest.mark.parametrize("table", KEYS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_field_comes_back(journal, table, data):
    record = data.draw(any_of(KEYS[table][0]))
    journal.commit([put(record)])
    with journal._reading() as connection:
        assert ALL[table].read(connection) == [record]
    journal.commit([gone(record)])
    with journal._reading() as connection:
        assert ALL[table].read(connection) == []


@pytest.fixture
def columns(journal: Journal) -> Iterator[object]:
    def read(table: str, *names: str) -> list[tuple[object, ...]]:
        of = ALL[table].table.c
        with journal._reading() as connection:
            return [tuple(row) for row in connection.execute(select(*(of[name] for name in names)))]

    yield read


def test_columns_repeat_the_record(journal, columns):
    journal.commit([put(job(schedule_id="s", version=3)), put(task(state=TaskState.RUNNING, sequence=2**40))])
    assert columns("jobs", "id", "pool_id", "schedule_id", "priority", "state", "version", "created") == [
        ("job", "pool", "s", 7, "active", 3, NOW)
    ]
    assert columns("tasks", "job_id", "id", "sequence") == [("job", "task", 2**40)]


def test_data_of_outputs_is_kept_as_it_is_and_once(journal, columns):
    blob = bytes(range(256))
    whose: dict[str, Any] = {"owner": "task", "parent_id": "job", "id": "task"}
    outputs = [
        Output(**whose, stream="stdout", size=256, data=blob),
        Output(**whose, stream="stderr", size=0, data=b""),
        Output(**{**whose, "id": "big"}, stream="stdout", size=10**12, file="big.stdout"),
    ]
    journal.commit([put(output) for output in outputs])
    found = [journal.output("task", "job", output.id, output.stream, output.attempt) for output in outputs]
    assert found == outputs
    assert journal.output("task", "job", "other", "stdout") is None
    assert journal.output("task", "job", "task", "stdout", attempt=1) is None
    assert journal.output_files() == {"big.stdout"}
    assert not [body for (body,) in columns("outputs", "body") if "data" in body]


def test_each_attempt_has_its_own_output(journal):
    whose: dict[str, Any] = {"owner": "task", "parent_id": "job", "id": "task"}
    first = Output(**whose, attempt=1, stream="stdout", size=3, data=b"abc")
    error = Output(**whose, attempt=1, stream="stderr", size=1, data=b"!")
    tenth = Output(**whose, attempt=10, stream="stdout", size=0, data=b"")
    journal.commit([put(each) for each in (first, error, tenth)])
    assert journal.output("task", "job", "task", "stdout") == tenth
    assert journal.output("task", "job", "task", "stderr") == error  # the last that there is
    assert journal.output("task", "job", "task", "stdout", 1) == first
    assert journal.output_sizes("task", "job", "task") == {1: {"stderr": 1, "stdout": 3}, 10: {"stdout": 0}}
    journal.commit([gone(first)])
    assert journal.output_sizes("task", "job", "task") == {1: {"stderr": 1}, 10: {"stdout": 0}}
    journal.commit([Change("outputs", Prefix(("task", "job", "task")), None)])
    assert journal.output_sizes("task", "job", "task") == {}
