"""The example of a thousand tasks: all run, and what they printed holds the right answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .world import EXAMPLES, ebbtide

EXAMPLE = EXAMPLES / "sweep"


def test_the_workload_is_what_the_script_writes() -> None:
    script = [sys.executable, str(EXAMPLE / "make-workload.py")]
    written = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert written == (EXAMPLE / "workload.yaml").read_text()


def test_a_thousand_tasks(tmp_path: Path) -> None:
    run = ebbtide("run", EXAMPLE / "workload.yaml", state=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1,000 tasks added" in run.stdout and "tasks: 1,000 succeeded" in run.stdout
    printed = [line.split() for line in ebbtide("logs", "sweep", state=tmp_path).stdout.splitlines()]
    assert len(printed) == 1000
    # https://oeis.org/A006877: of the numbers below 100,000, 77031 takes longest
    assert max((int(steps), number) for steps, number in printed) == (350, "77031")
