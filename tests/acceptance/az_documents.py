"""The walkthrough of Azure Batch's documents, whose nodes run Windows: what is typed there, what is put in the place of
which of its words here, and what must be answered. Files that are named are in az_files/documents, as theirs are.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .az import Command, idle
from .clients import HERE
from .flow import AS_ROOT


class Substitution(NamedTuple):
    theirs: str
    ours: str
    why: str


@dataclass(frozen=True)
class Step:
    """`theirs`: as the documents have it; `command`: what is typed for it."""

    theirs: str
    command: Command


_LINUX = "nodes run Linux"
_ARM = "what goes to Azure Resource Manager there is a command of ebbtide, which knows no resource groups"
SUBSTITUTIONS = (
    Substitution(
        "MicrosoftWindowsServer:WindowsServer:2016-datacenter-smalldisk",
        "canonical:0001-com-ubuntu-server-jammy:22_04-lts",
        _LINUX,
    ),
    Substitution('"MicrosoftWindowsServer"', '"canonical"', _LINUX),
    Substitution('"WindowsServer"', '"0001-com-ubuntu-server-jammy"', _LINUX),
    Substitution('"2016-datacenter-smalldisk"', '"22_04-lts"', _LINUX),
    Substitution("batch.node.windows amd64", "batch.node.ubuntu 22.04", _LINUX),
    Substitution(
        "'cmd /c \"set AZ_BATCH & timeout /t 90 > NUL\"'",
        "\"/bin/sh -c 'printenv | grep AZ_BATCH; sleep 1'\"",
        f"{_LINUX}; a test does not sleep for 90 seconds",
    ),
    Substitution("cmd /c net localgroup Administrators", "/bin/sh -c 'id -un'", _LINUX),
    Substitution(
        "'cmd /c %AZ_BATCH_APP_PACKAGE_MYAPP%\\hello'", "'/bin/sh -c $AZ_BATCH_APP_PACKAGE_myapp/hello'", _LINUX
    ),
    Substitution("cmd /c echo", "/bin/echo", _LINUX),
    Substitution(
        "az batch account login --name mybatchaccount --resource-group myresourcegroup --shared-key-auth",
        "ebbtide account show ebbtide --state {state}",
        f"{_ARM}: it prints the variables by which az is logged in",
    ),
    Substitution(
        "az batch account keys list --name mybatchaccount --resource-group myresourcegroup",
        "ebbtide account show ebbtide --state {state} --json",
        _ARM,
    ),
    Substitution(
        "az batch application package create --application-name myapp --version-name 1.0 --package-file myapp.zip"
        " --name mybatchaccount --resource-group myresourcegroup",
        "ebbtide app add myapp 1.0 {files}/myapp",
        _ARM,
    ),
    Substitution(
        "az batch application set --application-name myapp --default-version 1.0 --name mybatchaccount"
        " --resource-group myresourcegroup",
        "ebbtide app set-default myapp 1.0",
        _ARM,
    ),
)


#: Where root does not run all this, local nodes have one user.
ONE_USER = (
    Substitution(
        '"elevationLevel": "admin"', '"elevationLevel": "nonAdmin"', "no node of this machine runs tasks as root"
    ),
    Substitution(" --is-admin", "", "no node of this machine has an administrator"),
    Substitution('"scope": "task"', '"scope": "pool"', "no node of this machine has other users"),
)
_ALL = SUBSTITUTIONS if AS_ROOT else SUBSTITUTIONS + ONE_USER


def substituted(text: str) -> str:
    for each in _ALL:
        text = text.replace(each.theirs, each.ours)
    return text


def their_files() -> list[Path]:
    """Those with words that are substituted."""
    return sorted((HERE / "az_files" / "documents").glob("*.json"))


def substituted_files(folder: Path) -> Path:
    """The files that the commands name, in a folder that this makes there."""
    made = folder / "documents"
    shutil.copytree(HERE / "az_files" / "documents", made)
    for path in their_files():
        (made / path.name).write_text(substituted(path.read_text(encoding="utf-8")), encoding="utf-8")
    return made


def _typed(theirs: str, shows: Callable[[Any], object] = lambda answer: True, **checks: Any) -> Step:
    return Step(theirs, Command(substituted(theirs), shows, **checks))


_POOL = "az batch pool create --id mypool --vm-size Standard_A1_v2"
_WINDOWS = (
    "--image MicrosoftWindowsServer:WindowsServer:2016-datacenter-smalldisk"
    " --node-agent-sku-id 'batch.node.windows amd64'"
)
_STDOUT = "workitems\\myjob\\job-1\\task1\\stdout.txt"
DOCUMENTED: tuple[Step, ...] = (
    # an account
    _typed(
        "az batch account login --name mybatchaccount --resource-group myresourcegroup --shared-key-auth",
        lambda said: "AZURE_BATCH_ACCESS_KEY=" in said,
    ),
    _typed(
        "az batch account keys list --name mybatchaccount --resource-group myresourcegroup",
        lambda found: {"primary", "secondary"} <= found.keys(),
    ),
    # a pool
    _typed(f"{_POOL} --target-dedicated 2 {_WINDOWS}"),
    _typed("az batch pool show --pool-id mypool", until=lambda pool: pool["allocationState"] == "steady"),
    _typed("az batch pool show --pool-id mypool --query allocationState", lambda state: state == "steady"),
    _typed("az batch node list --pool-id mypool", until=idle(2)),
    _typed("az batch pool resize --pool-id mypool --target-dedicated 3"),
    _typed("az batch node list --pool-id mypool", until=idle(3), keep=("node", lambda nodes: nodes[0]["id"])),
    _typed(
        "az batch node user create --pool-id mypool --node-id {node} --name student --password Pa55w.rd1234 --is-admin"
    ),
    # a job with tasks
    _typed("az batch job create --id myjob --pool-id mypool"),
    *(
        _typed(
            f"az batch task create --job-id myjob --task-id task{number}"
            " --command-line 'cmd /c \"set AZ_BATCH & timeout /t 90 > NUL\"'",
            lambda task: task["state"] in ("active", "preparing", "running", "completed"),
        )
        for number in range(1, 5)
    ),
    _typed("az batch job set --job-id myjob --on-all-tasks-complete terminateJob"),
    _typed(
        "az batch job show --job-id myjob",
        lambda job: job["executionInfo"]["terminateReason"] == "AllTasksComplete",
        until=lambda job: job["state"] == "completed",
    ),
    _typed(
        "az batch task show --job-id myjob --task-id task1",
        lambda task: (task["state"], task["executionInfo"]["exitCode"]) == ("completed", 0),
        keep=("ran_on", lambda task: task["nodeInfo"]["nodeId"]),
    ),
    _typed(
        "az batch task file list --job-id myjob --task-id task1",
        lambda found: {"stdout.txt", "stderr.txt", "wd"} <= {each["name"] for each in found},
    ),
    _typed(
        "az batch task file download --job-id myjob --task-id task1 --file-path stdout.txt --destination {folder}/task"
    ),
    _typed(
        f"az batch node file download --pool-id mypool --node-id {{ran_on}} --file-path '{_STDOUT}'"
        " --destination {folder}/node"
    ),
    # files: a start task with elevation, tasks that depend on others
    _typed("az batch pool create --json-file {files}/pool.json"),
    _typed("az batch node list --pool-id mystartpool", until=idle(1), keep=("start", lambda nodes: nodes[0]["id"])),
    _typed("az batch pool show --pool-id mystartpool", lambda pool: pool["taskSlotsPerNode"] == 2),
    _typed(
        "az batch node file download --pool-id mystartpool --node-id {start} --file-path 'startup\\stdout.txt'"
        " --destination {folder}/start"
    ),
    _typed("az batch job create --json-file {files}/job.json"),
    _typed("az batch task create --job-id mydependentjob --json-file {files}/tasks.json"),
    _typed(
        "az batch task show --job-id mydependentjob --task-id Flowers",
        lambda task: task["dependsOn"]["taskIds"] == ["Rain", "Sun"],
        until=lambda task: task["state"] == "completed",
    ),
    # an application
    _typed(
        "az batch application package create --application-name myapp --version-name 1.0 --package-file myapp.zip"
        " --name mybatchaccount --resource-group myresourcegroup"
    ),
    _typed(
        "az batch application set --application-name myapp --default-version 1.0 --name mybatchaccount"
        " --resource-group myresourcegroup"
    ),
    _typed("az batch application summary show --application-id myapp", lambda found: found["versions"] == ["1.0"]),
    _typed(
        "az batch task create --job-id mydependentjob --task-id packaged --application-package-references myapp#1.0"
        " --command-line 'cmd /c %AZ_BATCH_APP_PACKAGE_MYAPP%\\hello'"
    ),
    _typed(
        "az batch task show --job-id mydependentjob --task-id packaged", until=lambda task: task["state"] == "completed"
    ),
    _typed(
        "az batch task file download --job-id mydependentjob --task-id packaged --file-path stdout.txt"
        " --destination {folder}/packaged"
    ),
    # a formula
    _typed(
        "az batch pool autoscale enable --pool-id mypool --auto-scale-formula"
        " '$averageActiveTaskCount = avg($ActiveTasks.GetSample(TimeInterval_Minute * 15));"
        "$TargetDedicated = min(20, $averageActiveTaskCount * 2);'"
    ),
    _typed(
        "az batch pool autoscale evaluate --pool-id mypool --auto-scale-formula '$TargetDedicated = 1;'",
        lambda run: run["results"].startswith("$TargetDedicated=1;"),
    ),
    _typed("az batch pool autoscale disable --pool-id mypool"),
    # the end
    _typed("az batch job delete --job-id myjob --yes"),
    _typed("az batch job delete --job-id mydependentjob --yes"),
    _typed("az batch job list", until=lambda found: found == []),
    _typed("az batch pool delete --pool-id mypool --yes"),
    _typed("az batch pool delete --pool-id mystartpool --yes"),
    _typed("az batch pool list", until=lambda found: found == []),
)

#: What stands in the files that were downloaded.
DOWNLOADED = {
    "task": "AZ_BATCH_TASK_ID=task1",
    "node": "AZ_BATCH_TASK_ID=task1",
    "start": pwd.getpwuid(os.geteuid()).pw_name,
    "packaged": "hello from myapp",
}
