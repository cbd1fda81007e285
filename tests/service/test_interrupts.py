"""Interrupts, and what ends the VMs that are left: real processes, ended in the middle."""

import signal

import pytest

from .stage import PATIENCE, SLOW

pytestmark = pytest.mark.slow


def test_one_interrupt_drains(stage, tmp_path):
    gate = tmp_path / "gate"
    run = stage.start(workload=SLOW % gate)
    stage.until_running()
    for words, instead in (
        (("down",), "then give this command again if a VM is left"),
        (("run", str(stage.workload)), "or use another --state"),
        (("reap",), "or look with --dry-run"),
        (("pool", "autoscale", "evaluate", "p", "--apply"), "or leave --apply out"),
    ):
        refused = stage(*words)
        assert refused.returncode == 2
        assert f"another ebbtide (pid {run.pid}) works on the state" in refused.stderr
        assert f"stop it (kill -INT {run.pid} lets" in refused.stderr and instead in refused.stderr
    run.send_signal(signal.SIGTERM)
    stage.until(
        lambda: [node["state"] for node in stage.status()["nodes"]] == ["leavingpool"], "the node to take no more work"
    )
    gate.touch()
    out, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert b"SIGTERM: no new work" in out
    assert stage.processes() == []
    tasks = stage.status()["jobs"][0]["tasks"]
    assert tasks == {"success": 1, "active": 1}
    assert "task 'second' of job 'j' is active and has not run yet" in stage("logs", "j", "second").stderr
    assert stage(workload=SLOW % gate).returncode == 0


@pytest.mark.parametrize("words", [(), ("--now",), ("--pool", "p")])
def test_two_interrupts_leave_and_down_ends(stage, words):
    run = stage.start(workload=SLOW % "/nowhere")
    stage.until_running()
    run.send_signal(signal.SIGINT)
    while b"SIGINT: no new work" not in run.stdout.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=PATIENCE)
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


def test_down_of_one_pool_leaves_the_others(stage):
    two = SLOW.replace("jobs:", "- {id: q, vmSize: local.small, targetDedicatedNodes: 1}\njobs:")
    two += "- {id: k, poolInfo: {poolId: q}, tasks: [{id: t, commandLine: sleep 300}]}\n"
    run = stage.start(workload=two % "/nowhere")
    stage.until_running()
    stage.until(
        lambda: [node["state"] for node in stage.status()["nodes"]] == ["running", "running"], "both pools to work"
    )
    run.kill()
    run.communicate()
    of_pool = {node["vm"]: node["poolId"] for node in stage.status()["nodes"]}
    assert set(of_pool.values()) == {"p", "q"}
    down = stage("down", "--pool", "p")
    assert down.returncode == 0, down.stderr
    left = {of_pool[process.vm_name] for process in stage.processes()}
    assert left == {"q"}
    refused = stage("down", "--pool", "r")
    assert refused.returncode == 2
    assert "there is no pool 'r'" in refused.stderr
    assert stage("down").returncode == 0
    assert stage.processes() == []


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
