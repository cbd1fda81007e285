"""The processes that bring a task's files live for as long as they load: each module counts."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from runner.agent import fetch, upload

from .raw_server import OK, Server, takes

HEAVY = {"email", "http.client", "ssl", "tarfile", "urllib.request", "ebbtide_agent.checkpoint", "runpy"}


@pytest.mark.parametrize("mode", ["upload", "fetch"])
def test_what_is_done_for_every_task_loads_little(
    serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    from runner.agent_bundle import agent_bundle

    place = tmp_path_factory.mktemp("task") / "wd"
    place.mkdir()
    (place.parent / "agent.pyz").write_bytes(agent_bundle().data)
    (place / "a").write_text("hello")
    monkeypatch.setattr(sys, "argv", [str(place.parent / "agent.pyz")])
    if mode == "upload":
        url = serve(takes([], True)).url
        argv, env = upload.wrap({"outputs": [{"pattern": "a", "url": url, "path": "b"}]}, {})
    else:
        url = serve(OK + b"\r\nhello").url
        argv, env = fetch.wrap([{"url": url + "/x", "path": "x"}], ["/bin/true"], {})
    argv[1:1] = ["-X", "importtime"]
    done = subprocess.run(argv, cwd=place, env=env, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert f"ebbtide_agent.{mode}" in loaded
    assert not HEAVY & loaded
