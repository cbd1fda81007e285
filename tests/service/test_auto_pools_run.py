"""`ebbtide run` of jobs that bring their pools with them, on local nodes."""

import json

from .stage import Stage

WORKLOAD = """
jobs:
- id: j
  poolInfo:
    autoPoolSpecification:
      poolLifetimeOption: job
      autoPoolIdPrefix: mine
      pool: {vmSize: local.small, targetDedicatedNodes: 1, taskSlotsPerNode: 2}
  onAllTasksComplete: terminatejob
  maxParallelTasks: 1
  tasks:
  - {id: a, commandLine: "/bin/sh -c 'echo $AZ_BATCH_POOL_ID'"}
  - {id: b, commandLine: "true", requiredSlots: 2}
jobSchedules:
- id: s
  schedule: {recurrenceInterval: PT1H}
  jobSpecification:
    poolInfo:
      autoPoolSpecification: {poolLifetimeOption: jobschedule, pool: {vmSize: local.small, targetLowPriorityNodes: 1}}
    jobManagerTask: {id: m, commandLine: "true"}
"""


def test_the_pools_come_and_go(tmp_path):
    stage = Stage(tmp_path)
    try:
        run = stage("--json", "--occurrences", "1", workload=WORKLOAD)
        assert run.returncode == 0, run.stderr
        report = json.loads(run.stdout)
        assert [(each["id"], each["exitCode"]) for each in report["tasks"]] == [("a", 0), ("b", 0), ("m", 0)]
        assert {each["id"]: each["state"] for each in report["jobs"]} == {"j": "completed", "s:job-1": "completed"}
        assert stage("logs", "j", "a").stdout.startswith("mine_")
        gone = {pool["id"].startswith("mine_"): pool["deleted"] for pool in report["pools"]}
        assert gone == {True: True, False: False}
        assert all(pool["nodeSeconds"] > 0 and pool["peakNodes"] == 1 for pool in report["pools"])
        assert "mine_" in run.stderr, "the table for people has them too"
        assert stage.processes() == []
    finally:
        stage.close()
