"""Every operation that the Azure CLI reaches, command by command."""

from __future__ import annotations

from .az import Command, idle
from .flow import AS_ROOT

_IMAGE = "--image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id 'batch.node.ubuntu 22.04'"

_AS_ADMIN = " --is-admin" if AS_ROOT else ""

WALKTHROUGH: tuple[Command, ...] = (
    # pools
    Command(
        "pool supported-images list", shows=lambda found: any("ubuntu" in each["nodeAgentSkuId"] for each in found)
    ),
    Command(f"pool create --id mypool {_IMAGE} --target-dedicated-nodes 2 --vm-size standard_d2s_v3"),
    Command(f"pool create --id mypool {_IMAGE} --target-dedicated 1 --vm-size standard_d2s_v3", refused="PoolExists"),
    Command("pool show --pool-id mypool", shows=lambda pool: pool["targetDedicatedNodes"] == 2),
    Command("pool show --pool-id mypool --query allocationState", until=lambda state: state == "steady"),
    Command("pool list --filter \"startswith(id,'my')\" --select id", shows=lambda found: found[0]["id"] == "mypool"),
    Command("node list --pool-id mypool", until=idle(2), keep=("node", lambda nodes: nodes[0]["id"])),
    Command("node show --pool-id mypool --node-id {node}", shows=lambda node: node["isDedicated"] is True),
    Command(
        "pool node-counts list --filter \"poolId eq 'mypool'\"", shows=lambda found: found[0]["dedicated"]["idle"] == 2
    ),
    Command("pool resize --pool-id mypool --target-dedicated-nodes 3"),
    Command("node list --pool-id mypool", until=idle(3)),
    Command("pool show --pool-id mypool", until=lambda pool: pool["allocationState"] == "steady"),
    Command("pool resize --pool-id mypool --abort", refused="OperationInvalidForCurrentState"),
    Command("pool set --pool-id mypool --metadata stage=two"),
    Command("pool show --pool-id mypool", shows=lambda pool: pool["metadata"] == [{"name": "stage", "value": "two"}]),
    Command("pool reset --pool-id mypool", shows=lambda pool: not pool.get("metadata")),
    # nodes, and logging in to them
    Command(f"node user create --pool-id mypool --node-id {{node}} --name student --password Pa55w0rd{_AS_ADMIN}"),
    Command("node user reset --pool-id mypool --node-id {node} --user-name student --password Other55"),
    Command(
        "node remote-login-settings show --pool-id mypool --node-id {node}",
        shows=lambda found: found["remoteLoginPort"] > 0,
    ),
    Command("node user delete --pool-id mypool --node-id {node} --user-name student --yes"),
    Command("node scheduling disable --pool-id mypool --node-id {node} --node-disable-scheduling-option requeue"),
    Command("node show --pool-id mypool --node-id {node}", shows=lambda node: node["schedulingState"] == "disabled"),
    Command("node scheduling disable --pool-id mypool --node-id {node}"),
    Command("node scheduling enable --pool-id mypool --node-id {node}"),
    Command("node reboot --pool-id mypool --node-id {node} --node-reboot-option requeue"),
    Command("node list --pool-id mypool", until=idle(3)),
    Command("node delete --pool-id mypool --node-list {node}"),
    Command("node list --pool-id mypool", until=idle(2), keep=("node", lambda nodes: nodes[0]["id"])),
    Command(
        "node service-logs upload --pool-id mypool --node-id {node} --container-url https://example.org/logs"
        " --start-time 2026-01-01T00:00:00Z",
        refused="OperationNotSupported",
    ),
    # jobs and tasks
    Command("job create --id myjob --pool-id mypool"),
    Command("job create --id myjob --pool-id mypool", refused="JobExists"),
    *(
        Command(
            f"task create --job-id myjob --task-id task{number}"
            " --command-line \"/bin/sh -c 'printenv | grep AZ_BATCH; sleep 1'\"",
            shows=lambda task: task["state"] in ("active", "preparing", "running", "completed"),
        )
        for number in range(1, 5)
    ),
    Command("task list --job-id myjob", until=lambda found: [each["state"] for each in found] == ["completed"] * 4),
    Command("task show --job-id myjob --task-id task1", shows=lambda task: task["executionInfo"]["exitCode"] == 0),
    Command("job task-counts show --job-id myjob", shows=lambda found: found["taskCounts"]["succeeded"] == 4),
    Command(
        "task file list --job-id myjob --task-id task1",
        shows=lambda found: {"stdout.txt", "stderr.txt"} <= {each["name"] for each in found},
    ),
    Command("task file download --job-id myjob --task-id task1 --file-path stdout.txt --destination {folder}/task.txt"),
    Command("task show --job-id myjob --task-id task1", keep=("ran_on", lambda task: task["nodeInfo"]["nodeId"])),
    Command(
        "node file list --pool-id mypool --node-id {ran_on} --recursive",
        shows=lambda found: "workitems/myjob/job-1/task1/stdout.txt" in {each["name"] for each in found},
    ),
    Command(
        "node file download --pool-id mypool --node-id {ran_on} --file-path workitems/myjob/job-1/task1/stdout.txt"
        " --destination {folder}/node.txt"
    ),
    Command("task file show --job-id myjob --task-id task1 --file-path stdout.txt", broken="no attribute 'items'"),
    Command(
        "node file show --pool-id mypool --node-id {ran_on} --file-path workitems/myjob/job-1/task1/stdout.txt",
        broken="no attribute 'items'",
    ),
    Command("task file delete --job-id myjob --task-id task1 --file-path stderr.txt --yes"),
    Command("task show --job-id myjob --task-id task2", keep=("ran_on", lambda task: task["nodeInfo"]["nodeId"])),
    Command(
        "node file delete --pool-id mypool --node-id {ran_on} --file-path workitems/myjob/job-1/task2/stderr.txt --yes"
    ),
    Command("task create --job-id myjob --task-id fails --command-line \"/bin/sh -c 'exit 3'\""),
    Command(
        "task show --job-id myjob --task-id fails",
        until=lambda task: task["executionInfo"].get("failureInfo", {}).get("code") == "FailureExitCode",
    ),
    Command("task reset --job-id myjob --task-id fails --max-task-retry-count 1"),
    Command(
        "task show --job-id myjob --task-id fails",
        shows=lambda task: task["constraints"]["maxTaskRetryCount"] == 1,
    ),
    Command("task reactivate --job-id myjob --task-id fails"),
    Command("task create --job-id myjob --task-id long --command-line 'sleep 600'"),
    Command("task show --job-id myjob --task-id long", until=lambda task: task["state"] == "running"),
    Command("pool resize --pool-id mypool --target-dedicated-nodes 0 --node-deallocation-option taskcompletion"),
    Command("pool show --pool-id mypool", shows=lambda pool: pool["allocationState"] == "resizing"),
    Command("pool resize --pool-id mypool --abort"),
    Command("task stop --job-id myjob --task-id long"),
    Command("pool show --pool-id mypool", until=lambda pool: pool["allocationState"] == "steady"),
    Command("pool resize --pool-id mypool --target-dedicated-nodes 2"),
    Command("task delete --job-id myjob --task-id long --yes"),
    Command("task show --job-id myjob --task-id long", refused="TaskNotFound"),
    Command("task subtask list --job-id myjob --task-id task1", shows=lambda found: found == []),
    Command("job disable --job-id myjob --disable-tasks requeue"),
    Command("job show --job-id myjob", until=lambda job: job["state"] == "disabled"),
    Command("job enable --job-id myjob"),
    Command("job set --job-id myjob --on-all-tasks-complete terminateJob"),
    Command(
        "job show --job-id myjob",
        until=lambda job: job["executionInfo"].get("terminateReason") == "AllTasksComplete",
        shows=lambda job: job["onAllTasksComplete"] == "terminatejob",
    ),
    Command("task create --job-id myjob --task-id late --command-line true", refused="JobCompleted"),
    Command("job create --id stopped --pool-id mypool"),
    Command("job stop --job-id stopped"),
    Command("job show --job-id stopped", until=lambda job: job["state"] == "completed"),
    Command(
        "job list --filter \"state eq 'completed'\"", shows=lambda found: {each["id"] for each in found} >= {"myjob"}
    ),
    Command("job prep-release-status list --job-id myjob", shows=lambda found: found == []),
    Command("job reset --job-id stopped --pool-id mypool --priority 7", refused="JobCompleted"),
    Command("job create --id reset --pool-id mypool --priority 3 --metadata stage=one"),
    Command("job reset --job-id reset --pool-id mypool --priority 7"),
    Command("job show --job-id reset", shows=lambda job: (job["priority"], job.get("metadata")) == (7, None)),
    Command("job delete --job-id reset --yes"),
    # files: dependencies, a start task with elevation
    Command("job create --json-file {files}/job-with-dependencies.json"),
    Command("task create --job-id depends --json-file {files}/tasks-with-dependencies.json"),
    Command("task show --job-id depends --task-id Together", until=lambda task: task["state"] == "completed"),
    Command("pool create --json-file {files}/pool-with-start-task.json"),
    Command("node list --pool-id prepared", until=idle(1), keep=("prepared", lambda nodes: nodes[0]["id"])),
    Command("pool show --pool-id prepared", shows=lambda pool: pool["taskSlotsPerNode"] == 2),
    Command(
        "node file download --pool-id prepared --node-id {prepared} --file-path startup/stdout.txt"
        " --destination {folder}/start.txt"
    ),
    # formulas
    Command(
        "pool autoscale evaluate --pool-id prepared --auto-scale-formula '$TargetDedicatedNodes=1;'",
        refused="AutoScalingNotEnabled",
    ),
    Command(
        "pool autoscale enable --pool-id prepared --auto-scale-formula '$TargetDedicatedNodes=0;'"
        " --auto-scale-evaluation-interval PT5M"
    ),
    Command(
        "pool autoscale evaluate --pool-id prepared --auto-scale-formula '$TargetDedicatedNodes=4;'",
        shows=lambda run: run["results"].startswith("$TargetDedicatedNodes=4;"),
    ),
    Command("pool show --pool-id prepared", until=lambda pool: pool["currentDedicatedNodes"] == 0),
    Command("pool resize --pool-id prepared --target-dedicated-nodes 1", refused="PoolHasAutoScaleEnabled"),
    Command("pool autoscale disable --pool-id prepared"),
    # schedules
    Command("job-schedule create --json-file {files}/schedule.json"),
    Command(
        "job-schedule show --job-schedule-id nightly",
        until=lambda found: found["executionInfo"].get("recentJob", {}).get("id") == "nightly:job-1",
    ),
    Command("job show --job-id nightly:job-1", until=lambda job: job["state"] == "completed"),
    Command(
        "job list --job-schedule-id nightly", shows=lambda found: [each["id"] for each in found] == ["nightly:job-1"]
    ),
    Command(
        "task file download --job-id nightly:job-1 --task-id manager --file-path stdout.txt"
        " --destination {folder}/night.txt"
    ),
    Command("job-schedule set --job-schedule-id nightly --recurrence-interval PT02H00M00S"),
    Command(
        "job-schedule show --job-schedule-id nightly",
        shows=lambda found: found["schedule"]["recurrenceInterval"] in ("2:00:00", "PT2H"),
    ),
    Command("job-schedule reset --job-schedule-id nightly --json-file {files}/schedule.json"),
    Command("job-schedule disable --job-schedule-id nightly"),
    Command("job-schedule show --job-schedule-id nightly", shows=lambda found: found["state"] == "disabled"),
    Command("job-schedule enable --job-schedule-id nightly"),
    Command("job-schedule list", shows=lambda found: [each["id"] for each in found] == ["nightly"]),
    Command("job-schedule stop --job-schedule-id nightly"),
    Command("job-schedule delete --job-schedule-id nightly --yes"),
    # what is not served
    Command("pool usage-metrics list", refused="OperationNotSupported"),
    # the end
    Command("application summary list", shows=lambda found: [each["versions"] for each in found] == [["1.0"], ["1.0"]]),
    Command("application summary show --application-id pythonsetup", shows=lambda found: found["id"] == "pythonsetup"),
    Command("application summary show --application-id none", refused="ApplicationNotFound"),
    Command("job delete --job-id myjob --yes"),
    Command("job delete --job-id stopped --yes"),
    Command("job delete --job-id depends --yes"),
    Command("job list", until=lambda found: found == []),
    Command("pool delete --pool-id prepared --yes"),
    Command("pool delete --pool-id mypool --yes"),
    Command("pool list", until=lambda found: found == []),
)

#: What stands in the files that were downloaded.
DOWNLOADED = {
    "task.txt": "AZ_BATCH_TASK_ID=task1",
    "node.txt": "AZ_BATCH_TASK_ID=task1",
    "start.txt": "prepared as",
    "night.txt": "night",
}
