"""Output files in a folder of the task's own are among its files when its node is gone."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from runner import LocalStore, Output, OutputFile, OutputStore, StoreError, put_blob
from runner.task_spec import OutputFileContainer, OutputFileDestination
from service.kept_tree import Kept
from service.stored_files import StoredFiles, places_of
from service.tree import TreeError


def task(*urls, pattern="*", path=None):
    to = [OutputFileDestination(container=OutputFileContainer(container_url=url, path=path)) for url in urls]
    files = tuple(OutputFile(file_pattern=pattern, destination=each) for each in to)
    return SimpleNamespace(job_id="j", id="t", spec=SimpleNamespace(output_files=files))


@pytest.mark.parametrize(
    ("of", "places"),
    [
        (task("storage://outputs/j/t"), ["storage://outputs/j/t"]),
        (task("storage://outputs/j/t/", "storage://outputs/j/t"), ["storage://outputs/j/t"]),
        (task("storage://mine/runs/j/t"), ["storage://mine/runs/j/t"]),
        (task("STORAGE://mine/j/t", pattern="out/**"), ["storage://mine/j/t"]),
        # those of others may be there as well
        (task("storage://outputs"), []),
        (task("storage://outputs/j"), []),
        (task("storage://outputs/xj/t"), []),
        (task("storage://outputs/j/t/deeper"), []),
        (task("storage://outputs/J/t"), []),
        # called otherwise than on the node
        (task("storage://outputs/j/t", path="x"), []),
        (task("storage://outputs/j/t", pattern="../std*.txt"), []),
        (task("https://example.org/j/t"), []),
    ],
)
def test_folders_of_its_own(of, places):
    assert [str(each) for each in places_of(of)] == places


@pytest.fixture
def store(tmp_path):
    store = LocalStore(tmp_path / "store")
    for name in ("j/t/a", "j/t/out/b", "j/t2/x", "j/tt", "j/t/old", "other/a"):
        put_blob(store, "outputs", name, [name.encode()])
    old = store.file("outputs", "j/t/old")
    assert old is not None
    os.utime(old, (1000.0, 1000.0))
    return store


def test_files_of_the_last_attempt(store):
    files = StoredFiles(store, places_of(task("storage://outputs/j/t")), since=2000.0)
    assert [(name, blob.size) for name, blob in files] == [("wd/a", 5), ("wd/out/b", 9)]
    assert files.read("wd/out/b", 4, 3) == b"out"
    assert files.read("wd/out/b", 4, 100) == b"out/b"
    assert files.read("wd/out/b", 9, 1) == b""
    for name in ("wd/old", "a", "wd/none", "wd/", "wd/../t2/x", "stdout.txt", ""):
        assert files.find(name) is None
        assert files.read(name, 0, 1) == b""


def test_a_store_that_holds_nothing(tmp_path):
    files = StoredFiles(LocalStore(tmp_path), places_of(task("storage://none/j/t")), since=0.0)
    assert (list(files), files.find("wd/a")) == ([], None)


class Broken:
    """A store that cannot be reached."""

    def page(self, *_):
        raise StoreError("InternalError", "no answer")

    stat = page


def test_beside_what_was_printed(store):
    """As a tree: the folders, and every file once."""
    printed = Output(owner="task", parent_id="j", id="t", attempt=1, stream="stdout", size=2, data=b"hi")
    files = StoredFiles(store, places_of(task("storage://outputs/j/t")), since=2000.0)
    outputs = OutputStore(store.file("outputs", "j/t/a").parent)
    kept = Kept({"stdout.txt": printed}, outputs, 3000.0, "gone", stored=files)
    names = lambda folder, recursive: [each.name for each in kept.entries(folder, recursive)[0]]  # noqa: E731
    assert names("", False) == ["stdout.txt", "wd"]
    assert names("", True) == ["stdout.txt", "wd/a", "wd/out/b"]
    assert names("wd", False) == ["wd/a", "wd/out"]
    assert [each.name for each in kept.entries("", True, "wd/a")[0]] == ["wd/out/b"]
    assert (kept.entry("wd/a").size, kept.read("wd/out/b", 0, 3), kept.read("stdout.txt", 0, 9)) == (5, b"j/t", b"hi")
    assert kept.read("wd/a", 5, 9) == b""
    assert (kept.has("wd/a"), kept.has("wd/none")) == (True, False)
    with pytest.raises(TreeError, match="cannot be had: gone"):
        kept.entry("wd/none")
    with pytest.raises(TreeError, match="cannot be had: gone"):
        kept.read("wd/old", 0, 1)


def test_a_store_that_does_not_answer():
    nothing: Any = None
    broken: Any = Broken()
    stored = StoredFiles(broken, places_of(task("storage://outputs/j/t")), 0.0)
    kept = Kept({}, nothing, 0.0, "gone", stored=stored)
    for ask in (lambda: kept.entries("", True), lambda: kept.entry("wd/a"), lambda: kept.read("wd/a", 0, 1)):
        with pytest.raises(TreeError, match="the object store: no answer") as refused:
            ask()
        assert (refused.value.status, refused.value.code) == (409, "TaskFilesUnavailable")
