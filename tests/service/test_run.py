"""`ebbtide run` and its companions, for real: local nodes, one state."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from providers import marked_processes
from runner import JournalError, open_journal

COMMAND = [sys.executable, "-m", "service"]
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
  - {id: long, commandLine: /bin/sh -c "head -c 5000 /dev/zero | tr '\\\\0' x"}
"""
SLOW = """
pools:
- {id: p, vmSize: local.small, targetLowPriorityNodes: 1}
jobs:
- id: j
  poolInfo: {poolId: p}
  onAllTasksComplete: terminatejob
  tasks:
  - {id: first, commandLine: /bin/sh -c 'until [ -e %s ]; do sleep 0.1; done'}
  - {id: second, commandLine: echo second}
"""


class Stage:
    """A state directory and the commands on it."""

    def __init__(self, directory):
        self.state = directory / "state"
        self.workload = directory / "w.yaml"
        self.running = []

    def __call__(self, *words, workload=None, **environment):
        run = self.start(*words, workload=workload, **environment)
        out, err = run.communicate(timeout=60)
        return subprocess.CompletedProcess(run.args, run.returncode, out.decode(), err.decode())

    def start(self, *words, workload=None, **environment):
        if workload is not None:
            self.workload.write_text(workload)
            words = ("run", str(self.workload), *words)
        run = subprocess.Popen(
            [*COMMAND, *words, "--state", str(self.state)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.running.append(run)
        return run

    def status(self):
        run = self("status", "--json")
        return json.loads(run.stdout) if run.returncode == 0 else {"pools": [], "nodes": [], "jobs": []}

    def until_running(self):
        database = self.state / "ebbtide.db"
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            if database.exists() and database.stat().st_size and "running" in self.task_states():
                return
            time.sleep(0.05)
        raise AssertionError(f"no task runs: {self.status()}")

    def task_states(self):
        """Cheaper than a command."""
        try:
            journal = open_journal(f"sqlite:///{self.state}/ebbtide.db", upgrade=False)
        except JournalError:
            return []  # its tables are being made
        try:
            return [task.state for task in journal.tasks("j")]
        finally:
            journal.close()

    def processes(self):
        return marked_processes((self.state / "deployment").read_text().strip())

    def close(self):
        for run in self.running:
            if run.poll() is None:
                run.kill()
            if run.stdout is not None and not run.stdout.closed:
                run.communicate()
        if self.state.exists():
            subprocess.run([*COMMAND, "down", "--now", "--state", str(self.state)], capture_output=True, check=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run that is over, with what it wrote."""
    stage = Stage(tmp_path_factory.mktemp("done"))
    run = stage("--json", workload=WORKLOAD, EBBTIDE_OUTPUT_CAP="2000")
    yield stage, run
    stage.close()


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_the_object_of_a_run(done):
    _, run = done
    assert run.returncode == 1, run.stderr  # one task fails
    report = json.loads(run.stdout)
    assert list(report) == ["jobs", "tasks", "pools", "autoScaleRuns"]
    assert report["jobs"] == [{"id": "j", "state": "completed", "terminateReason": "AllTasksComplete"}]
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
    assert 0 < seconds < 60
    assert pool == {
        "id": "p", "currentDedicatedNodes": 0, "currentLowPriorityNodes": 0, "peakNodes": 1, "cost": 0.0,
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


def test_logs_say_when_the_beginning_is_gone(done):
    stage, _ = done
    run = stage("logs", "j", "long")
    assert run.returncode == 0
    if len(run.stdout) < 5000:
        assert "bytes were kept" in run.stderr


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
    assert "holds a pool 'p' with other properties" in run.stderr
    stage.workload.write_text(WORKLOAD)


def test_a_pool_without_a_formula_cannot_be_evaluated(done):
    stage, _ = done
    assert "has no formula" in stage("pool", "evaluate", "p").stderr
    assert "there is no pool 'q'" in stage("pool", "evaluate", "q").stderr


@pytest.mark.slow
def test_one_interrupt_drains(stage, tmp_path):
    gate = tmp_path / "gate"
    run = stage.start(workload=SLOW % gate)
    stage.until_running()
    for words in (("down",), ("run", str(stage.workload))):
        refused = stage(*words)
        assert refused.returncode == 2
        assert f"another ebbtide (pid {run.pid}) works on the state" in refused.stderr
    run.send_signal(signal.SIGTERM)
    while stage.status()["nodes"][0]["state"] != "leavingpool":
        time.sleep(0.1)
    gate.touch()
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 130
    assert b"SIGTERM: no new work" in out
    assert stage.processes() == []
    tasks = stage.status()["jobs"][0]["tasks"]
    assert tasks == {"success": 1, "active": 1}
    assert "task 'second' is active; its output is kept when it has ended" in stage("logs", "j", "second").stderr
    assert stage(workload=SLOW % gate).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--now",), ("--pool", "p")])
def test_two_interrupts_leave_and_down_ends(stage, words):
    run = stage.start(workload=SLOW % "/nowhere")
    stage.until_running()
    run.send_signal(signal.SIGINT)
    time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=10)
    assert run.returncode == 130
    (vm,) = {process.vm_name for process in stage.processes()}
    assert f"these VMs still run: {vm}".encode() in err
    assert f"ebbtide down --state {stage.state}".encode() in err
    down = stage("down", *words)
    assert down.returncode == 0, down.stderr
    assert f"ended {vm} (pool p)" in down.stdout
    assert stage.processes() == []
    status = stage.status()
    assert status["nodes"] == []
    assert status["jobs"][0]["tasks"] == {"active": 2}


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["missing", "garbage"])
def test_down_without_records(stage, damage):
    run = stage.start(workload=SLOW % "/nowhere")
    stage.until_running()
    run.kill()
    run.communicate()
    assert stage.processes()
    for path in stage.state.glob("ebbtide.db*"):
        path.unlink()
    if damage == "garbage":
        (stage.state / "ebbtide.db").write_bytes(b"garbage" * 1000)
    refused = stage("down", "--pool", "p")
    assert refused.returncode == 2
    assert "which VMs belong to pool 'p' is not known" in refused.stderr
    down = stage("down")
    assert down.returncode == 0, down.stderr
    assert "the records cannot be read, the VMs are ended all the same" in down.stdout
    assert stage.processes() == []


def test_the_live_view(stage, tmp_path):
    """On a terminal the tables are drawn, and what a task prints cannot move the cursor."""
    typescript = tmp_path / "typescript"
    stage.workload.write_text(SLOW % '/')
    command = " ".join([*COMMAND, "run", str(stage.workload), "--state", str(stage.state)])
    if not Path("/usr/bin/script").exists():
        pytest.skip("needs the program `script`")
    run = subprocess.run(
        ["script", "-qec", command, str(typescript)], capture_output=True, env={**os.environ, "TERM": "xterm"},
        check=False, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0
    text = typescript.read_text(errors="replace")
    for told in ("last autoscale run", "low-priority", "preparing", "nodes over time", "\x1b["):
        assert told in text
