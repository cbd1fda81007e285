"""`ebbtide run` and its companions, for real: local nodes, one state."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from .stage import COMMAND, PATIENCE, SLOW, Stage

WORKLOAD = """
pools:
- {id: p, vmSize: local.small, targetLowPriorityNodes: 1, taskSlotsPerNode: 4}
jobs:
- id: j
  poolInfo: {poolId: p}
  onAllTasksComplete: terminatejob
  tasks:
  - {id: good, commandLine: "/bin/sh -c 'echo out; echo err >&2'"}
  - {id: bad, commandLine: /bin/sh -c "exit 3", constraints: {maxTaskRetryCount: 1}}
  - {id: long, commandLine: /bin/sh -c "head -c 100000 /dev/zero | tr '\\\\0' x"}
"""

@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run that is over, with what it wrote."""
    stage = Stage(tmp_path_factory.mktemp("done"))
    try:
        yield stage, stage("--json", workload=WORKLOAD, EBBTIDE_OUTPUT_CAP="2000")
    finally:
        stage.close()


def test_the_object_of_a_run(done):
    stage, run = done
    assert run.returncode == 1, run.stderr  # one task fails
    report = json.loads(run.stdout)
    assert list(report) == ["jobs", "tasks", "pools", "autoScaleRuns"]
    assert report["jobs"] == [
        {
            "id": "j", "state": "completed", "terminateReason": "AllTasksComplete", "cost": 0.0,
            "unpricedNodeSeconds": 0.0, "budget": None, "schedulingError": None,
        }
    ]  # fmt: skip
    node = report["tasks"][0]["nodeId"]
    assert node.startswith("node_")
    results = [("good", "success", 0, 0), ("bad", "failure", 3, 1), ("long", "success", 0, 0)]
    assert report["tasks"] == [
        {
            "jobId": "j", "id": name, "state": "completed", "result": result, "exitCode": code,
            "retryCount": retries, "requeueCount": 0, "nodeId": node,
        }
        for name, result, code, retries in results
    ]  # fmt: skip
    (pool,) = report["pools"]
    seconds = pool.pop("nodeSeconds")
    assert 0 < seconds < stage.took[0]
    assert pool == {
        "id": "p", "deleted": False, "currentDedicatedNodes": 0, "currentLowPriorityNodes": 0, "peakNodes": 1,
        "cost": 0.0,
        "unpricedNodeSeconds": 0.0, "idleCost": 0.0, "budget": None, "nodes": [],
    }  # fmt: skip
    assert report["autoScaleRuns"] == []


def test_progress_goes_beside_the_object(done):
    _, run = done
    for told in ("has 1 node", "task j good", "| out", "is at zero", "nodes over time", "2 succeeded, 1 failed"):
        assert told in run.stderr
    assert "Traceback" not in run.stderr


def test_nothing_is_left(done):
    stage, _ = done
    assert stage.processes() == []


def test_logs(done):
    stage, _ = done
    assert stage("logs", "j", "good").stdout == "out\n"
    assert stage("logs", "j", "good", "--stderr").stdout == "err\n"
    for words, told in (
        (("no", "good"), "there is no job 'no'; jobs: j"),
        (("j", "no"), "job 'j' has no task 'no'; tasks: good, bad, long"),
    ):
        run = stage("logs", *words)
        assert (run.returncode, run.stdout) == (1, "")
        assert run.stderr == f"ebbtide: error: {told}\n"


def test_logs_of_all_tasks(done):
    stage, _ = done
    run = stage("logs", "j")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("out\n") and run.stdout.endswith("x" * 2000)
    assert "err\n" in stage("logs", "j", "--stderr").stdout
    assert stage("logs", "no").stderr == "ebbtide: error: there is no job 'no'; jobs: j\n"
    refused = stage("logs", "j", "--follow")
    assert refused.returncode == 2 and "name a TASK for these options" in refused.stderr


def test_logs_say_when_the_beginning_is_gone(done):
    stage, _ = done
    run = stage("logs", "j", "long")
    assert (run.returncode, run.stdout) == (0, "x" * 2000)
    assert run.stderr == "ebbtide: only the last 2000 of 100000 bytes were kept\n"


def test_status(done):
    stage, _ = done
    status = stage.status()
    assert status["nodes"] == []
    assert status["jobs"][0]["tasks"] == {"success": 2, "failure": 1}
    assert "p: state active" in stage("status").stdout


def test_a_second_run_has_nothing_to_do(done):
    stage, first = done
    second = stage("--json", workload=WORKLOAD)
    assert second.returncode == 1
    assert json.loads(second.stdout) == json.loads(first.stdout)


def test_another_workload_on_the_same_state_is_refused(done):
    stage, _ = done
    run = stage(workload=WORKLOAD.replace("taskSlotsPerNode: 4", "taskSlotsPerNode: 3"))
    assert run.returncode == 2
    told = "holds a pool 'p' with other properties, and these are for life: taskSlotsPerNode; use another --state, or"
    assert told in run.stderr
    assert "What can change of a pool: autoScaleFormula, " in run.stderr
    stage.workload.write_text(WORKLOAD)


def test_a_pool_without_a_formula_cannot_be_evaluated(done):
    stage, _ = done
    assert "has no formula" in stage("pool", "autoscale", "evaluate", "p").stderr
    assert "there is no pool 'q'" in stage("pool", "autoscale", "evaluate", "q").stderr


def test_the_live_view(stage, tmp_path):
    """On a terminal the tables are drawn, and what a task prints cannot move the cursor."""
    typescript = tmp_path / "typescript"
    stage.workload.write_text(SLOW % '/')
    command = " ".join([*COMMAND, "run", str(stage.workload), "--state", str(stage.state)])
    if not Path("/usr/bin/script").exists():
        pytest.skip("needs the program `script`")
    run = subprocess.run(
        ["script", "-qec", command, str(typescript)], capture_output=True, env={**os.environ, "TERM": "xterm"},
        check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert run.returncode == 0
    text = typescript.read_text(errors="replace")
    for told in ("last autoscale run", "low-priority", "waiting", "2 of 2", "nodes over time", "\x1b["):
        assert told in text
