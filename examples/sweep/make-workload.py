#!/usr/bin/env python3
"""make-workload.py > workload.yaml: one short task for each of 1,000 parts, and one that waits for all of them."""

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
    usesTaskDependencies: true
    onAllTasksComplete: terminatejob
    tasks:
    - id: best
      dependsOn: {taskIdRanges: [{start: 1, end: 1000}]}
      resourceFiles: [{storageContainerUrl: "storage://sweep", blobPrefix: parts/}]
      commandLine: /bin/sh -c "cat parts/* | sort -rn | head -n 5 | awk '{ print $2 \\" takes \\" $1 \\" steps\\" }'"
    - &part
      id: 1
      commandLine: >-
        /bin/sh -c "awk -v part=$AZ_BATCH_TASK_ID -f $AZ_BATCH_APP_PACKAGE_sweep/longest.awk > $AZ_BATCH_TASK_ID"
      outputFiles:
      - filePattern: "[0-9]*"
        destination: {container: {containerUrl: "storage://sweep", path: parts}}
        uploadOptions: {uploadCondition: tasksuccess}
"""


def workload() -> str:
    parts = [f"- {{<<: *part, id: {number}}}" for number in range(2, PARTS + 1)]
    return HEAD + "".join(f"    {part}\n" for part in parts)


if __name__ == "__main__":
    print(workload(), end="")
