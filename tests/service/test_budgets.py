"""Budgets and costs as a user meets them: a run that stops for money, what is told, and how it goes on."""

import json

import pytest

#: A node costs 1 per second.
PRICES = "prices: {local.small: {dedicated: 3600}}\n"
WORKLOAD = """
pools:
- id: p
  vmSize: local.small
  targetDedicatedNodes: 1
  metadata: [%s]
jobs:
- id: j
  poolInfo: {poolId: p}
  onAllTasksComplete: terminatejob
  metadata: [%s]
  tasks:
  - {id: first, commandLine: sleep 2}
  - {id: second, commandLine: echo done}
"""


def budget(amount, action):
    return f"{{name: budget, value: '{amount}'}}, {{name: budgetAction, value: {action}}}"


@pytest.fixture
def paid(stage, tmp_path):
    config = tmp_path / "settings.yaml"
    config.write_text(PRICES)
    return lambda pool="", job="": stage("--json", "--config", str(config), workload=WORKLOAD % (pool, job))


def test_a_job_stops_is_told_and_goes_on(stage, paid):
    stopped = paid(job=budget(1, "stop"))
    assert stopped.returncode == 1
    assert "BudgetWarning: 80% of the job's budget of 1 is used" in stopped.stderr
    text = "the job's budget of 1 is used up: no further task is started"
    assert f"w.yaml: job j: {text}" in stopped.stderr
    (job,) = json.loads(stopped.stdout)["jobs"]
    assert (job["budget"], job["state"]) == (1.0, "active")
    assert job["schedulingError"].startswith(f"BudgetReached: {text}")
    assert job["cost"] >= 2.0

    status = stage.status()
    (kept,) = status["jobs"]
    assert (kept["cost"], kept["schedulingError"]) == (job["cost"], job["schedulingError"])
    assert kept["tasks"] == {"success": 1, "active": 1}
    lines = stage("status").stdout
    assert "budget 1.0, " in lines and f"\n    schedulingError: BudgetReached: {text}" in lines
    assert "cost 2." in lines

    done = paid(job=budget(1000, "stop"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (job,), (pool,) = report["jobs"], report["pools"]
    assert (job["state"], job["schedulingError"], job["budget"]) == ("completed", None, 1000.0)
    assert pool["cost"] == pytest.approx(pool["nodeSeconds"], abs=0.01)
    assert pool["idleCost"] == pytest.approx(pool["cost"] - job["cost"], abs=0.01)
    assert (pool["unpricedNodeSeconds"], pool["nodes"], pool["budget"]) == (0.0, [], None)
    assert "idle" in done.stderr


def test_a_pool_is_drained(stage, paid):
    drained = paid(pool=budget(1, "drain"))
    assert drained.returncode == 1
    text = "the pool's budget of 1 is used up: no further node is created, and those that are there leave when"
    assert f"w.yaml: pool p: {text}" in drained.stderr
    report = json.loads(drained.stdout)
    assert report["tasks"][1]["state"] == "active", "nothing more was begun"
    assert report["pools"][0]["cost"] >= 1.0
    assert stage.status()["nodes"] == []
    assert paid(pool=budget(1000, "drain")).returncode == 0
