"""Finding processes by what their environment holds."""

import os
import subprocess

import pytest

from runner.agent import processes

from .node import alive, wait_until


def test_one_in_the_middle_of_an_exec_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "EXEC_PATIENCE", 30.0)
    marker = f"MARK=of-the-test-{os.getpid()}"
    again = 'exec /bin/sh -c "$AGAIN"'
    env = {"AGAIN": again, "MARK": marker.removeprefix("MARK=")}
    with subprocess.Popen(["/bin/sh", "-c", again], env=env) as restless:
        try:
            assert all(processes.marked(marker) == [restless.pid] for _ in range(100))
        finally:
            restless.kill()
    assert processes.marked(marker) == [] and not alive(restless.pid)


def test_an_empty_environment_is_not_waited_for() -> None:
    with subprocess.Popen(["/bin/sleep", "1000"], env={}) as bare:
        try:
            assert processes.alive(bare.pid)
            wait_until(lambda: not processes._in_exec(bare.pid))
        finally:
            bare.kill()
    assert not processes.alive(bare.pid)
