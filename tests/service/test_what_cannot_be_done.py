"""`ebbtide run` on work that cannot be done: it does the rest, says why and what would help, and ends without nodes."""

import json

WORKLOAD = """
pools:
- {id: fails, vmSize: local.small, targetDedicatedNodes: 2}
- {id: cheap, vmSize: local.small, targetLowPriorityNodes: 1}
- {id: empty, vmSize: local.small, targetDedicatedNodes: 0}
jobs:
- id: unprepared
  poolInfo: {poolId: fails}
  jobPreparationTask: {commandLine: /bin/sh -c "exit 3"}
  tasks: [{id: a, commandLine: echo a}, {id: b, commandLine: echo b}]
- id: fine
  poolInfo: {poolId: fails}
  onAllTasksComplete: terminatejob
  tasks: [{id: done, commandLine: sleep 2}]
- id: picky
  poolInfo: {poolId: cheap}
  jobManagerTask: {id: m, commandLine: echo m, allowLowPriorityNode: false, killJobOnCompletion: false}
  tasks: [{id: t, commandLine: echo t}]
- id: nowhere
  poolInfo: {poolId: empty}
  tasks: [{id: x, commandLine: echo x}]
"""
SCHEDULE = """
pools:
- {id: p, vmSize: local.small, targetDedicatedNodes: 1}
jobSchedules:
- id: s
  schedule: {recurrenceInterval: PT1H}
  jobSpecification:
    poolInfo: {poolId: p}
    jobManagerTask: {id: m, commandLine: echo m}
"""


def test_the_rest_is_done_and_the_reasons_are_told(stage):
    run = stage("--json", workload=WORKLOAD)
    assert run.returncode == 1, run.stderr
    states = {(task["jobId"], task["id"]): task["state"] for task in json.loads(run.stdout)["tasks"]}
    done = {("fine", "done"), ("picky", "t")}
    assert {key for key, state in states.items() if state == "completed"} == done
    errors = [line for line in run.stderr.splitlines() if line.startswith("ebbtide: error: ")]
    for told in (
        "job unprepared: its preparation task failed on every node of pool 'fails', and no other is to come; the last",
        "task picky m: it may not run on a low-priority node, and pool 'cheap' has no dedicated one; resize the pool",
        "job nowhere: pool 'empty' has no node, its target is 0 and it has no formula; resize it",
    ):
        assert any(told in line for line in errors), run.stderr
    assert "cannot go on without help" in run.stderr
    status = stage.status()
    assert status["nodes"] == [] and stage.processes() == []
    waits = {job["id"]: job["waits"] for job in status["jobs"]}
    assert waits["picky"].startswith("task m: it may not run on a low-priority node")
    assert "its job cannot go on: its preparation task failed" in stage("status", "--job", "unprepared").stdout


def test_a_disabled_schedule_is_told(stage):
    assert stage("--occurrences", "1", workload=SCHEDULE).returncode == 0
    assert stage("schedule", "disable", "s").returncode == 0
    run = stage(workload=SCHEDULE)
    assert run.returncode == 0, run.stderr
    assert "schedule s is disabled: nothing to do; enable it: ebbtide schedule enable s --state " in run.stderr
    assert stage("schedule", "enable", "s").returncode == 0
    again = stage("--occurrences", "1", workload=SCHEDULE)
    assert (again.returncode, "disabled" in again.stderr) == (0, False)
