"""Resource files: what is said when they cannot be had, and who may say it."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.agent import fetch, outcome, processes, wire
from runner.agent.running import Running
from runner.agent.spool import Spool

from .node import Node


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:  # so nobody else gets it; connections to it are refused
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def failure(folder: Path) -> dict[str, str] | None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return fetch.failure(fd)
    finally:
        os.close(fd)


@pytest.mark.parametrize("written", ["[1]", "{}", '{"code":1,"message":"m"}', '{"code":"c"}', "[" * 50_000, "\xff", ""])
def test_what_is_no_failure_is_none(tmp_path: Path, written: str) -> None:
    (tmp_path / ".fetch-failed").write_bytes(written.encode("latin-1"))
    assert failure(tmp_path) is None


def test_a_failure_is_clipped_and_told_once(tmp_path: Path) -> None:
    told = {"code": "c" * 5000, "message": "é\ud800" * 5000, "more": "x"}
    (tmp_path / ".fetch-failed").write_text(json.dumps(told))
    found = failure(tmp_path)
    assert found is not None and set(found) == {"code", "message"} and len(wire.encode(found)) < 800
    assert failure(tmp_path) is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_a_plain_file_is_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / "other").write_text('{"code":"c","message":"m"}')
    place = tmp_path / ".fetch-failed"
    {"link": lambda: place.symlink_to("other"), "pipe": lambda: os.mkfifo(place), "folder": place.mkdir}[kind]()
    assert failure(tmp_path) is None


def test_a_long_url_with_a_token(node: Node, closed_port: int) -> None:
    node.connect(slots=2)
    paths = ["/a", "/a b"]
    for path in paths:
        url = f"http://127.0.0.1:{closed_port}{path}?sig=TOKEN{'x' * 3000}"
        node.start(path, "true", resources=[{"url": url, "path": "a", "mode": ""}], dir=f"workitems/{len(path)}")
    for path in paths:
        done = node.outcome(path)
        assert done["error"]["code"] == "BlobDownloadMiscError" and done["exit"] is None
        assert f"127.0.0.1:{closed_port}{path}" in done["error"]["message"] and "TOKEN" not in json.dumps(done)


def test_an_earlier_attempt_does_not_speak_for_this_one(node: Node) -> None:
    node.connect(slots=1)
    folder = node.folder("t")
    (folder / "wd").mkdir(parents=True)
    (folder / ".fetch-failed").write_text('{"code":"c","message":"stale"}')
    # The fetcher itself is killed by a bad argument before it could tell anything.
    node.start("t", "/bin/sh", "-c", "exit 3", resources=[{"url": 5, "path": "a", "mode": ""}])
    done = node.outcome("t")
    assert done["error"] is None and done["exit"] == 1


def test_an_outcome_too_long_for_the_spool_is_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "become_subreaper", lambda name: False)
    running = Running(str(tmp_path), "0", str(tmp_path))
    record = outcome.not_started("t", 1.0, 2.0, "Code", "")
    record["error"] = {"code": "Code", "message": "m" * 5000}
    line = wire.decode(running._record(record, outcome.NOTHING))
    assert line["op"] == "finished" and line["error"]["code"] == "Code"
    assert 0 < len(line["error"]["message"]) <= 64
    assert Spool(str(tmp_path / "spool")).outcomes["t"]["error"] == line["error"]
