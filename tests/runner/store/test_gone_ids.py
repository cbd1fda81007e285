"""Ids of what is gone on purpose, on each database."""

import pytest
from alembic import command
from sqlalchemy import text

from pools import Ledger, open_database
from runner import forgotten, migrations, open_journal
from runner.gone_ids import Gone, GoneIds

from .records import NOW, job, put, task


@pytest.fixture
def commit(journal):
    """What the core would have committed of these: call it with what is done to the ids."""

    def did(*acts):
        ledger = Ledger()
        gone = GoneIds(ledger)
        for act in acts:
            act(gone)
        journal.commit(ledger.take())

    return did


def deleted(job_id, *task_ids):
    return lambda gone: [gone.deleted((job_id, task_id), NOW) for task_id in task_ids]


def jobs(journal):
    return set(journal.load(0.0).gone)


def test_tasks_that_were_deleted(journal, commit):
    commit(deleted("Job", "T1", "t2"), deleted("job2", "T1"))
    commit(deleted("Job", "T1", "T2"))  # made again, and deleted again
    assert journal.deleted_tasks("jOB") == {"t1", "t2"}
    assert journal.deleted_tasks("job2") == {"t1"}
    assert journal.deleted_tasks("jo") == set()
    assert jobs(journal) == set()


def test_a_job_goes_with_what_is_known_of_its_tasks(journal, commit):
    commit(deleted("Job", "t1"), deleted("job-2", "t1"))
    commit(lambda gone: gone.purge("JOB"), lambda gone: gone.forgotten(job("Job", declared=True), NOW))
    assert journal.load(0.0).gone == {("job", ""): Gone(job_id="Job", time=NOW)}
    assert journal.deleted_tasks("job") == set()
    assert journal.deleted_tasks("job-2") == {"t1"}
    commit(lambda gone: gone.purge("job"))
    assert jobs(journal) == set()


@pytest.mark.parametrize(("declared", "left"), [(True, {("job", "")}), (False, set())])
def test_a_job_that_is_forgotten_without_a_core(journal, commit, declared, left):
    commit(deleted("Job", "t1"))
    journal.commit(forgotten(job("Job", declared=declared), NOW))
    assert jobs(journal) == left
    assert journal.deleted_tasks("job") == set()


def test_a_state_from_before_they_were_kept(url, monkeypatch):
    upgrade = command.upgrade
    engine = open_database(url)
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _: upgrade(config, "0004"))
        migrations.upgrade(engine)
    with engine.connect() as connection, pytest.raises(Exception, match="gone"):
        connection.execute(text("SELECT * FROM gone"))
    engine.dispose()
    opened = open_journal(url)
    opened.commit([put(job()), put(task())])
    assert (jobs(opened), opened.deleted_tasks("job")) == (set(), set())
    opened.commit(forgotten(job(declared=True), NOW))
    assert jobs(opened) == {("job", "")}
    opened.close()
