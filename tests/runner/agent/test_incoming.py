"""A file that is being received is not there before it is whole, and nothing is left of one that never was."""

import os
from pathlib import Path

import pytest

from runner.agent.incoming import Incoming


@pytest.fixture(params=["nameless", "named"])
def nameless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param == "named":
        monkeypatch.setattr(os, "O_TMPFILE", 0)  # as if the file system could not do it: a folder is no file
    return bool(request.param == "nameless")


@pytest.mark.parametrize("before", [None, b"older"])
def test_it_appears_whole(tmp_path: Path, nameless: bool, before: bytes | None) -> None:
    place = tmp_path / "a/b"
    if before is not None:
        place.parent.mkdir()
        place.write_bytes(before)
    file = Incoming(str(tmp_path), ["a", "b"])
    file.write(b"new")
    assert len(os.listdir(place.parent)) == (before is not None) + (not nameless)
    assert not place.exists() if before is None else place.read_bytes() == before
    file.publish(0o640)
    file.close()
    assert os.listdir(place.parent) == ["b"]
    assert (place.read_bytes(), place.stat().st_mode & 0o777, place.stat().st_nlink) == (b"new", 0o640, 1)


def test_nothing_is_left_of_what_was_not_published(tmp_path: Path, nameless: bool) -> None:
    (tmp_path / "folder").mkdir()
    for publish in (False, True):
        file = Incoming(str(tmp_path), ["folder"])
        file.write(b"half")
        if publish:
            with pytest.raises(IsADirectoryError):
                file.publish(0o644)
        file.close()
        assert os.listdir(tmp_path) == ["folder"]
