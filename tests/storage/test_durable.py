"""A name is on the disk before anybody is told of it: its folder is synced after the rename, and new folders too."""

import os

import pytest

from runner import LocalStore, OutputStore, PackageStore, put_blob
from runner.durable import make_folder


@pytest.fixture
def synced(monkeypatch):
    """Paths in the order in which they were synced, with what they held then."""
    said, real = [], os.fsync

    def fsync(descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        said.append((path, sorted(os.listdir(path)) if os.path.isdir(path) else None))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return said


def by_output_store(folder):
    def fetch(offset, length, file):
        file.write(b"abc")

    OutputStore(folder).keep("u-1", "stdout", 3, fetch)
    return "u-1.stdout"


def by_package_store(folder):
    (folder.parent / "source").mkdir()
    package = PackageStore(folder).add("a", "1", folder.parent / "source", 0.0)
    return f"{package.sha256}.zip"


@pytest.mark.parametrize("store", [by_output_store, by_package_store])
def test_files(tmp_path, synced, store):
    folder = tmp_path / "kept"
    name = store(folder)
    assert synced[-1] == (str(folder), [name])
    assert (str(tmp_path), None) not in synced and "kept" in dict(synced)[str(tmp_path)]


def test_blobs_and_the_folders_of_their_names(tmp_path, synced):
    put_blob(LocalStore(tmp_path / "store"), "box", "a/b", [b"abc"])
    folders = dict(synced)
    made = [path for path in folders if path.startswith(str(tmp_path / "store" / "box")) or path == str(tmp_path)]
    assert len(made) == 3, synced
    assert synced[-1][1], "the folder of the blob comes last, with its name in it"


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "a")
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        make_folder(tmp_path / "a" / "b")
