"""Resource files, output files and checkpoints: between a task's folder and the object store, as on a node."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runner import put_blob

from .door import Door
from .modes import Task

HOSTILE = ["-rf", "new\nline", "quote's \"double\"", "ünï 文件", "per%cent%41", "a b/c+d&e?f#g", "semi;x", "`x`$(y)"]


def container(door: Door, prefix: str = "", path: str = "", **more: object) -> dict[str, object]:
    return {"container": door.url(prefix=prefix), "prefix": prefix, "path": path, "mode": "", **more}


def output(door: Door, pattern: str, path: str = "", **more: object) -> dict[str, object]:
    return {"pattern": pattern, "url": door.url(), "path": path, "headers": [], **more}


def stored(door: Door) -> dict[str, bytes]:
    return {blob.name: b"".join(door.store.read("box", blob.name)) for blob in door.store.page("box").blobs}


def usable(door: Door) -> list[str]:
    """moto's routes do not match line feeds."""
    return [name for name in HOSTILE if "\n" not in name or door.store.redirect("GET", "box", name, 1) is None]


# -- resource files --------------------------------------------------------------------------------------------


def test_one_blob(door: Door, task: Task) -> None:
    put_blob(door.store, "box", "in/data.txt", [b"forty-two"])
    file = {"url": door.url("in/data.txt", "r", exact=True), "path": "deep/er/put.txt", "mode": "0640"}
    assert task.fetch(file) is None
    assert (task.wd / "deep/er/put.txt").read_bytes() == b"forty-two"
    assert stat.S_IMODE((task.wd / "deep/er/put.txt").stat().st_mode) == 0o640
    assert os.listdir(task.wd / "deep/er") == ["put.txt"]


def test_a_container_keeps_its_names(door: Door, task: Task) -> None:
    names = [f"in/{name}" for name in usable(door)]
    for name in (*names, "other/b", "in/folder/"):
        put_blob(door.store, "box", name, [name.encode()])
    assert task.fetch(container(door, "in/", "here")) is None
    found = {str(path.relative_to(task.wd)) for path in task.wd.rglob("*") if path.is_file()}
    assert found == {f"here/{name}" for name in names}
    assert all((task.wd / "here" / name).read_bytes() == name.encode() for name in names)


def test_many_pages(door: Door, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.storage_routes._PAGE", 3)
    for number in range(10):
        put_blob(door.store, "box", f"{number}", [b"x"])
    assert task.fetch(container(door)) is None
    assert len(list(task.wd.iterdir())) == 10


@pytest.mark.parametrize("name", ["../escape", "a/../../b", "/etc/passwd"])
def test_blobs_that_would_leave_the_folder(door: Door, task: Task, name: str) -> None:
    put_blob(door.store, "box", name, [b"x"])
    told = task.fetch(container(door, path="."))
    assert told is not None and told["code"] == "ResourceFileCreateFailed"
    assert not (task.directory / "escape").exists() and not (task.directory / "b").exists()


def test_failures_of_resource_files(door: Door, task: Task) -> None:
    put_blob(door.store, "box", "a", [b"x" * 100])
    put_blob(door.store, "box", "b", [b"x" * 100])
    missing = {"url": door.url("no", "r", exact=True), "path": "a", "mode": ""}
    denied = {"url": door.url("a", "w", exact=True), "path": "a", "mode": ""}
    large = {"url": door.url("a", "r", exact=True), "path": "a", "mode": "", "limit": 99}
    nothing = container(door) | {"container": door.url().replace("/box", "/box2")}
    strange = {"url": door.url("a\u00fc/b c", "r", exact=True), "path": "a", "mode": ""}
    for file, code, named in (
        (missing, "BlobNotFound", "storage://box/no: 404"),
        (denied, "BlobAccessDenied", "storage://box/a: 403"),
        (large, "BlobDownloadMiscError", "storage://box/a: larger"),
        (strange, "BlobNotFound", "storage://box/a\u00fc/b c: 404"),
        (container(door, limit=150), "BlobDownloadMiscError", "storage://box: 200 bytes"),
        (nothing, "ResourceContainerAccessDenied", "storage://box2: 403"),
        ({"url": "ftp://x/y", "path": "a", "mode": ""}, "ResourceFileWriteFailed", "ftp://x/y"),
    ):
        told = task.fetch(file)
        assert told is not None and told["code"] == code
        assert named in told["message"], "as people write it"
        assert "sig=" not in told["message"] and "127.0.0.1" not in told["message"]
    assert not (task.wd / "a").exists()


def test_a_thousand_files_with_signed_addresses(door: Door, task: Task) -> None:
    """More than an argument or a variable of a process may hold."""
    put_blob(door.store, "box", "a", [b"x"])
    url = door.url("a", "r", exact=True)
    files = [{"url": f"{url}&n={number}{'n' * 500}", "path": f"{number}", "mode": ""} for number in range(300)]
    assert task.fetch(*files, argv=("sh", "-c", "env > env.txt")) is None
    assert len(list(task.wd.iterdir())) == 301
    assert "sig=" not in (task.wd / "env.txt").read_text()


# -- output files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "path", "wanted"),
    [
        ("*.txt", "", ["a.txt"]),
        ("*.txt", "to", ["to/a.txt"]),
        ("**/*.txt", "", ["a.txt", "out/b.txt", "out/sub/c.txt"]),
        ("**/*.txt", "to/", ["to/a.txt", "to/out/b.txt", "to/out/sub/c.txt"]),
        ("out/*.txt", "to", ["to/out/b.txt"]),
        ("out/**", "", ["out/b.txt", "out/d.bin", "out/sub/c.txt"]),
        ("out/[!b]*", "", ["out/d.bin"]),
        ("out/b.txt", "", ["out/b.txt"]),
        ("out/b.txt", "named.txt", ["named.txt"]),
        ("../std*.txt", "logs", ["logs/stderr.txt", "logs/stdout.txt"]),
        ("../stdout.txt", "", ["stdout.txt"]),
        ("$AZ_BATCH_TASK_DIR/wd/a.txt", "", ["a.txt"]),
        ("?.t[a-x]t", "", ["a.txt"]),
        (".h*", "", [".hidden.txt"]),
        ("star[*].x", "", ["star*.x"]),
        ("none*", "", []),
        ("out", "", []),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, path: str, wanted: list[str]) -> None:
    from runner import LocalStore

    from .door import running

    task = Task(tmp_path / "task")
    names = ("a.txt", ".hidden.txt", "out/b.txt", "out/d.bin", "out/sub/c.txt", "star*.x", "starry.x", ".git/x.txt")
    for name in names:
        task.write(name, name.encode())
    for name in ("stdout", "stderr"):
        (task.directory / f"{name}.txt").write_text(name)
    with running(LocalStore(tmp_path / "storage")) as door:
        assert task.upload(output(door, pattern, path)) is None
        assert sorted(stored(door)) == wanted
    if not wanted:
        assert "no file matches" in task.log


def test_hostile_file_names(door: Door, task: Task) -> None:
    for name in usable(door):
        task.write(name, name.encode())
    assert task.upload(output(door, "**", "to")) is None
    assert stored(door) == {f"to/{name}": name.encode() for name in usable(door)}


def test_nothing_outside_the_folder_of_the_task(door: Door, task: Task, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "s.txt").write_text("secret")
    task.write("own.txt")
    (task.wd / "link.txt").symlink_to(tmp_path / "secret.txt")
    (task.wd / "inside.txt").symlink_to("own.txt")
    (task.wd / "folder").symlink_to(tmp_path / "secrets")
    os.mkfifo(task.wd / "pipe.txt")
    assert task.upload(output(door, "**/*.txt"), output(door, "link.txt"), output(door, "folder/s.txt")) is None
    assert stored(door) == {"own.txt": b"content", "inside.txt": b"content"}
    for pattern in ("../../secret.txt", "/etc/passwd", "../**/../../secret.txt"):
        told = task.upload(output(door, pattern))
        assert told is not None and told["code"] == "FileUploadMiscError"


def test_failures_of_output_files(door: Door, task: Task) -> None:
    task.write("a.txt")
    task.write("b.txt")
    denied = output(door, "a.txt") | {"url": door.url(permissions="r")}
    told = task.upload(denied, output(door, "b.txt"))
    assert told is not None and told["code"] == "FileUploadAccessDenied"
    assert "sig=" not in told["message"] + task.log and "storage://box/a.txt: 403" in told["message"]
    assert sorted(stored(door)) == ["b.txt"]  # the others are uploaded all the same


def test_a_large_file(door: Door, task: Task) -> None:
    data = os.urandom(1 << 20) * 20
    task.write("large", data)
    assert task.upload(output(door, "large")) is None
    assert task.fetch({"url": door.url("large", "r", exact=True), "path": "back", "mode": ""}) is None
    assert (task.wd / "back").read_bytes() == data


# -- checkpoints -----------------------------------------------------------------------------------------------


def test_a_checkpoint_comes_back(door: Door, task: Task, tmp_path: Path) -> None:
    saved, again = task.directory / "checkpoint", tmp_path / "again"
    for name in (*usable(door), "deep/" + "n" * 150 + "/" + "m" * 200, "empty", "a" * 100):
        path = saved / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name == "empty" else name.encode() * 300)
    (saved / "latest").symlink_to("empty")
    (saved / "out").symlink_to("/etc/passwd")
    os.link(saved / "empty", saved / "second")
    (saved / "folder").mkdir()
    os.chmod(saved / "empty", 0o600)
    url = door.url("c", "rw", exact=True)
    assert task.upload(checkpoint={"url": url, "path": "../checkpoint", "limit": 1 << 30}) is None
    other = Task(again)
    assert other.fetch({"checkpoint": url, "path": "../checkpoint"}) is None
    back = again / "checkpoint"
    (saved / "out").unlink()  # leads out: it is not kept

    def seen(top: Path) -> dict[str, object]:
        return {
            str(path.relative_to(top)): os.readlink(path) if path.is_symlink() else path.is_dir() or path.read_bytes()
            for path in top.rglob("*")
        }

    assert seen(back) == seen(saved)
    assert stat.S_IMODE((back / "empty").stat().st_mode) == 0o600


def test_checkpoints_that_are_not(door: Door, task: Task) -> None:
    url = door.url("c", "rw", exact=True)
    assert task.fetch({"checkpoint": url, "path": "../checkpoint"}) is None  # none was saved
    assert task.upload(checkpoint={"url": url, "path": "../checkpoint", "limit": None}) is None  # nothing to save
    assert stored(door) == {}
    (task.directory / "checkpoint").mkdir()
    (task.directory / "checkpoint" / "a").write_bytes(b"x" * 5000)
    assert task.upload(checkpoint={"url": url, "path": "../checkpoint", "limit": 4000}) is None  # that fails no task
    assert "limit of 4000 bytes" in (task.directory / "fileuploadout.txt").read_text()
    assert stored(door) == {}
    put_blob(door.store, "box", "c", [b"no tar" * 500])
    told = task.fetch({"checkpoint": url, "path": "../checkpoint"})
    assert told is not None and "damaged" in told["message"]
