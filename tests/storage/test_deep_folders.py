"""Folders that a task has made one in another, without end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .door import Door
from .modes import Task
from .test_files_of_tasks import output, stored

pytestmark = pytest.mark.usefixtures("leaves_nothing")


def deep(top: Path, depth: int) -> str:
    """Makes a file in so many folders, one in another; its name."""
    top.mkdir(parents=True, exist_ok=True)
    place = os.open(top, os.O_RDONLY)
    try:
        for _ in range(depth):
            os.mkdir("d", dir_fd=place)
            inner = os.open("d", os.O_RDONLY, dir_fd=place)
            os.close(place)
            place = inner
        os.close(os.open("deep.txt", os.O_WRONLY | os.O_CREAT, dir_fd=place))
    finally:
        os.close(place)
    return "d/" * depth + "deep.txt"


@pytest.mark.parametrize(
    ("depth", "told"), [(1200, "400"), (2500, "File name too long")], ids=["names", "paths"]
)
def test_output_files(door: Door, task: Task, depth: int, told: str) -> None:
    name = deep(task.wd, depth)
    task.write("a.txt")
    task.write("z.txt")
    failure = task.upload(output(door, "**/*.txt", "to"))
    assert failure is not None and told in failure["message"] and name[:150] in failure["message"]
    assert sorted(stored(door)) == ["to/a.txt", "to/z.txt"]


@pytest.mark.parametrize("stale", [0, 1200])
def test_checkpoints(door: Door, task: Task, tmp_path: Path, stale: int) -> None:
    name = deep(task.directory / "checkpoint", 1200)
    checkpoint = {"url": door.url("c", "rw", exact=True), "path": "../checkpoint", "limit": 1 << 30}
    assert task.upload(checkpoint=checkpoint) is None
    assert "the checkpoint was saved" in task.log
    other = Task(tmp_path / "again")
    old = deep(other.directory / "checkpoint", stale)
    (other.directory / "checkpoint/old").touch()
    assert other.fetch({"checkpoint": checkpoint["url"], "path": "../checkpoint"}) is None
    assert (other.directory / "checkpoint" / name).is_file()
    assert sorted(os.listdir(other.directory)) == ["checkpoint", "wd"]
    assert os.listdir(other.directory / "checkpoint") == ["d"]
    assert old == name or not (other.directory / "checkpoint" / old).exists()


def test_a_checkpoint_that_is_too_deep_to_be_saved(door: Door, task: Task) -> None:
    deep(task.directory / "checkpoint", 2500)
    assert task.upload(checkpoint={"url": door.url("c", "rw", exact=True), "path": "../checkpoint"}) is None
    assert "the checkpoint was not saved: the checkpoint could not be read: File name too long" in task.log
    assert stored(door) == {}


def test_a_resource_file_is_not_put_without_end() -> None:
    from pools import ResourceFile
    from runner.files_of_tasks import invalid_resource

    for path, told in (("d/" * 511 + "f", None), ("d/" * 512 + "f", "is longer than 1024 bytes")):
        fault = invalid_resource(ResourceFile(http_url="http://x/y", file_path=path))
        assert (fault or "").endswith(told or "") and (fault is None) == (told is None)
