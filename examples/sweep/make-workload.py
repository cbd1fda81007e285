#!/usr/bin/env python3
"""make-workload.py > workload.yaml: one short task for each of 1,000 parts."""

PARTS = 1000

HEAD = """\
# Written by make-workload.py: a sweep of 1,000 short tasks that differ in their ids only.

applications:
  - id: sweep
    source: sweep                       # relative to this file

pools:
  - id: sweepers
    vmSize: local.small                 # nodes are processes on this machine
    targetDedicatedNodes: 2
    taskSlotsPerNode: 2
    applicationPackageReferences: [{applicationId: sweep}]

jobs:
  - id: sweep
    poolInfo: {poolId: sweepers}
    onAllTasksComplete: terminatejob
    tasks:
    - &part
      id: 1
      commandLine: /bin/sh -c "exec awk -v part=$AZ_BATCH_TASK_ID -f $AZ_BATCH_APP_PACKAGE_sweep/longest.awk"
"""


def workload() -> str:
    parts = [f"- {{<<: *part, id: {number}}}" for number in range(2, PARTS + 1)]
    return HEAD + "".join(f"    {part}\n" for part in parts)


if __name__ == "__main__":
    print(workload(), end="")
