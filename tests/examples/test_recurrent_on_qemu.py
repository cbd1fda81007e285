"""The recurrent example as a user types it, on real VMs: each node boots a kernel of its own, emulated if need be.

What counts at the end is the kernel's list of processes and the folders on the disk, not what we say of them.
"""

import json
import os
import subprocess
import sys
import time

import pytest
import yaml

from providers import marked_processes
from tests.rig.qemu_images import debian_image, unavailable_debian

from .test_recurrent import EXAMPLE

PATIENCE = 600.0


@pytest.fixture
def settings(tmp_path):
    """Those of the example, but for an image that is made here and comes up in seconds."""
    if reason := unavailable_debian():
        pytest.skip(reason)
    settings = yaml.safe_load((EXAMPLE / "settings-qemu.yaml").read_text(encoding="utf-8"))
    vms = settings["providers"]["vms"]
    assert vms["driver"] == "qemu"
    vms["images"] = {"debian-12": debian_image()}
    vms["sizes"]["local.small"]["memory"] = 384
    vms["restrict"] = True
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.mark.slow
def test_two_occurrences_on_real_vms_and_down_to_zero(settings, tmp_path):
    def command(*words):
        return [sys.executable, "-m", "service", *words]

    place = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": os.getcwd()}}

    def ran(*words):
        return subprocess.run(command(*words), capture_output=True, text=True, check=False, timeout=PATIENCE, **place)

    check = ran("provider", "check", "vms", "--config", str(settings), "--json")
    assert check.returncode == 0, check.stdout + check.stderr
    assert {finding["severity"] for finding in json.loads(check.stdout)["findings"]} <= {"ok", "warning"}

    out, err = tmp_path / "out", tmp_path / "err"
    words = "run", str(EXAMPLE / "workload.yaml"), "--config", str(settings), "--occurrences", "2", "--json"
    with out.open("w") as stdout, err.open("w") as stderr:
        run = subprocess.Popen(command(*words), stdout=stdout, stderr=stderr, **place)
        try:
            seen, most = watched(run, tmp_path / ".ebbtide" / "deployment")
        finally:
            if run.poll() != 0:  # nothing may stay on this machine
                run.kill()
                run.wait()
                ran("down", "--now")
    assert run.returncode == 0, err.read_text()
    deployment = (tmp_path / ".ebbtide" / "deployment").read_text().strip()
    assert marked_processes(deployment) == []
    vms = tmp_path / ".ebbtide" / "providers" / "vms"
    assert {path.name for path in vms.rglob("*") if path.is_dir()} <= {".staging", ".ending"}, "no folder of a VM"

    told = json.loads(out.read_text())
    assert [task["result"] for task in told["tasks"]] == ["success", "success"]
    assert [job["state"] for job in told["jobs"]] == ["completed", "completed"]
    assert [(pool["peakNodes"], pool["currentLowPriorityNodes"]) for pool in told["pools"]] == [(1, 0)]
    assert len(seen) in (1, 2) and most == 1, "never more than the target"
    assert all(any("qemu-system" in line for line in lines) for lines in seen.values()), seen
    assert err.read_text().count("start task success: exit code 0") == len(seen)

    for job in ("ScheduledScript:job-1", "ScheduledScript:job-2"):
        logs = ran("logs", job, "only-task")
        assert logs.stdout.startswith("Hello world\n"), logs.stderr
        assert "AZ_BATCH_TASK_WORKING_DIR = /mnt/batch/tasks/" in logs.stdout
    for node in {task["nodeId"] for task in told["tasks"]}:
        assert f"Setting up Python for mainPool on node {node}" in ran("node", "logs", node).stdout


def watched(run, deployment):
    """The command lines that each VM was seen with until `run` ended, by its name (one that ends just then shows none);
    and the most at a time."""
    seen: dict[str, set[str]] = {}
    most, end = 0, time.monotonic() + PATIENCE
    while run.poll() is None:
        assert time.monotonic() < end, f"waited {PATIENCE:g} s for two occurrences; VMs: {seen}"
        if deployment.exists():
            now = marked_processes(deployment.read_text().strip())
            for each in now:
                seen.setdefault(each.vm_name, set()).add(each.command)
            most = max(most, len({each.vm_name for each in now}))
        time.sleep(0.2)
    return seen, most
