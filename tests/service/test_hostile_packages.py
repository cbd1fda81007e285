"""Application packages that no node would unpack are refused where they are given."""

from __future__ import annotations

import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import PackageError, check_source, packages

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
