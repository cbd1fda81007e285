"""What is gone on purpose is not run again by the next `ebbtide run`, and stands in the way of nothing else."""

import json

import pytest

from runner import forgotten, open_journal

WORKLOAD = """
pools:
- {id: p, vmSize: local.small, targetLowPriorityNodes: 1, taskSlotsPerNode: 4}
jobs:
- id: Once
  poolInfo: {poolId: p}
  onAllTasksComplete: terminatejob
  tasks: [{id: A, commandLine: "true"}, {id: b, commandLine: "true"}]
- id: open
  poolInfo: {poolId: p}
  tasks: [{id: c, commandLine: "true"}, {id: d, commandLine: "true"}]
"""
FURTHER = "- {id: more, poolInfo: {poolId: p}, tasks: [{id: e, commandLine: 'true'}]}\n"
OTHER_CASE = WORKLOAD.replace("Once", "ONCE").replace("{id: A", "{id: a").replace("{id: c", "{id: C")


@pytest.fixture
def stage(stage):
    """It has run."""
    assert tasks(stage, WORKLOAD) == ({"Once/A", "Once/b", "open/c", "open/d"}, [])
    return stage


def tasks(stage, workload):
    """The tasks that the state holds after a good run of the workload, and what it said of those that it left alone."""
    run = stage("--json", workload=workload)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)["tasks"]
    assert {task["result"] for task in report} == {"success"}
    told = [line for line in run.stderr.splitlines() if "not run again" in line]
    return {f"{task['jobId']}/{task['id']}" for task in report}, told


@pytest.mark.parametrize("workload", [WORKLOAD, OTHER_CASE])
def test_deleted_tasks(stage, workload):
    assert stage("task", "delete", "once", "a").returncode == 0
    assert stage("task", "delete", "open", "c").returncode == 0
    held, told = tasks(stage, workload + FURTHER)
    assert held == {"Once/b", "open/d", "more/e"}
    (line,) = told
    assert "`ebbtide job delete Once open --state" in line
    assert stage("job", "delete", "Once", "open").returncode == 0
    assert tasks(stage, WORKLOAD) == ({"Once/A", "Once/b", "open/c", "open/d", "more/e"}, [])


@pytest.mark.parametrize("workload", [WORKLOAD, OTHER_CASE])
def test_a_forgotten_job(stage, workload):
    assert stage("gc", EBBTIDE_JOB_RETENTION="PT0.000001S").returncode == 0
    held, told = tasks(stage, workload + FURTHER)
    assert held == {"open/c", "open/d", "more/e"}
    (line,) = told
    assert "`ebbtide job delete" in line
    assert stage("job", "delete", "oNCE").returncode == 0
    assert stage("job", "delete", "oNCE").returncode == 1
    assert tasks(stage, WORKLOAD) == ({"Once/A", "Once/b", "open/c", "open/d", "more/e"}, [])


def test_a_job_that_is_half_forgotten(stage):
    """The controller was killed while it forgot the job."""
    journal = open_journal(f"sqlite:///{stage.state}/ebbtide.db")
    job = journal.job("Once")
    assert job is not None
    journal.commit(forgotten(job, 1.0))
    journal.forgetting.forget_tasks("Once")
    journal.close()
    held, told = tasks(stage, WORKLOAD + FURTHER)
    assert held == {"open/c", "open/d", "more/e"}
    assert len(told) == 1
