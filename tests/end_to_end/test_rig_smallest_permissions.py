"""A run with the permissions that the document of EC2 calls the smallest, and no others."""

from __future__ import annotations

import json
import math
from pathlib import Path

from tests.rig import CloudRig

from .rig_world import ALIVE, ROOT, Desk, needs_hosts

pytestmark = needs_hosts


def test_a_run_needs_no_more_than_the_document_says(tmp_path: Path) -> None:
    document = (ROOT / "docs" / "clouds" / "ec2.md").read_text()
    policy = json.loads(document.partition("```json")[2].partition("```")[0])
    allowed = {action.removeprefix("ec2:") for action in policy["Statement"][0]["Action"]}
    with CloudRig() as rig:
        client = rig.boto3()
        client.create_key_pair(KeyName="mine")
        group = client.create_security_group(GroupName="nodes", Description="SSH")["GroupId"]
        client.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )
        with Desk(tmp_path, rig, options={"securityGroups": ["nodes"], "keyPair": "mine"}) as desk:
            rig.fail("*", "UnauthorizedOperation", math.inf, when=lambda params: params.get("Action") not in allowed)
            check = desk("provider", "check", "aws")
            assert "error" not in check.stdout and "allow the action DescribeInstanceTypeOfferings" in check.stdout
            run = desk("run", desk.workload("echo done", pool={"targetLowPriorityNodes": 1}))
            assert "cannot get nodes" not in run.stderr and "may get no nodes" not in run.stderr
            assert desk.instances(*ALIVE) == []
