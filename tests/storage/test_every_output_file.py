"""Of output files none is lost unsaid: not for another one that fails, nor for one of the same name."""

from __future__ import annotations

import os
from typing import Any

import pytest

from runner import Place

from .door import NOW, Door
from .modes import Task
from .test_files_of_tasks import output, stored


def limited(door: Door, pattern: str, size: int) -> dict[str, Any]:
    url = door.signer.url(door.base, Place("box", ""), "w", NOW + 60, name="", scope="tree", size=size)
    return output(door, pattern) | {"url": url}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a-large", "storage://box/a-large: 413"),
        ("a-large\nname", r"storage://box/a-large\nname: 413"),
        ("/".join(["a" * 200] * 6), "aaa: 400"),
    ],
)
def test_one_that_fails_does_not_keep_the_others(door: Door, task: Task, name: str, told: str) -> None:
    task.write(name, b"x" * (100 if "large" in name else 10))
    if "\n" in name and door.store.redirect("PUT", "box", name, 1) is not None:
        pytest.skip("moto's routes do not match line feeds")
    for other in ("b", "c/d"):
        task.write(other, b"precious")
    failure = task.upload(limited(door, "**", 50), limited(door, "nothing*", 50))
    assert failure is not None and told in failure["message"] and "more" not in failure["message"]
    assert "\n" not in failure["message"]
    assert stored(door) == {"b": b"precious", "c/d": b"precious"}
    assert "failed: " in task.log and "uploaded 'c/d' as 'c/d'" in task.log and "no file matches" in task.log


def test_it_is_told_how_many_failed(door: Door, task: Task) -> None:
    for name in ("a", "b", "c"):
        task.write(name, b"x" * 100)
    failure = task.upload(limited(door, "*", 50))
    assert failure is not None and "storage://box/a: 413" in failure["message"]
    assert failure["message"].endswith(" (and 2 more)")


def test_the_time_limit_ends_it_all(door: Door, task: Task) -> None:
    for name in ("a", "b"):
        task.write(name)
    dead = [output(door, pattern) | {"url": "http://127.0.0.1:9/x", "patient": True} for pattern in "ab"]
    failure = task.upload(*dead, timeout=1.0)
    assert failure is not None and failure["code"] == "FileUploadTimedOut" and "more" not in failure["message"]


def test_names_that_are_not_text(door: Door, task: Task) -> None:
    task.wd.mkdir(parents=True)
    for name in (b"\xff.bin", b"\xfe\xc3\xbc.bin", b"\xfe.\xff"):
        (task.wd / os.fsdecode(name)).write_bytes(name)
    assert task.upload(output(door, "*")) is None
    assert stored(door) == {"%FF.bin": b"\xff.bin", "%FE\u00fc.bin": b"\xfe\xc3\xbc.bin", "%FE.%FF": b"\xfe.\xff"}
    assert "as '%FF.bin'" in task.log


def test_two_files_never_become_one_blob(door: Door, task: Task) -> None:
    task.write("%FF", b"1")
    (task.wd / os.fsdecode(b"\xff")).write_bytes(b"2")
    failure = task.upload(output(door, "*"))
    assert failure is not None and "'wd/\\udcff' was not uploaded: storage://box/%FF is 'wd/%FF'" in failure["message"]
    assert stored(door) == {"%FF": b"1"}


@pytest.mark.parametrize(("first", "second"), [("stdout.txt", "../stdout.txt"), ("../stdout.txt", "s*.txt")])
def test_nor_do_those_of_several_patterns(door: Door, task: Task, first: str, second: str) -> None:
    task.write("stdout.txt", b"mine")
    (task.directory / "stdout.txt").write_bytes(b"printed")
    failure = task.upload(output(door, first), limited(door, second, 1000))
    assert failure is not None and "storage://box/stdout.txt is " in failure["message"]
    assert list(stored(door)) == ["stdout.txt"]
    assert task.upload(output(door, "stdout.txt", "x"), output(door, "s*.txt"), output(door, "stdout.*")) is None


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("../**/*.txt", {"stdout.txt": "printed", "wd/stdout.txt": "mine", "wd/out/a.txt": "a"}),
        ("../*/*.txt", {"wd/stdout.txt": "mine"}),
        ("$AZ_BATCH_TASK_DIR/**/std*", {"stdout.txt": "printed", "wd/stdout.txt": "mine"}),
        ("../wd/*.txt", {"stdout.txt": "mine"}),
        ("out/../**/*.txt", {"stdout.txt": "mine", "out/a.txt": "a"}),
        ("**/**/**", {"stdout.txt": "mine", "out/a.txt": "a"}),
    ],
)
def test_files_of_both_folders(door: Door, task: Task, pattern: str, wanted: dict[str, str]) -> None:
    task.write("stdout.txt", b"mine")
    task.write("out/a.txt", b"a")
    (task.directory / "stdout.txt").write_bytes(b"printed")
    assert task.upload(output(door, pattern)) is None
    found = stored(door)
    found.pop("fileuploadout.txt", None)
    assert found == {name: content.encode() for name, content in wanted.items()}


def test_links_that_lead_nowhere(door: Door, task: Task) -> None:
    task.write("a.txt")
    os.symlink("loop.txt", task.wd / "loop.txt")
    os.symlink("none", task.wd / "dangling.txt")
    for number in range(1500):
        os.symlink(f"{number + 1}.txt", task.wd / f"{number}.txt")
    (task.wd / "1500.txt").write_bytes(b"end")
    assert task.upload(output(door, "[!0-9]*.txt"), output(door, "0.txt"), output(door, "149?.txt")) is None
    assert stored(door) == {"a.txt": b"content"} | {f"{number}.txt": b"end" for number in range(1490, 1500)}
