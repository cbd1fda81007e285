"""What is fetched lands where it belongs, once, and nowhere else."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.job_download import download, place_of, wanted_of
from service.tree import Entry, TreeError

EVERY = ("../**", "../.*", ".*")


class Files:
    """The files of a task, in memory. `read`: names that were."""

    node_id: str | None = None
    execution: str | None = None
    top: str | None = None

    def __init__(self, files, modified=1000.25):
        self.files, self.modified, self.read_names = files, modified, []

    def entries(self, folder, recursive, after=""):
        above = f"{folder}/" if folder else ""
        names = sorted(name for name in self.files if name.startswith(above) and name > after)
        found = [Entry(name, False, len(self.files[name]), self.modified, 0o755) for name in names]
        return found[:2], len(found) > 2

    def read(self, path, offset, length):
        self.read_names.append(path)
        if isinstance(self.files[path], str):
            raise TreeError(404, "FileNotFound", "it went")
        return self.files[path][offset : offset + length]


def fetch(target, files, patterns=EVERY, task_id="t"):
    return list(download([(task_id, patterns)], lambda _: files, target))


def held(target):
    return {str(path.relative_to(target)): path.read_bytes() for path in Path(target).rglob("*") if path.is_file()}


def test_again_fetches_only_what_differs(tmp_path):
    files = Files({"stdout.txt": b"out", "stderr.txt": b"", "wd/a/b.csv": b"1,2\n"})
    assert [(each.there, each.error) for each in fetch(tmp_path, files)] == [(False, None)] * 3
    assert held(tmp_path) == {"t/stdout.txt": b"out", "t/stderr.txt": b"", "t/wd/a/b.csv": b"1,2\n"}
    assert (tmp_path / "t/stdout.txt").stat().st_mtime == 1000.25
    assert os.access(tmp_path / "t/stdout.txt", os.X_OK)
    files.read_names.clear()
    assert all(each.there for each in fetch(tmp_path, files))
    assert files.read_names == []
    # another size, a change here, another time there
    files.files["stdout.txt"] = b"out2"
    (tmp_path / "t/wd/a/b.csv").write_bytes(b"5,6\n")
    assert [each.name for each in fetch(tmp_path, files) if not each.there] == ["stdout.txt", "wd/a/b.csv"]
    files.modified = 2000.0
    assert not any(each.there for each in fetch(tmp_path, files))
    assert held(tmp_path) == {"t/stdout.txt": b"out2", "t/stderr.txt": b"", "t/wd/a/b.csv": b"1,2\n"}


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "a/../../x", "..", ".", "a//b", "a/", "wd/\0", "wd/./x", "a\0b", "wd/\ud800"],
)
def test_hostile_names(tmp_path, name):
    """Told as errors; the others are fetched all the same."""
    target = tmp_path / "deep" / "in"
    # the pattern alone would keep some of them out
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.job_download.means", lambda *_: True)
        found = fetch(target, Files({name: b"x", "wd/good": b"y"}))
    assert [each.error is None for each in sorted(found, key=lambda each: each.name == "wd/good")] == [False, True]
    assert held(tmp_path) == {"deep/in/t/wd/good": b"y"}


@pytest.mark.parametrize("task_id", ["..", ".", "", "a/b", "/"])
def test_hostile_ids_of_tasks(tmp_path, task_id):
    (found,) = fetch(tmp_path / "in", Files({"stdout.txt": b"x"}), task_id=task_id)
    assert "is no name of a file" in found.error
    assert held(tmp_path) == {}


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_leads_out(task_id, name):
    """Law: a place is below the folder of its task, or there is none."""
    try:
        place = place_of(Path("/top"), task_id, name)
    except ValueError:
        return
    assert os.path.normpath(place) == str(place)
    assert str(place).startswith(f"/top/{task_id}/")


def test_a_link_in_the_way(tmp_path):
    """A file that is a link is replaced; a folder that leads out is told."""
    elsewhere, target = tmp_path / "elsewhere", tmp_path / "in"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"kept")
    (target / "t").mkdir(parents=True)
    (target / "t" / "wd").symlink_to(elsewhere)
    (target / "t" / "stdout.txt").symlink_to(elsewhere / "precious")
    files = Files({"stdout.txt": b"new", "wd/x": b"y", "wd/o/p/q": b"z"})
    found = {each.name: each.error for each in fetch(target, files)}
    assert found["stdout.txt"] is None and "leads out" in found["wd/x"] and "leads out" in found["wd/o/p/q"]
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]
    assert (elsewhere / "precious").read_bytes() == b"kept"
    assert (target / "t" / "stdout.txt").read_bytes() == b"new"


def test_a_file_where_a_folder_is_to_be(tmp_path):
    found = fetch(tmp_path, Files({"wd/a": b"x", "wd/a/b": b"y"}))
    assert sum(each.error is not None for each in found) == 1
    assert held(tmp_path) == {"t/wd/a": b"x"}


def test_what_cannot_be_read_leaves_nothing_half(tmp_path):
    class Short(Files):
        def read(self, path, offset, length):
            return b"x" if path == "wd/short" and not offset else b""

    (gone,) = fetch(tmp_path, Files({"wd/gone": "gone"}))
    assert gone.error == "FileNotFound: it went"
    (short,) = fetch(tmp_path, Short({"wd/short": b"xyz"}))
    assert "became shorter" in short.error
    assert held(tmp_path) == {}


def test_a_task_that_cannot_be_had(tmp_path):
    def tree(task_id: str) -> Any:
        if task_id == "lost":
            raise TreeError(409, "TaskFilesUnavailable", "not now")
        return Files({"stdout.txt": task_id.encode()})

    found = list(download([(each, EVERY) for each in ("a", "lost", "b")], tree, tmp_path))
    assert sorted((each.task_id, each.error) for each in found if each.error) == [
        ("lost", "TaskFilesUnavailable: not now")
    ]
    assert held(tmp_path) == {"a/stdout.txt": b"a", "b/stdout.txt": b"b"}


def test_many_tasks_are_fetched_at_a_time(tmp_path):
    ids = [f"t{number}" for number in range(200)]

    def tree(task_id: str) -> Any:
        return Files({"stdout.txt": task_id.encode()})

    list(download([(each, EVERY) for each in ids], tree, tmp_path))
    assert held(tmp_path) == {f"{each}/stdout.txt": each.encode() for each in ids}


def test_what_is_wanted():
    output = {"filePattern": "out/**", "destination": {}}
    assert wanted_of({"id": "t"}, ()) == ("../stdout.txt", "../stderr.txt")
    assert wanted_of({"id": "t", "outputFiles": [output]}, ()) == ("../stdout.txt", "../stderr.txt", "out/**")
    assert wanted_of({"id": "t", "outputFiles": [output]}, ("*.csv",)) == ("*.csv",)
    assert wanted_of({"id": "t", "outputFiles": [{"filePattern": "/abs"}]}, ()) == wanted_of({"id": "t"}, ())
