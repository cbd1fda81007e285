"""Trees of files that belong to somebody who means ill: any depth, links, locks, changes under the walker's feet."""

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.agent import trees

pytestmark = pytest.mark.usefixtures("leaves_nothing")

DEPTH = 1100  # a recursion would have ended before


@pytest.fixture
def top(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    for name in os.listdir(tmp_path):
        trees.remove(name, fd)
    os.close(fd)


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64 + len(os.listdir("/proc/self/fd")), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def deep(place: int, name: str, depth: int = DEPTH, uid: int | None = None) -> None:
    """Folders in each other, with a file in each."""
    here = os.dup(place)
    for step in range(depth):
        each = name if not step else "d"
        os.mkdir(each, dir_fd=here)
        inner = os.open(each, os.O_RDONLY, dir_fd=here)
        os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
        if uid is not None:
            os.chown(each, uid, uid, dir_fd=here)
            os.chown("f", uid, uid, dir_fd=inner)
        os.close(here)
        here = inner
    os.close(here)


@pytest.mark.usefixtures("few_descriptors")
def test_no_tree_is_too_deep_to_be_walked_and_removed(top: int, tmp_path: Path) -> None:
    deep(top, "t")
    walked = [(len(trail), sorted(folders + others)) for _, trail, folders, others in trees.walk(top)]
    assert len(walked) == DEPTH + 1 and walked[1] == (1, ["d", "f"]) and walked[-1] == (DEPTH, ["f"])
    trees.remove("t", top)
    assert os.listdir(tmp_path) == []


def test_what_was_taken_out_of_the_list_is_not_entered(top: int, tmp_path: Path) -> None:
    for name in ("a/b/c", "x/y", "link-to"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("link-to")
    seen = []
    for _, trail, folders, others in trees.walk(top):
        seen.append("/".join(trail))
        assert "link" not in folders and (trail or "link" in others)
        if "b" in folders:
            folders.remove("b")
    assert sorted(seen) == ["", "a", "link-to", "x", "x/y"]


def test_a_folder_that_is_moved_away_leads_nobody_out(top: int, tmp_path: Path) -> None:
    (tmp_path / "t/a/b").mkdir(parents=True)
    (tmp_path / "t/last").mkdir()
    (tmp_path / "elsewhere").mkdir()
    inside = os.open(tmp_path / "t", os.O_RDONLY)
    with pytest.raises(OSError, match="moved"):
        for _, trail, _, _ in trees.walk(inside):
            if trail == ["a", "b"]:
                (tmp_path / "t/a/b").rename(tmp_path / "elsewhere/b")
            else:
                assert trail in ([], ["a"], ["last"])
    os.close(inside)


def test_removal_follows_no_link_and_opens_what_is_locked(top: int, tmp_path: Path) -> None:
    tree, outside = tmp_path / "t", tmp_path / "outside"
    (tree / "locked/inner").mkdir(parents=True)
    (tree / "locked/inner/f").touch()
    outside.mkdir(0o750)
    (outside / "kept").touch()
    (tree / "link").symlink_to(outside)
    (tree / "locked/link").symlink_to(outside)
    os.mkfifo(tree / "pipe")
    for folder in ("locked/inner", "locked"):
        (tree / folder).chmod(0)
    trees.remove("t", top)
    assert os.listdir(tmp_path) == ["outside"] and outside.stat().st_mode & 0o777 == 0o750
    (tmp_path / "alone").symlink_to(outside)
    trees.remove("alone", top)
    assert os.listdir(tmp_path) == ["outside"] and os.listdir(outside) == ["kept"]
    trees.remove("not there", top)


def test_what_cannot_go_stays_alone_and_is_told(top: int, tmp_path: Path) -> None:
    import subprocess

    busy = tmp_path / "t/a/busy"
    busy.mkdir(parents=True)
    (tmp_path / "t/a/file").touch()
    mount = ["mount", "-t", "tmpfs", "none", str(busy)]
    if os.getuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("cannot mount here")
    (busy / "of another file system").touch()
    try:
        with pytest.raises(OSError):
            trees.remove("t", top)
        left = [path for path in tmp_path.rglob("*") if path.name == "busy"]
        assert len(left) == 1 and os.listdir(left[0]) == ["of another file system"]
        assert not list(tmp_path.rglob("file"))
    finally:
        subprocess.run(["umount", next(tmp_path.rglob("busy"))], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_only_what_belonged_to_the_one_goes_to_the_other(top: int, tmp_path: Path) -> None:
    before, after, third = 1_900_000_001, 1_900_000_002, 1_900_000_003
    deep(top, "t", uid=before)
    outside = tmp_path / "outside"
    outside.touch()
    (tmp_path / "t/link").symlink_to(outside)
    os.lchown(tmp_path / "t/link", before, before)
    (tmp_path / "t/others").touch()
    os.chown(tmp_path / "t/others", third, third)
    trees.give(top, before, after, after)
    owners = set()
    for place, _, folders, others in trees.walk(top):
        owners |= {(name, os.stat(name, dir_fd=place, follow_symlinks=False).st_uid) for name in folders + others}
    assert owners == {("t", after), ("d", after), ("f", after), ("link", after), ("others", third), ("outside", 0)}


def test_names_are_made_free(top: int, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/x").touch()
    (tmp_path / "link").symlink_to("folder")
    for name in ("folder", "link", "none"):
        trees.clear_name(name, top)
        assert not os.path.lexists(tmp_path / name)
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("folder.") and os.listdir(kept) == ["x"]
    (tmp_path / "wd").symlink_to(kept)
    os.close(trees.make_folder("wd", top, 0o700))
    assert not (tmp_path / "wd").is_symlink() and (tmp_path / "wd").is_dir()
    shutil.rmtree(kept)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "socket"])
def test_only_regular_files_are_opened(top: int, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    (tmp_path / "f").write_text("x")
    path = tmp_path / "other"
    with socket.socket(socket.AF_UNIX) as bound:
        if kind == "socket":
            monkeypatch.chdir(tmp_path)
            bound.bind("other")
        else:
            {"link": lambda: path.symlink_to("f"), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
        with pytest.raises(OSError):
            trees.open_file("other", top)
    fd = trees.open_file("f", top)
    assert os.read(fd, 9) == b"x"
    os.close(fd)
