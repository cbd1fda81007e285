"""A pool whose nodes fail again and again: it stops, says why, keeps what a node printed, and goes on when told to."""

import json

BROKEN = """
pools:
- id: p
  vmSize: local.small
  targetDedicatedNodes: 1
  startTask: {commandLine: "/bin/sh -c 'echo what it printed; echo what went wrong >&2; exit %d'"}
jobs:
- id: j
  poolInfo: {poolId: p}
  onAllTasksComplete: terminatejob
  tasks: [{id: t, commandLine: "echo done"}]
"""
QUICK = {"EBBTIDE_BREAKER_AFTER": "2", "EBBTIDE_BACK_OFF_BASE": "PT0.1S"}


def test_it_stops_tells_and_goes_on(stage):
    run = stage(workload=BROKEN % 3, **QUICK)
    assert run.returncode == 1
    assert "error: " in run.stderr
    assert "nodes failed 2 times in a row" in run.stderr

    (pool,) = stage.status()["pools"]
    assert (pool["provider"], pool["vmSize"], pool["currentNodes"]) == ("local", "local.small", 0)
    assert pool["circuitBreakerOpenSince"] is not None
    assert any(error.startswith("CircuitBreakerOpen: ") for error in pool["resizeErrors"])

    logs = stage("node", "logs", pool["failedNode"])
    assert logs.returncode == 0, logs.stderr
    assert "what it printed\n" in logs.stdout
    assert "what went wrong\n" in logs.stdout
    assert f"--- standard error of the start task of {pool['failedNode']}, pool p, 16 bytes\n" in logs.stdout
    unknown = stage("node", "logs", "nobody")
    assert (unknown.returncode, pool["failedNode"] in unknown.stderr) == (1, True)

    again = stage(workload=BROKEN % 3, **QUICK)
    assert again.returncode == 1
    assert "nodes failed 2 times in a row" in again.stderr  # nothing was tried
    assert json.dumps(stage.status()["pools"][0]["failedNode"]) == json.dumps(pool["failedNode"])

    resumed = stage("pool", "resume", "p")
    assert (resumed.returncode, resumed.stdout) == (0, "pool p: may create nodes again\n")
    assert "the next `ebbtide run` acts on it" in resumed.stderr
    assert stage("pool", "resume", "p").stdout == "pool p was not stopped\n"
    assert stage.status()["pools"][0]["circuitBreakerOpenSince"] is None
    absent = stage("pool", "resume", "q")
    assert (absent.returncode, "'q'" in absent.stderr) == (1, True)


def test_a_corrected_start_task_and_size_are_a_new_try(stage):
    assert stage(workload=BROKEN % 3, **QUICK).returncode == 1
    mended = stage(workload=(BROKEN % 0).replace("local.small", "local.medium"), **QUICK)
    assert mended.returncode == 0, mended.stderr
    (pool,) = stage.status()["pools"]
    assert (pool["vmSize"], pool["circuitBreakerOpenSince"], pool["resizeErrors"]) == ("local.medium", None, [])
    assert stage("logs", "j", "t").stdout == "done\n"
