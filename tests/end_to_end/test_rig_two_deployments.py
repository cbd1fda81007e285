"""Two deployments and strangers in one account: nobody touches what belongs to somebody else."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from tests.rig import CloudRig

from .rig_world import UNTIL_TOLD, Desk, needs_hosts, watched

pytestmark = needs_hosts

POOL = {"targetLowPriorityNodes": 2}


def confusing(deployment: str, other: str) -> list[dict[str, str]]:
    """Tags of instances that are none of ours, however much they look like it."""
    name = f"ebbtide-{deployment}-0123456789ab"
    ours = {"ebbtide-vm": name, "ebbtide-pool": "p", "ebbtide-node": "node_0123456789ab_p", "Name": name}
    return [
        {"Name": name},
        {"Name": name, "ebbtide-pool": "p"},
        ours,
        {**ours, "ebbtide-deployment": other},
        {**ours, "ebbtide-deployment": deployment.upper() if deployment.upper() != deployment else "0"},
        {**ours, "ebbtide-deployment": deployment[:-1]},
        {**ours, "ebbtide-deployment": f"{deployment}0"},
        {**ours, "Ebbtide-Deployment": deployment},
        {**ours, "deployment": deployment},
    ]


def ended_by(rig: CloudRig, key: str) -> set[str]:
    """The ids that the holder of a key has asked to be ended."""
    calls = [call for call in rig.calls if call.params.get("AWSAccessKeyId") == key]
    assert not [call for call in calls if call.action in ("StopInstances", "RebootInstances")]
    return {
        value
        for call in calls
        if call.action == "TerminateInstances"
        for name, value in call.params.items()
        if name.startswith("InstanceId")
    }


def theirs(client: Any) -> set[str]:
    """Ids of the groups and key pairs that are not ours, those that every account has left out."""
    groups = {each["GroupId"]: each["GroupName"] for each in client.describe_security_groups()["SecurityGroups"]}
    pairs = {each["KeyPairId"]: each["KeyName"] for each in client.describe_key_pairs()["KeyPairs"]}
    return {key for key, name in {**groups, **pairs}.items() if name.endswith(("0-other", "-node"))}


def test_each_ends_its_own_and_the_strangers_stay(tmp_path: Path) -> None:
    with (
        CloudRig() as rig,
        Desk(tmp_path / "a", rig, "key-a") as a,
        Desk(tmp_path / "b", rig, "key-b") as b,
        watched(rig) as watch,
    ):
        client = rig.boto3()
        work = {desk: desk.workload(UNTIL_TOLD, UNTIL_TOLD, pool=POOL) for desk in (a, b)}
        runs = {desk: desk.start("run", work[desk], "--json") for desk in (a, b)}
        for desk in (a, b):
            desk.nodes(2)
        assert a.deployment != b.deployment
        strangers = [rig.stranger(tags) for tags in confusing(a.deployment, "ba9876543210")]
        strangers += [rig.stranger(tags) for tags in confusing(b.deployment, "0123456789ab")]
        for name in (f"ebbtide-{a.deployment}0-other", f"ebbtide-{b.deployment}-node"):
            client.create_security_group(GroupName=name, Description="somebody's")
            client.create_key_pair(KeyName=name)
        things = theirs(client)

        # one is gone without a word in the middle of its work, and is ended by hand while the other works
        a.at_work(a.instances("running"))
        runs[a].send_signal(signal.SIGKILL)
        runs[a].wait()
        said = a("down").stdout
        assert said.count("ended ebbtide-") == 2 and said.endswith("no VM is left\n"), said
        assert [each.state for each in b.instances()] == ["running", "running"]
        a.nothing_left()

        # what has lost its record is reaped by its own deployment, whoever else works there
        lost = rig.stranger(
            {"ebbtide-deployment": a.deployment, "ebbtide-vm": f"ebbtide-{a.deployment}-lost", "ebbtide-pool": "p"}
        )
        seen = json.loads(b("reap", "--dry-run", "--grace", "PT0S", "--json").stdout)
        assert seen == {"vms": [], "leftovers": [], "errors": {}}
        assert [vm["providerId"] for vm in json.loads(a("reap", "--grace", "PT0S", "--json").stdout)["vms"]] == [lost]

        b.tell_all(runs[b])
        assert [task["result"] for task in b.report(runs[b])["tasks"]] == ["success", "success"]
        again = a.start("run", work[a], "--json")
        a.tell_all(again)
        assert [(task["result"], task["requeueCount"]) for task in a.report(again)["tasks"]] == [("success", 1)] * 2
        assert b("reap", "--grace", "PT0S").stdout == "no VM is without a record\n"
        assert b("down").stdout == "no VM is left\n"

        for desk in (a, b):
            desk.nothing_left()
            mine = {instance.id for instance in desk.instances()}
            assert len(mine) == (4 if desk is a else 2)
            assert ended_by(rig, desk.key) == mine | ({lost} if desk is a else set())
        assert {rig.instance(each).state for each in strangers} == {"running"}
        assert watch.most == {a.deployment: 2, b.deployment: 2}
        assert frozenset((a.deployment, b.deployment)) in watch.together
        assert theirs(client) == things and len(things) == 4
