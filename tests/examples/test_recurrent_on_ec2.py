"""The recurrent example as a user types it, on EC2 as the rig plays it: spot instances that are real SSH hosts.

What counts at the end is the rig's own list of instances, not what we say of it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.rig_world import watched
from tests.rig import IMAGE, CloudRig

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "recurrent"
PATIENCE = 300.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CloudRig.unavailable() is not None, reason=f"no rig: {CloudRig.unavailable()}"),
]


class Desk:
    """Settings of the example that lead to a rig, and the commands that go there."""

    def __init__(self, directory, rig):
        self.directory = directory
        settings = yaml.safe_load((EXAMPLE / "settings-ec2.yaml").read_text(encoding="utf-8"))
        aws = settings["providers"]["aws"]
        assert aws["driver"] == "ec2"
        # as the example has it, but for the account: the rig's address, keys and image
        aws |= rig.settings(accessKeyId="${RIG_KEY}", image=IMAGE, size=None, sshFrom=None)
        (directory / "settings.yaml").write_text(yaml.safe_dump(settings))

    def __call__(self, *words, config=True):
        given = ["--config", str(self.directory / "settings.yaml")] if config else []
        return subprocess.run(
            [sys.executable, "-m", "service", *words, *given], capture_output=True, text=True, check=False,
            timeout=PATIENCE, cwd=self.directory, env={**os.environ, "RIG_KEY": "testing", "PYTHONPATH": os.getcwd()},
        )  # fmt: skip


def test_two_occurrences_on_spot_instances_and_down_to_zero(tmp_path):
    with CloudRig() as rig, watched(rig) as watch:
        stranger = rig.stranger({"Name": "somebody else's"})
        desk = Desk(tmp_path, rig)

        check = desk("provider", "check", "aws", "--json")
        assert check.returncode == 0, check.stdout + check.stderr
        assert {finding["severity"] for finding in json.loads(check.stdout)["findings"]} <= {"ok", "warning"}

        run = desk("run", str(EXAMPLE / "workload.yaml"), "--occurrences", "2", "--json")
        assert run.returncode == 0, run.stderr
        told = json.loads(run.stdout)
        assert [task["result"] for task in told["tasks"]] == ["success", "success"]
        assert [job["state"] for job in told["jobs"]] == ["completed", "completed"]
        assert [(pool["peakNodes"], pool["currentLowPriorityNodes"]) for pool in told["pools"]] == [(1, 0)]
        assert ": t3.small in us-east-1" in run.stderr  # what the cloud gave, in the timeline
        logs = desk("logs", "ScheduledScript:job-2", "only-task", config=False)
        assert logs.stdout.startswith("Hello world\n"), logs.stderr

        ours = [instance for instance in rig.instances() if not instance.stranger]
        assert {(each.state, each.lifecycle, each.size) for each in ours} == {("terminated", "spot", "t3.small")}
        assert len(ours) in (1, 2)  # on a machine that is busy, the first may still be there for the second job
        assert rig.instance(stranger).state == "running"
        deployment = (tmp_path / ".ebbtide" / "deployment").read_text().strip()
        assert watch.most == {deployment: 1}, "never more than the target"
        assert run.stderr.count("start task success: exit code 0") == len(ours)
        assert run.stderr.count("is at zero: ") == len(ours)
        # what they cost is what the rig asks for the time that they ran, as far as the controller can see that
        (pool,) = told["pools"]
        seconds = sum((each.ended or 0.0) - each.born for each in ours)
        price = rig.market.spot_price(ours[0].zone, "t3.small")
        assert 0 < pool["nodeSeconds"] <= seconds + 5.0 * len(ours)
        assert pool["cost"] == pytest.approx(pool["nodeSeconds"] * price / 3600, rel=0.01)
        client = rig.boto3()
        names = [each["GroupName"] for each in client.describe_security_groups()["SecurityGroups"]]
        names += [each["KeyName"] for each in client.describe_key_pairs()["KeyPairs"]]
        assert not [name for name in names if name.startswith("ebbtide")]

        listed = desk("provider", "list", "--json")
        assert listed.returncode == 0, listed.stderr
        (aws,) = json.loads(listed.stdout)
        assert (aws["answers"], aws["vms"]) == (True, 0)
        (boots,) = aws["bootTimes"]
        assert (boots["size"], boots["nodes"]) == ("t3.small", len(ours))
        assert 0 < boots["running"] <= boots["answered"] <= boots["usable"] < PATIENCE

        kept = (tmp_path / ".ebbtide" / "providers.json").read_text()
        assert "${RIG_KEY}" in kept
        assert desk("reap", config=False).stdout == "no VM is without a record\n"
        assert rig.mishaps == []


def test_what_has_no_record_is_reaped_and_the_strangers_stay(tmp_path):
    with CloudRig() as rig:
        desk = Desk(tmp_path, rig)
        workload = tmp_path / "w.yaml"
        workload.write_text(
            "pools: [{id: p, vmSize: local.small, targetDedicatedNodes: 1}]\n"
            "jobs: [{id: j, poolInfo: {poolId: p}, onAllTasksComplete: terminatejob, "
            "tasks: [{id: t, commandLine: id}]}]\n"
        )
        assert desk("run", str(workload)).returncode == 0
        deployment = (tmp_path / ".ebbtide" / "deployment").read_text().strip()
        tags = {"ebbtide-deployment": deployment, "ebbtide-vm": f"ebbtide-{deployment}-lost", "ebbtide-pool": "p",
                "ebbtide-node": "lost", "Name": "lost"}  # fmt: skip
        lost = rig.stranger(tags)
        others = [rig.stranger({**tags, "ebbtide-deployment": "ba9876543210"}), rig.stranger({"Name": "lost"})]
        seen = desk("reap", "--dry-run", "--grace", "PT0S", "--json")
        (vm,) = json.loads(seen.stdout)["vms"]
        assert (vm["providerId"], vm["done"]) == (lost, "found")
        assert rig.instance(lost).state == "running"
        ended = desk("reap", "--grace", "PT0S", "--json")
        assert ended.returncode == 0, ended.stderr
        assert rig.instance(lost).state in ("shutting-down", "terminated")
        assert [rig.instance(each).state for each in others] == ["running", "running"]
