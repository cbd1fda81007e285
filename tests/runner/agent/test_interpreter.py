"""Which Python runs what the agent does as other users."""

import os
import sys
from pathlib import Path

import pytest

from runner.agent import interpreter


@pytest.fixture
def pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`home/python3` is the agent's own, `usr/python3` the system's."""
    tmp_path.chmod(0o755)
    for folder, version in (("home", "python3.12"), ("usr", "python3.9"), ("old", "python3.7")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / version).touch(0o755)
        (tmp_path / folder / "python3").symlink_to(version)
    # what lies above the test's own folder is not its matter
    monkeypatch.setattr(interpreter, "is_open", lambda path: _below(path, tmp_path))
    monkeypatch.setattr(interpreter, "_found", "")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(interpreter, "_SYSTEM", tuple(str(tmp_path / each / "python3") for each in ("old", "usr")))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "home/python3"))
    return tmp_path


def _below(path: str, top: Path) -> bool:
    parts = [Path(path), *Path(path).parents]
    return all(each.stat().st_mode & 1 for each in parts[: parts.index(top)])


def test_its_own_if_everybody_can_reach_it(pythons: Path) -> None:
    assert interpreter.of_everybody() == str(pythons / "home/python3")


def test_the_systems_that_is_new_enough_if_not(pythons: Path) -> None:
    (pythons / "home").chmod(0o700)
    assert interpreter.of_everybody() == str(pythons / "usr/python3")


def test_who_is_not_root_needs_no_other(pythons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pythons / "home").chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert interpreter.of_everybody() == str(pythons / "home/python3")


def test_a_link_into_a_closed_folder_is_closed(pythons: Path) -> None:
    (pythons / "venv").mkdir()
    (pythons / "venv/python").symlink_to(pythons / "home/python3")
    (pythons / "home").chmod(0o700)
    sys.executable = str(pythons / "venv/python")  # the fixture puts it back
    assert interpreter.of_everybody() == str(pythons / "usr/python3")


def test_without_another_its_own(pythons: Path) -> None:
    (pythons / "home").chmod(0o700)
    (pythons / "usr").chmod(0o700)
    assert interpreter.of_everybody() == str(pythons / "home/python3")


def test_what_is_open() -> None:
    assert interpreter.is_open("/bin/sh") and not interpreter.is_open("/etc/passwd")
    assert not interpreter.is_open("/nowhere/python3")
