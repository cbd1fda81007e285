"""What a user is told when no node comes: plainly, with the cure, by the preflight and by the run, and the run ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rig import IMAGE, CloudRig

from .rig_world import Desk, needs_hosts, watched

#: Soon enough for a test.
SOON: dict[str, Any] = {"breakerAfter": 2, "backOffBase": "PT0.2S"}
ONE = {"targetLowPriorityNodes": 1}
EVER = 10**6


def refused(rig: CloudRig, options: dict[str, Any], directory: Path) -> tuple[str, str]:
    """What the preflight and a run have said."""
    with Desk(directory, rig, options=options, **SOON) as desk:
        check = desk("provider", "check", "aws", code=1).stdout
        run = desk("run", desk.workload("true", pool=ONE), code=1)
        assert desk.instances() == []
        assert "Traceback" not in check + run.stdout + run.stderr
        assert "no VM was made" in run.stdout and "gone after" not in run.stdout
        return check, run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "fault", "checked", "told"),
    [
        ({}, ("*", "AuthFailure"), "-> check accessKeyId and secretAccessKey", "check accessKeyId and secretAccessKey"),
        ({"image": "ami-0123456789abcdef0"}, None, "does not know the image", "name an ami-... of this region"),
    ],
    ids=["credentials", "image"],
)  # fmt: skip
def test_what_can_never_work_ends_the_run(
    tmp_path: Path, options: dict[str, Any], fault: tuple[str, str] | None, checked: str, told: str
) -> None:
    with CloudRig(hosts=False) as rig:
        if fault is not None:
            rig.fail(*fault, times=EVER)
        check, run = refused(rig, options, tmp_path)
        assert checked in check
        assert told in run and "nodes failed 2 times in a row" in run and "or the provider's settings" in run


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
