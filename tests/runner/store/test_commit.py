"""A batch is written whole or not at all; what was written is read back, in order, by whoever asks."""

import threading

import pytest
from sqlalchemy import create_engine, text

from pools import Change, RecordedRun, Sample, database
from runner import JournalError, open_journal

from .records import NOW, gone, job, pool, put, task


def test_insert_update_delete(journal):
    journal.commit([put(task("a")), put(task("b", sequence=2))])
    journal.commit([put(task("a", version=2, exit_code=7)), gone(task("b")), put(task("c", sequence=3))])
    assert journal.tasks("job") == [task("a", version=2, exit_code=7), task("c", sequence=3)]
    journal.commit([gone(task("never"))])
    journal.commit([])
    assert set(journal.load(0).tasks) == {("job", "a"), ("job", "c")}


def test_the_last_change_of_a_record_counts(journal):
    journal.commit([gone(job()), put(job(version=2)), put(pool()), gone(pool())])
    assert journal.jobs() == [job(version=2)]
    assert journal.pools() == []


def test_one_bad_row_and_nothing_is_written(journal):
    journal.commit([put(job()), put(task("old"))])
    bad = task("bad", sequence=3, created=None)  # a column that may not be empty
    with pytest.raises(JournalError, match="created"):
        journal.commit([put(pool()), gone(job()), put(task("old", version=2)), put(task("new")), put(bad)])
    stored = journal.load(0)
    assert (stored.pools, stored.jobs, stored.tasks) == ({}, {"job": job()}, {("job", "old"): task("old")})
    journal.commit([put(task("old", version=2))])
    assert journal.tasks("job") == [task("old", version=2)]


def test_an_unknown_table_is_a_mistake_of_the_program(journal):
    with pytest.raises(KeyError):
        journal.commit([put(job()), Change("toolboxes", "x", job())])
    assert journal.jobs() == []


def test_samples_are_loaded_in_time_order_and_pruned(journal):
    times = [NOW + offset for offset in (60, 0, 90, 30)]
    samples = [Sample(pool_id, time, {"$PendingTasks": 1.0}) for time in times for pool_id in ("p", "q")]
    runs = [RecordedRun("p", time, "$TargetDedicatedNodes=0") for time in times]
    journal.commit([put(record) for record in [*samples, *runs]])
    assert [sample.time - NOW for sample in journal.load(NOW + 30).samples] == [30, 30, 60, 60, 90, 90]
    for table, old in (("samples", 4), ("autoscale_runs", 2), ("boots", 0)):
        assert journal.forgetting.forget_older(table, NOW + 60, dry_run=True) == old
        assert journal.forgetting.forget_older(table, NOW + 60) == old
        assert journal.forgetting.forget_older(table, NOW + 60) == 0
    assert [sample.time - NOW for sample in journal.load(0).samples] == [60, 60, 90, 90]
    assert [run.timestamp - NOW for run in journal.autoscale_runs("p")] == [60, 90]
    assert journal.autoscale_runs("q") == []
    assert len(journal.autoscale_runs()) == 2


def test_readers_answer_in_a_useful_order(journal):
    journal.commit([put(job("z")), put(job("a", created=NOW + 1)), put(pool("q")), put(pool("p"))])
    journal.commit([put(task("x", sequence=2)), put(task("y", sequence=1)), put(task("x", job_id="other"))])
    assert [found.id for found in journal.jobs()] == ["z", "a"]
    assert journal.job("a") == job("a", created=NOW + 1)
    assert journal.job("b") is None
    assert [found.id for found in journal.pools()] == ["p", "q"]
    assert [found.id for found in journal.tasks("job")] == ["y", "x"]
    assert journal.nodes() == []


def test_many_threads(journal):
    failed = []

    def work(name: str) -> None:
        try:
            for number in range(20):
                journal.commit([put(task(f"{name}{number}", sequence=number)), put(job(version=number))])
                assert len(journal.tasks("job")) > number
        except BaseException as exc:
            failed.append(exc)
            raise

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert len(journal.tasks("job")) == 80


def test_a_record_of_another_time_is_named(journal, url):
    journal.commit([put(job())])
    with journal._writing() as connection:
        connection.execute(text("UPDATE jobs SET body = '{\"id\": 7}'"))
    with pytest.raises(JournalError, match=r"ebbtide.*table jobs: .*backup"):
        journal.load(0)


def test_somebody_else_holds_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.05)
    journal = open_journal(f"sqlite:///{tmp_path}/x.db")
    other = create_engine(f"sqlite:///{tmp_path}/x.db")
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match="another process writes to it"):
            journal.commit([put(job())])
        connection.rollback()
    journal.commit([put(job())])
    assert journal.jobs() == [job()]
    journal.close()
    other.dispose()


def test_postgresql_went_away_and_came_back(postgresql):
    url = postgresql.new_database()
    journal, other = open_journal(url), open_journal(url)
    journal.commit([put(job())])
    with other._writing() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    with pytest.raises(JournalError, match="whether PostgreSQL runs"):
        journal.commit([put(job(version=2))])
    journal.commit([put(job(version=2))])
    assert journal.jobs() == [job(version=2)]
    journal.close()
    other.close()
