"""What the file server says of a file that it cannot hand out: whether to ask again is worth the while."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from runner.agent.files import FileServer

PATH = "t/stdout.txt"


def asked(root: Path) -> dict[str, Any]:
    request, answer = json.dumps({"op": "get", "path": PATH}).encode() + b"\n", io.BytesIO()
    FileServer(os.path.realpath(root), io.BytesIO(request), answer).run()
    told: dict[str, Any] = json.loads(answer.getvalue().partition(b"\n")[0])
    return told


def made(root: Path, what: str) -> None:
    place = root / PATH
    if what == "folder is a file":
        place.parent.write_text("")
        return
    place.parent.mkdir()
    match what:
        case "loop":
            place.symlink_to(place.name)
        case "link to a name that is too long":
            place.symlink_to("x" * 300)
        case "link into another folder":
            (root / "other").write_text("")
            place.symlink_to("../other")
        case "folder":
            place.mkdir()
        case "pipe":
            os.mkfifo(place)
        case "file":
            place.write_text("text")


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("nothing", "NotFound"),
        # these lead nowhere: no file is there, and none can be
        ("loop", "NotFound"),
        ("link to a name that is too long", "NotFound"),
        ("folder is a file", "NotFound"),
        ("link into another folder", "Refused"),
        ("folder", "Refused"),
        ("pipe", "Refused"),
        ("file", None),
    ],
)
def test_what_lies_there(tmp_path: Path, what: str, code: str | None) -> None:
    made(tmp_path, what)
    told = asked(tmp_path)
    assert told.get("code") == code, told
    assert code is None or PATH in told["message"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EACCES, "Refused"),
        (errno.EPERM, "Refused"),
        (errno.ENFILE, "Failed"),
        (errno.EMFILE, "Failed"),
        (errno.ENOMEM, "Failed"),
        (errno.EIO, "Failed"),
        (errno.ESTALE, "Failed"),
    ],
)
def test_what_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str) -> None:
    made(tmp_path, "file")
    real = os.open

    def refused(path: Any, flags: int, *more: Any, **other: Any) -> int:
        if str(path).startswith("/proc/self/fd/"):
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, *more, **other)

    monkeypatch.setattr(os, "open", refused)
    assert asked(tmp_path)["code"] == code
