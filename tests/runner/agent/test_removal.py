"""Folders of tasks on a node: told with their age, and removed only as they were told."""

import os
import time
from pathlib import Path

import pytest

from runner.agent.confine import PathRefused
from runner.agent.removal import folders, remove


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".ebbtide").mkdir()
    return tmp_path


def made(root: Path, task: str, job="workitems/j/job-1", age=1000.0) -> Path:
    folder = root / job / task
    (folder / "wd").mkdir(parents=True)
    (folder / "stdout.txt").write_text("out")
    then = time.time() - age
    for path in (folder / "stdout.txt", folder / "wd", folder):
        os.utime(path, (then, then))
    return folder


def told(root):
    return {each["id"]: each for each in folders(str(root))["folders"]}


def test_folders_are_told_oldest_first(root):
    made(root, "young", age=10.0)
    made(root, "old", "workitems/s/job-2", age=5000.0)
    (root / "workitems/j/job-1/file").write_text("no folder")
    (root / "workitems/j/job-1/link").symlink_to(root)
    found = folders(str(root))
    assert [(each["job"], each["id"]) for each in found["folders"]] == [
        ("workitems/s/job-2", "old"),
        ("workitems/j/job-1", "young"),
    ]
    assert found["folders"][0]["age"] == pytest.approx(5000.0, abs=60.0)
    assert 0.0 <= found["free"] <= 1.0


@pytest.mark.parametrize("inner", ["", "wd", "stdout.txt"])
def test_age_counts_from_the_last_change(root, inner):
    folder = made(root, "t", age=5000.0)
    os.utime(folder / inner)
    assert told(root)["t"]["age"] < 60.0


def test_a_folder_goes_wholly(root):
    folder = made(root, "t")
    locked = folder / "wd" / "locked"
    locked.mkdir()
    (locked / "file").write_text("x")
    locked.chmod(0)
    outside = root / "kept"
    outside.write_text("kept")
    os.symlink(outside, folder / "wd" / "-rf")
    (folder / "wd" / 'new\nline "quoted"').write_text("x")
    other = made(root, "other")
    assert remove(str(root), "workitems/j/job-1/t", told(root)["t"]["mark"])
    assert not folder.exists()
    assert outside.read_text() == "kept"
    assert other.exists()
    assert os.listdir(root / ".ebbtide" / "trash") == []


def test_folders_of_jobs_go_with_their_last_task(root):
    made(root, "t")
    made(root, "t", "workitems/s/job-1")
    made(root, "t", "workitems/s/job-2")
    for job in ("workitems/j/job-1", "workitems/s/job-1"):
        mark = next(each["mark"] for each in folders(str(root))["folders"] if each["job"] == job)
        assert remove(str(root), f"{job}/t", mark)
    assert sorted(path.name for path in (root / "workitems").rglob("*-*")) == ["job-2"]
    assert not (root / "workitems/j").exists()


def test_a_folder_that_was_entered_again_stays(root):
    folder = made(root, "t")
    mark = told(root)["t"]["mark"]
    os.utime(folder / "wd")
    assert not remove(str(root), "workitems/j/job-1/t", mark)
    assert folder.exists()
    assert not remove(str(root), "workitems/j/job-1/none", mark)
    assert not remove(str(root), "workitems/none/job-1/none", mark)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/workitems/j/job-1/t", "workitems/j/job-1", "workitems/j/job-1/t/wd", "workitems/../x/t", "a/b/c/d"),
        *(".ebbtide/slots/0/x", "workitems/j/job-1/t\0", None, 7),
    ],
)
def test_nothing_else_is_removed(root, path):
    made(root, "t")
    with pytest.raises(PathRefused):
        remove(str(root), path, told(root)["t"]["mark"])


def test_a_link_on_the_way_is_not_followed(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    made(elsewhere, "t", "job-1")
    (root / "workitems").mkdir()
    (root / "workitems" / "j").symlink_to(elsewhere)
    assert told(root) == {}
    with pytest.raises(PathRefused):
        remove(str(root), "workitems/j/job-1/t", "1")
    assert (elsewhere / "job-1" / "t").exists()


def test_what_was_put_aside_before_a_crash_goes_later(root):
    trash = root / ".ebbtide" / "trash" / "1-0-1"
    trash.mkdir(parents=True)
    (trash / "big").write_text("x")
    folders(str(root))
    assert os.listdir(root / ".ebbtide" / "trash") == []
