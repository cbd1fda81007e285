"""Examples as a user runs them: the real command, a state of its own, nodes on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PATIENCE = 240.0


def ebbtide(*words: object, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", *map(str, words), "--state", str(state)]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


@contextmanager
def running(*words: object, state: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on; what it is about to leave behind is ended."""
    command = [sys.executable, "-m", "service", *map(str, words), "--state", str(state)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
            ebbtide("down", "--now", state=state)
        assert process.stdout is not None
        process.stdout.close()


def wait(run: subprocess.Popen[str], condition: Callable[[], object], what: str) -> None:
    """Until the condition holds, while `run` goes on."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert run.poll() is None, f"the run ended before {what}: {run.communicate()[0]}"
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.1)
