"""A controller that is killed while it commits leaves whole batches; readers see no others either."""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from runner import Journal, open_journal

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
    assert version(journal) >= max(seen) > before
    journal.commit([put(job(version=10**6))])
    assert journal.job("job") == job(version=10**6)
    journal.close()
