"""Application packages: unpacked whole, once, and only where they belong."""

import fcntl
import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .node import Message, Node

pytestmark = pytest.mark.usefixtures("leaves_nothing")


def zipped(*entries: tuple[str, bytes, int | None], system: int = 3) -> bytes:
    """Entries are (name, content, Unix mode and type, or None for a zip made without)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.create_system = system if mode is not None else 0
            entry.external_attr = (mode or 0) << 16 | 0x20  # a DOS attribute: writestr fills in a mode if all is 0
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()


def install(node: Node, data: bytes, folder: str = "applications/app/1", sha256: str | None = None) -> Message:
    file = ".ebbtide/packages/p.zip"
    (node.root / file).write_bytes(data)
    seen = node.count("installed") + node.count("install-failed")
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    node.say({"op": "install", "id": folder, "file": file, "dir": folder, "sha256": sha256})
    return node.wait(lambda m: m["op"].startswith("install"), skip=seen)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_modes_and_content(node: Node) -> None:
    node.connect()
    data = zipped(
        ("run.sh", b"#!/bin/sh\necho hello\n", None),
        ("sub/é x.txt", b"text", stat.S_IFREG | 0o640),
        ("sub/tool", b"tool", stat.S_IFREG | 0o6755),
        ("empty/", b"", stat.S_IFDIR | 0o755),
    )
    assert install(node, data)["op"] == "installed"
    app = node.root / "applications/app/1"
    assert (app / "sub/é x.txt").read_bytes() == b"text" and (app / "empty").is_dir()
    assert [mode(app / name) for name in ("run.sh", "sub/é x.txt", "sub/tool")] == [0o755, 0o640, 0o755]
    node.start("t", str(app / "run.sh"))
    assert node.outcome("t")["stdout"]["text"] == "hello\n"


def test_installing_again_changes_nothing_and_another_version_replaces(node: Node) -> None:
    node.connect()
    first, second = zipped(("a", b"1", None)), zipped(("b", b"2", None))
    folder = node.root / "applications/app/1"
    install(node, first)
    (folder / "added").touch()
    assert install(node, first)["op"] == "installed" and (folder / "added").exists()
    assert install(node, second)["op"] == "installed"
    assert os.listdir(folder) == ["b"]
    assert install(node, first)["op"] == "installed" and os.listdir(folder) == ["a"]


HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("up", lambda: zipped(("../evil", b"x", None)), "outside"),
    ("deep up", lambda: zipped(("a/../../evil", b"x", None)), "outside"),
    ("absolute", lambda: zipped(("/tmp/ebbtide-evil", b"x", None)), "outside"),
    ("link", lambda: zipped(("l", b"/tmp", stat.S_IFLNK | 0o777)), "link"),
    ("device", lambda: zipped(("d", b"", stat.S_IFCHR | 0o666)), "special"),
    ("twice", lambda: zipped(("a", b"x", None), ("./a", b"y", None)), "outside"),
    ("bomb", lambda: zipped(("zeros", bytes(300 << 20), None)), "bomb"),
    ("garbage", lambda: b"not a zip at all", "zip"),
    ("cut off", lambda: zipped(("a", bytes(1000), None))[:-30], "zip"),
]


@pytest.mark.parametrize(("make", "words"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_archives_leave_nothing(node: Node, make: Callable[[], bytes], words: str) -> None:
    node.connect()
    failed = install(node, make())
    assert failed["op"] == "install-failed" and words in failed["message"]
    assert not (node.root / "applications/app").exists() and not Path("/tmp/ebbtide-evil").exists()
    assert not list(node.root.rglob("evil")) and not (node.root / ".ebbtide/unpacking").exists()
    assert install(node, zipped(("a", b"1", None)))["op"] == "installed"


def test_a_damaged_upload_and_a_wrong_folder_are_refused(node: Node, tmp_path: Path) -> None:
    node.connect()
    data = zipped(("a", b"1", None))
    assert "checksum" in install(node, data, sha256="0" * 64)["message"]
    for folder in ("applications", "workitems/x", "applications/../shared", "/tmp/x", "applications/out/x"):
        if folder.startswith("applications/out"):
            (node.root / "applications/out").symlink_to(tmp_path)
        assert install(node, data, folder)["op"] == "install-failed", folder
    assert not (tmp_path / "x").exists()


def test_outcomes_come_while_a_package_is_unpacked(node: Node) -> None:
    node.connect()
    data = zipped(*((f"f{number}", os.urandom(100), None) for number in range(500)))
    file = ".ebbtide/packages/p.zip"
    (node.root / file).write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    with (node.root / ".ebbtide/installing").open("w") as lock:  # else it could be ready before the task is
        fcntl.flock(lock, fcntl.LOCK_EX)
        node.say({"op": "install", "id": "k", "file": file, "dir": "applications/many", "sha256": sha256})
        node.start("t", "true")
        node.outcome("t")
        assert node.count("installed") == 0
    node.wait(lambda m: m["op"] == "installed")
    assert len(os.listdir(node.root / "applications/many")) == 500


def test_what_was_there_before_goes_however_deep_it_is(node: Node) -> None:
    """A task of a node without other users can have made it."""
    node.connect()
    assert install(node, zipped(("a", b"1", None)))["op"] == "installed"
    folder = node.root / "applications/app/1"
    place = os.open(folder, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    assert install(node, zipped(("b", b"2", None)))["op"] == "installed"
    assert os.listdir(folder) == ["b"]
    assert os.listdir(node.root / ".ebbtide/trash") == []
