"""Records where nothing can be written, as of a backup: they can be read, and nothing is made beside them."""

import pytest

from runner import JournalError, open_journal

from .records import put, task
from .shut_folder import shut_folder


@pytest.fixture
def written(tmp_path):
    """An open journal, whose one task is in the write-ahead log, and its folder."""
    folder = tmp_path / "written"
    folder.mkdir()
    journal = open_journal(f"sqlite:///{folder}/ebbtide.db")
    journal.commit([put(task("kept"))])
    yield journal, folder
    journal.close()


@pytest.mark.parametrize("killed", [False, True])
def test_what_is_there_can_be_read(tmp_path, written, killed):
    journal, folder = written
    if not killed:
        journal.close()
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == (3 if killed else 1)
    with shut_folder(tmp_path / "a #1 & only", folder.iterdir()) as archive:
        reading = open_journal(f"sqlite:///{archive}/ebbtide.db", upgrade=False)
        assert [each.id for each in reading.tasks("job")] == ["kept"]
        with pytest.raises(JournalError, match=r"readonly database; make the file and its folder writable"):
            reading.commit([put(task("more"))])
        reading.close()
        assert sorted(path.name for path in archive.iterdir()) == names


def test_a_log_that_cannot_be_taken_over_there_is_refused_with_the_cure(tmp_path, written):
    _, folder = written
    said = r"ebbtide\.db: its folder is read-only, and what is in ebbtide\.db-wal .* copy the folder"
    with (
        shut_folder(tmp_path / "archive", folder.glob("*[bl]")) as archive,
        pytest.raises(JournalError, match=said),
    ):
        open_journal(f"sqlite:///{archive}/ebbtide.db", upgrade=False)
