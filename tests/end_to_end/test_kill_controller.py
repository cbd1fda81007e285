"""kill -9 of `ebbtide run` at a counted place, then the same command again: the work completes, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from providers import marked_processes, open_provider
from service.state import StateDirectory

#: After the n-th commit (nobody has heard of it yet) and before the n-th effect (it is recorded, and was not done).
PLACES = [*(f"commit:{n}" for n in range(1, 11)), *(f"effect:{n}" for n in range(1, 11))]

WORKLOAD = """
pools:
  - id: pool
    vmSize: local.small
    targetLowPriorityNodes: 1
    taskSlotsPerNode: 2
    startTask: {commandLine: "/bin/sh -c 'echo started'", waitForSuccess: true}
jobs:
  - id: job
    poolInfo: {poolId: pool}
    onAllTasksComplete: terminatejob
    tasks:
      - {id: a, commandLine: "/bin/sh -c 'echo a >> NOTES; sleep 0.3; echo out a; exit 0'"}
      - {id: b, commandLine: "/bin/sh -c 'echo b >> NOTES; sleep 0.6; echo out b; exit 0'"}
      - {id: c, commandLine: "/bin/sh -c 'echo c >> NOTES; echo out c; exit 0'"}
"""

#: The same for a schedule, a job manager task and a pool that its formula sizes.
RECURRENT = """
pools:
  - id: pool
    vmSize: local.small
    enableAutoScale: true
    autoScaleEvaluationInterval: PT0.2S
    autoScaleFormula: "$TargetLowPriorityNodes = max(0, $PendingTasks.GetSample(1)) > 0 ? 1 : 0;"
jobSchedules:
  - id: every
    schedule: {}
    jobSpecification:
      poolInfo: {poolId: pool}
      jobManagerTask: {id: a, commandLine: "/bin/sh -c 'echo a >> NOTES; sleep 0.3; echo out a'"}
"""
RECURRENT_PLACES = ["commit:1", "commit:3", "commit:6", "commit:10", "effect:2", "effect:4", "effect:6", "effect:8"]

SETTINGS = """
samplePeriod: PT0.2S
sampleDelay: PT0S
vmPollInterval: PT0.5S
connectRetry: PT0.1S
backOffBase: PT0.2S
minimumAutoScaleEvaluationInterval: PT0.2S
"""


class Run:
    """`ebbtide run` on a state of its own."""

    def __init__(self, directory: Path, workload: str = WORKLOAD) -> None:
        directory.mkdir()
        self.notes = directory / "notes"
        self.state = StateDirectory(directory / "state")
        self._workload = directory / "workload.yaml"
        self._workload.write_text(workload.replace("NOTES", str(self.notes)))
        self._settings = directory / "settings.yaml"
        self._settings.write_text(SETTINGS)

    def __call__(self, crash_at: str | None = None, timeout: float = 300.0) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if k != "EBBTIDE_CRASH_AT"}
        if crash_at is not None:
            env["EBBTIDE_CRASH_AT"] = crash_at
        command = [sys.executable, "-m", "service", "run", str(self._workload), "--config", str(self._settings)]
        command += ["--state", str(self.state.path), "--json"]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, check=False)

    def started(self) -> Counter[str]:
        return Counter(self.notes.read_text().split()) if self.notes.exists() else Counter()

    def left_over(self) -> list[Any]:
        """What the provider's own list and /proc still show."""
        deployment = self.state.deployment().id
        provider = open_provider("local", {"baseDir": str(self.state.nodes.resolve())}, deployment)
        return [*provider.list_owned(), *marked_processes(deployment)]


def crash_and_run_again(run: Run, place: str, tasks: str, job: tuple[str, str, str]) -> str | None:
    """None if all is well, else what is not."""
    crashed = run(place)
    if crashed.returncode != -9:
        return f"{place}: not killed there: exit {crashed.returncode} {crashed.stderr[-500:]}"
    again = run()
    if again.returncode != 0:
        return f"{place}: the second run ends with {again.returncode}: {again.stderr[-2000:]}"
    report = json.loads(again.stdout)
    ends = {t["id"]: (t["state"], t["result"], t["exitCode"], t["requeueCount"]) for t in report["tasks"]}
    if ends != dict.fromkeys(tasks, ("completed", "success", 0, 0)):
        return f"{place}: tasks are {ends}"
    if run.started() != Counter(tasks):
        return f"{place}: executions were {run.started()}"
    if [(j["id"], j["state"], j["terminateReason"]) for j in report["jobs"]] != [job]:
        return f"{place}: jobs are {report['jobs']}"
    left = run.left_over()
    return f"{place}: left over: {left}" if left else None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workload", "places", "tasks", "job"),
    [
        (WORKLOAD, PLACES, "abc", ("job", "completed", "AllTasksComplete")),
        (RECURRENT, RECURRENT_PLACES, "a", ("every:job-1", "completed", "JMComplete")),
    ],
    ids=["fixed", "recurrent"],
)
def test_it_goes_on(tmp_path: Path, workload: str, places: list[str], tasks: str, job: tuple[str, str, str]) -> None:
    def attempt(place: str) -> str | None:
        return crash_and_run_again(Run(tmp_path / place.replace(":", "-"), workload), place, tasks, job)

    with ThreadPoolExecutor(2) as pool:
        problems = [problem for problem in pool.map(attempt, places) if problem is not None]
    assert not problems, "\n".join(problems)


def test_a_second_controller_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.state.path.mkdir()
    with run.state.lock():
        refused = run()
    assert refused.returncode == 2
    assert f"pid {os.getpid()}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert run().returncode == 0, "it runs once the other has gone"
