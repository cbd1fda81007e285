"""What a user is told when no node comes: plainly, with the cure, by the preflight and by the run, and the run ends."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.rig import IMAGE, SIZE, CloudRig

from .rig_world import Desk, needs_hosts, watched

#: Soon enough for a test.
SOON: dict[str, Any] = {"breakerAfter": 2, "backOffBase": "PT0.2S"}
ONE = {"targetLowPriorityNodes": 1}
EVER = 10**6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pool", "options", "fault", "code", "told"),
    [
        ({}, {}, "AuthFailure", 1, "check accessKeyId and secretAccessKey"),
        ({}, {"image": "ami-0123456789abcdef0"}, None, 2, "name an ami-... of this region"),
        ({"vmSize": "t99.huge"}, {}, None, 2, "t99.huge is not offered in us-east-1; name another size"),
        ({"networkConfiguration": {"subnetId": "subnet-0123"}}, {}, None, 2, "'subnet-0123' does not exist"),
    ],
    ids=["credentials", "image", "size", "subnet"],
)  # fmt: skip
def test_what_can_never_work_is_refused_at_once(
    tmp_path: Path, pool: dict[str, Any], options: dict[str, Any], fault: str | None, code: int, told: str
) -> None:
    with CloudRig(hosts=False) as rig, Desk(tmp_path, rig, options=options) as desk:
        if fault is not None:
            rig.fail("*", fault, times=EVER)
        run = desk("run", desk.workload("true", pool={**ONE, **pool}), code=code)
        assert "pool p cannot get nodes from provider aws: " in run.stderr and told in run.stderr
        assert (run.stdout, desk.deployment) == ("", ""), "nothing has begun"
        assert all(call.action.startswith("Describe") for call in rig.calls)


@pytest.mark.slow
def test_what_only_a_create_call_can_find_out_ends_the_run(tmp_path: Path) -> None:
    with CloudRig(hosts=False) as rig, Desk(tmp_path, rig, **SOON) as desk:
        rig.fail("RunInstances", "AuthFailure", times=EVER)
        check = desk("provider", "check", "aws", code=1).stdout
        assert "-> check accessKeyId and secretAccessKey" in check
        run = desk("run", desk.workload("true", pool=ONE), code=1)
        assert desk.instances() == []
        assert "Traceback" not in check + run.stdout + run.stderr
        assert "no VM was made" in run.stdout and "gone after" not in run.stdout
        assert "check accessKeyId and secretAccessKey" in run.stderr
        assert "nodes failed 2 times in a row" in run.stderr and "of the provider's settings" in run.stderr


class TestOnHosts:
    pytestmark = needs_hosts

    @pytest.mark.parametrize(
        ("pool", "options", "told", "kept"),
        [
            (
                {"startTask": {"commandLine": "/bin/sh -c 'echo looks; echo finds nothing >&2; exit 3'"}},
                {},
                "start task failed: the start task exited with code 3",
                ["looks\n", "finds nothing\n", "-----BEGIN SSH HOST KEY KEYS-----"],
            ),
            (
                {},
                {"userData": "#!/bin/sh\nrm -f /usr/bin/python3* /usr/local/bin/python3*\n"},
                "the node has no python3: install Python 3.8 or later in its image, or have the VM's user data",
                ["-----BEGIN SSH HOST KEY KEYS-----"],
            ),
        ],
        ids=["start task", "no python"],
    )
    def test_what_a_failed_node_has_said_is_kept(
        self, tmp_path: Path, pool: dict[str, Any], options: dict[str, Any], told: str, kept: list[str]
    ) -> None:
        with (
            CloudRig() as rig,
            Desk(tmp_path, rig, options={"image": IMAGE, **options}, **SOON) as desk,
            watched(rig) as watch,
        ):
            run = desk("run", desk.workload("true", pool={**ONE, **pool}), code=1)
            assert told in run.stderr and "nodes failed 2 times in a row" in run.stderr
            word, node = run.stderr.partition("`ebbtide node logs ")[1:]
            assert word
            logs = desk("node", "logs", node.partition("`")[0]).stdout
            assert all(text in logs for text in kept), logs
            assert len(desk.instances()) == 2 and watch.most == {desk.deployment: 1}
            desk.nothing_left()

    def test_a_size_that_never_boots_is_told_so_and_another_is_taken_over(self, tmp_path: Path) -> None:
        with CloudRig() as rig:
            rig.boot_delay = lambda instance: math.inf if instance.instance_type == SIZE else 0.0
            with Desk(tmp_path, rig, options={"bootTimeout": 4, "connectTimeout": 1}, **SOON) as desk:
                run = desk("run", desk.workload("true", pool=ONE), code=1)
                word, node = run.stderr.partition("What the node printed, if anything: `ebbtide node logs ")[1:]
                assert word and "not ready 4 s after its creation; last: " in run.stderr
                logs = desk("node", "logs", node.partition("`")[0], code=1)
                assert f"nothing came of node '{node.partition('`')[0]}'" in logs.stderr
                refused = desk("run", desk.workload("true", pool={**ONE, "taskSlotsPerNode": 2}), code=2)
                fixed = "holds a pool 'p' with other properties, and these are for life: taskSlotsPerNode;"
                assert fixed in refused.stderr
            with Desk(tmp_path, rig) as desk:  # as long as a boot may take on a machine that is busy with other things
                desk("run", desk.workload("true", pool={**ONE, "vmSize": "t3.large"}))
                assert [each.size for each in desk.instances()] == [SIZE, SIZE, "t3.large"]
                desk.nothing_left()
