"""EC2, on the rig: without hosts by default, and with real SSH hosts where they can be had."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.rig import CloudRig

from .base import CloudUnderTest


class Ec2Cloud(CloudUnderTest):
    kind = "ec2"
    size = "t3.small"
    image = "ami-0e0bb71de00000001"
    refused_size = "does not know the vmSize 'standard_a1'; name one of EC2's, such as "
    refused_image = "does not know the image 'windows' in us-east-1"
    hosts: ClassVar[bool] = False

    rig: CloudRig

    def start(self) -> None:
        self.rig = CloudRig(hosts=self.hosts)
        self.rig.start()

    def stop(self) -> None:
        self.rig.stop()

    def settings(self) -> dict[str, Any]:
        return self.rig.settings(visibilityDelay=0.3)

    def inventory(self) -> list[str]:
        living = [it for it in self.rig.instances() if it.state != "terminated" and not it.stranger]
        found = [f"{it.id} {it.state}" for it in living if it.tags.get("ebbtide-deployment") == self.deployment]
        return found + beside(self.rig, self.deployment)

    def kept(self) -> object:
        return [call for call in self.rig.calls if not call.action.startswith(("Describe", "Get"))]

    def preempt(self, name: str) -> None:
        self.rig.preempt(self.one(name).provider_id)


class Ec2HostsCloud(Ec2Cloud):
    hosts = True

    @classmethod
    def unavailable(cls) -> str | None:
        return CloudRig.unavailable()


def beside(rig: CloudRig, deployment: str) -> list[str]:
    """What was made beside VMs and is left: groups, key pairs, disks."""
    ec2 = rig.boto3()
    mark = {"Key": "ebbtide-deployment", "Value": deployment}
    groups = [row["GroupName"] for row in ec2.describe_security_groups()["SecurityGroups"]]
    keys = [row["KeyName"] for row in ec2.describe_key_pairs()["KeyPairs"]]
    disks = [row["VolumeId"] for row in ec2.describe_volumes()["Volumes"] if mark in row.get("Tags", ())]
    return [name for name in (*groups, *keys) if name == f"ebbtide-{deployment}"] + disks
