"""The example of dependencies: a failure that is allowed for lets the report be made; any other one ends the job."""

from __future__ import annotations

import shutil
from pathlib import Path

from .world import EXAMPLES, ebbtide

EXAMPLE = EXAMPLES / "pipeline"
REPORT = """\
day 1: 10.2 degrees, 3 stations
day 2: 10.8 degrees, 3 stations
day 3: 13.9 degrees, 3 stations
day 5: 12.1 degrees, 3 stations
"""


def test_a_day_without_readings_does_not_keep_the_report(tmp_path: Path) -> None:
    run = ebbtide("run", EXAMPLE / "workload.yaml", state=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    told = "tasks: 6 succeeded, 1 failed as its exit conditions allow\n  pipeline 4: the task exited with code 3\n"
    assert told in run.stdout
    assert "job pipeline                          completed: AllTasksComplete" in run.stdout
    assert ebbtide("logs", "pipeline", "report", state=tmp_path).stdout == REPORT


def test_another_failure_ends_the_job(tmp_path: Path) -> None:
    copy = shutil.copytree(EXAMPLE, tmp_path / "pipeline")
    script = copy / "pipeline" / "average.sh"
    script.write_text(script.read_text().replace("set -eu\n", "set -eu\n[ $1 != 2 ] || exit 7\n"))
    state = tmp_path / "state"
    run = ebbtide("run", copy / "workload.yaml", state=state)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "completed: TaskFailed" in run.stdout
    assert "  pipeline 2: the task exited with code 7\n" in run.stdout
    assert ebbtide("logs", "pipeline", "report", state=state).returncode == 1
