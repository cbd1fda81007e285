"""Application packages that no node would unpack are refused where they are given."""

from __future__ import annotations

import os
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import PackageError, check_source, packages

pytestmark = pytest.mark.usefixtures("leaves_nothing")

Build = Callable[[zipfile.ZipFile], object]


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("link")
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda archive: [archive.writestr("x", word) for word in "12"], "holds 'x' twice"),
        (lambda archive: [archive.writestr(name, b"\0" * (1 << 20)) for name in "abc"], "zip bomb"),
        (lambda archive: [archive.writestr(str(number), "") for number in range(40)], "holds 40 files"),
        (lambda archive: [archive.writestr(name, "") for name in ("a", "a/b")], "holds 'a' twice, as a file and"),
        (lambda archive: [archive.writestr(name, "") for name in ("a/b/c", "a/b")], "holds 'a/b' twice, as a file"),
        (lambda archive: [archive.writestr(name, "") for name in ("a", "a/")], "holds 'a' twice, as a file and"),
        (lambda archive: archive.writestr("é" * 150, ""), "éé'... is too long: a name has at most 255 bytes"),
        (lambda archive: archive.writestr("a/" * 600 + "b", ""), "too long"),
        (lambda archive: archive.writestr("./x", ""), "plain form"),
        (lambda archive: archive.writestr("../x", ""), "outside"),
        (lambda archive: archive.writestr("/x", ""), "outside"),
        (lambda archive: archive.writestr("a/../../x", ""), "outside"),
        (link, "is a link"),
    ],
)
def test_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Build, told: str) -> None:
    monkeypatch.setattr(packages, "RATIO_FROM", 1 << 20)
    monkeypatch.setattr(packages, "MAX_ENTRIES", 30)
    path = tmp_path / "p.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        build(archive)
    with pytest.raises(PackageError, match=told) as caught:
        check_source(path)
    assert str(caught.value).startswith(f"the zip file {path}")


def test_folders_may_be_named_twice(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("d/", "")
        archive.writestr("d/x", "1")
    check_source(path)


def test_a_folder_whose_zip_would_be_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "RATIO_FROM", 1 << 20)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/zeros").write_bytes(b"\0" * (2 << 20))
    with pytest.raises(PackageError, match="zip bomb"):
        packages.PackageStore(tmp_path / "store").add("a", "1", tmp_path / "app", 0.0)


def deep(top: Path) -> None:
    for _ in range(120):
        top = top / ("n" * 10)
    top.mkdir(parents=True)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (deep, "the folder .* is too long"),
        (lambda top: (top / os.fsdecode(b"\xff")).touch(), "is not UTF-8; rename it"),
        (lambda top: (top / "link").symlink_to("x"), "is a symbolic link"),
        (lambda top: [(top / str(number)).touch() for number in range(40)], "holds 40 files"),
    ],
)
def test_folders_that_no_node_would_unpack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], told: str
) -> None:
    monkeypatch.setattr(packages, "MAX_ENTRIES", 30)
    make(tmp_path)
    with pytest.raises(PackageError, match=told):
        check_source(tmp_path)
