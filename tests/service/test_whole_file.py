"""A file that appears whole, or stays as it was."""

import os
import stat

import pytest

from service.whole_file import whole_file, write_whole

from .lab.full_disk import needs_mounts, small_disk


@pytest.mark.parametrize("before", [None, b"old"])
def test_it_takes_its_place_at_the_end(tmp_path, before):
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    with whole_file(path) as file:
        file.write(b"new")
        file.flush()
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("reason", [OSError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_one_that_did_not_come_to_its_end(tmp_path, reason):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(reason), whole_file(path) as file:
        file.write(b"ne")
        raise reason
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_who_may_read_it_is_as_of_other_files(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize(("place", "reason"), [("none/file", FileNotFoundError), ("folder", IsADirectoryError)])
def test_an_error_names_the_file(tmp_path, place, reason):
    (tmp_path / "folder").mkdir()
    with pytest.raises(reason) as refused:
        write_whole(tmp_path / place, b"new")
    assert refused.value.filename == str(tmp_path / place)
    assert os.listdir(tmp_path) == ["folder"]


@needs_mounts
def test_on_a_full_disk_the_old_one_stays(tmp_path):
    path = tmp_path / "disk" / "file"
    with small_disk(path.parent, 1) as fill:
        write_whole(path, b"old")
        fill()
        with pytest.raises(OSError, match="No space left") as refused:
            write_whole(path, b"new" * 5000)
        assert refused.value.filename == str(path)
        assert path.read_bytes() == b"old" and sorted(os.listdir(path.parent)) == ["file", "filling"]
