"""What the system refuses is told with its place and the cure; what a terminal cannot show is not written to it."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.cli import door
from service.cli.file_words import show_entries
from service.deployment_key import write_file
from service.endpoint import Endpoint
from service.tree import Entry

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise FULL

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_full_disk_is_told_with_the_path(tmp_path: Path, full: None) -> None:
    path = tmp_path / "file"
    with pytest.raises(OSError, match="No space left") as refused:
        write_file(path, b"x", 0o600)
    assert refused.value.errno == errno.ENOSPC and list(tmp_path.iterdir()) == [], "nothing is left behind"
    told = f"{path}: No space left on device; free space there, then give this command again"
    assert door._told(refused.value) == (told, 1)


def test_a_server_starts_again_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("http://127.0.0.1:8470")
    endpoint.keep(tmp_path)
    monkeypatch.setattr("service.endpoint.write_file", lambda *_: pytest.fail("it is there"))
    Endpoint("http://127.0.0.1:8470").keep(tmp_path)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": ""}, False),
        ({}, False),
    ],
)
def test_a_terminal_that_nobody_knows_is_written_to_plainly(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert door.colour(SimpleNamespace(isatty=lambda: True)) is coloured


def test_a_long_name_widens_no_other_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_entries([Entry("a", False, 1, 0.0, 0o644), Entry("b" * 1000, False, 12, 0.0, 0o644)], False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["1", "1970-01-01T00:00:00.000Z", "a"] and len(lines[1]) < 40
