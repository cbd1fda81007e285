"""A full disk is an error with a cure: nothing of the batch is there, and it can be written again."""

import resource
import subprocess
import tempfile
from pathlib import Path

import pytest

from runner import JournalError, open_journal

from .records import put, task

LINE = "x" * 1000


def batch(number):
    return [put(task(f"{number}-{i}", job_id=str(number), sequence=i, last_node_id=LINE)) for i in range(50)]


def commit_until_it_fails(journal, match):
    """The number of the batch that failed."""
    for number in range(1000):
        try:
            journal.commit(batch(number))
        except JournalError as exc:
            assert match in str(exc)
            assert "ebbtide.db" in str(exc)
            return number
    raise AssertionError("the disk never was full")


def check(journal, failed):
    """What was committed is there, of the failed batch nothing."""
    assert len(journal.load(0).tasks) == 50 * failed
    assert journal.tasks(str(failed)) == []


@pytest.fixture
def small_disk():
    folder = Path(tempfile.mkdtemp())
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    # lazily: a test that failed may still hold the file
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


def test_no_space_left(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    journal = open_journal(f"sqlite:///{small_disk}/ebbtide.db")
    failed = commit_until_it_fails(journal, "free space")
    check(journal, failed)
    with pytest.raises(JournalError, match="free space"):
        journal.commit(batch(failed))
    ballast.unlink()
    journal.commit(batch(failed))
    assert len(journal.tasks(str(failed))) == 50
    journal.close()


def test_file_may_not_grow(tmp_path):
    journal = open_journal(f"sqlite:///{tmp_path}/ebbtide.db")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        failed = commit_until_it_fails(journal, "see whether the disk is full")
        check(journal, failed)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.commit(batch(failed))
    assert len(journal.tasks(str(failed))) == 50
    journal.close()
