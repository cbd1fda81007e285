"""A controller that is killed while it commits leaves whole batches; readers see no others either."""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from runner import Journal, open_journal

from ..agent.node import wait_until
from .records import job, put

SIZE = 300
DEADLINE = 60.0


def version(journal: Journal) -> int:
    """Of the last whole batch. Fails if there is half a one."""
    stored = journal.load(0)
    if not stored.jobs:
        assert not stored.tasks
        return 0
    found = stored.jobs["job"].version
    assert {task.version for task in stored.tasks.values()} == {found}
    assert len(stored.tasks) == SIZE
    return found


def sessions(journal: Journal) -> int:
    """How many clients this database has on its server."""
    clients = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND client_port IS NOT NULL"
    with journal._reading() as connection:
        return int(connection.execute(text(clients)).scalar_one())


@contextmanager
def writer(url: str):
    command = [sys.executable, "-m", "tests.runner.store.batch_writer", url, str(SIZE)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("batches", [1, 4])
def test_whole_batches_only(url, batches):
    journal = open_journal(url)
    before = version(journal)
    with writer(url) as process:
        seen: set[int] = set()
        deadline = time.monotonic() + DEADLINE
        while len(seen) <= batches:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline, f"saw {seen} only"
            seen.add(version(journal))
        process.kill()
        process.wait()
    journal.close()

    journal = open_journal(url)
    if url.startswith("postgresql"):
        wait_until(lambda: sessions(journal) == 1)  # the server may still be at what the writer sent last
    assert version(journal) >= max(seen) > before
    journal.commit([put(job(version=10**6))])
    assert journal.job("job") == job(version=10**6)
    journal.close()
