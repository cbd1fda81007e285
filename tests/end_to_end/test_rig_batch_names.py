"""What the first steps with Azure Batch ask for, word for word, on EC2."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from service.settings import Settings
from tests.rig import CloudRig
from tests.service.api.served import served

from .rig_world import needs_hosts, until

pytestmark = needs_hosts

IMAGE = {"publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest"}
POOL = {
    "id": "first",
    "vmSize": "STANDARD_D2s_v3",
    "targetDedicatedNodes": "1",
    "virtualMachineConfiguration": {"imageReference": IMAGE, "nodeAgentSKUId": "batch.node.ubuntu 22.04"},
}


def test_an_image_and_a_size_of_azures_are_ec2s(tmp_path: Path) -> None:
    with CloudRig() as rig:
        options = {"driver": "ec2", **rig.settings(visibilityDelay=0.2)}
        del options["image"], options["size"]
        soon = timedelta(seconds=0.5)
        settings = Settings(default_provider="aws", providers={"aws": options}, boot_poll_interval=soon)
        with served(tmp_path / "state", settings) as ask:
            assert ask("POST", "/pools", POOL).status_code == 201
            assert ask("POST", "/jobs", {"id": "j", "poolInfo": {"poolId": "first"}}).status_code == 201
            assert ask("POST", "/jobs/j/tasks", {"id": "t", "commandLine": "true"}).status_code == 201
            until(lambda: ask.get("/jobs/j/tasks/t")["state"] == "completed", "the task to end")
            assert ask.get("/jobs/j/tasks/t")["executionInfo"]["result"] == "success"
            [instance] = rig.instances("running")
            assert (instance.size, instance.image) == ("m5.large", "ami-0e0bb71de00000003")
            assert ask("DELETE", "/pools/first").status_code == 202
            until(lambda: ask("GET", "/pools/first").status_code == 404, "the pool to go")
        assert rig.instances("pending", "running") == []
        assert rig.mishaps == []
