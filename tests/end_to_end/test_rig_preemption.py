"""The cloud takes nodes back in the middle of their work, with a word before and without: nothing is lost."""

from __future__ import annotations

import time
from pathlib import Path

from tests.rig import CloudRig

from .rig_world import UNTIL_TOLD, Desk, needs_hosts, watched

pytestmark = needs_hosts


def test_what_was_under_way_is_run_again_elsewhere(tmp_path: Path) -> None:
    with CloudRig() as rig, Desk(tmp_path, rig) as desk, watched(rig) as watch:
        work = desk.workload(*[UNTIL_TOLD] * 3, pool={"targetLowPriorityNodes": 3})
        run = desk.start("run", work, "--json")
        first = desk.nodes(3)
        desk.at_work(first)
        silent, warned, kept = first

        # without a word: its successor comes when it has gone
        rig.preempt(silent.id)
        fourth = desk.until(lambda: desk.instances()[3:], "another in its place")[0]
        gone = rig.instance(silent.id)
        assert gone.state == "terminated" and gone.ended is not None and gone.ended < fourth.born

        # with notice: its successor comes at once, and what runs there goes on
        before = desk.steps(warned)
        rig.preempt(warned.id, notice=600.0)
        asked = time.monotonic()
        fifth = desk.until(lambda: desk.instances()[4:], "another in its place")[0]
        assert time.monotonic() - asked < 30.0
        assert rig.instance(warned.id).state == "running"
        desk.at_work([warned], before)
        rig.preempt(warned.id)
        desk.at_work([fourth, fifth])

        desk.tell_all(run)
        report = desk.report(run)
        tasks = {task["nodeId"]: (task["result"], task["requeueCount"]) for task in report["tasks"]}
        nodes = {each.id: each.tags["ebbtide-node"] for each in desk.instances()}
        assert tasks == {
            nodes[kept.id]: ("success", 0),
            nodes[fourth.id]: ("success", 1),
            nodes[fifth.id]: ("success", 1),
        }
        for number in range(3):
            lines = desk.printed(f"t{number}").split("\n")
            assert lines == [*(f"step {n}" for n in range(1, len(lines) - 1)), "done", ""], "one execution's own output"
        reasons = [each.reason for each in desk.instances()]
        assert reasons.count("Server.SpotInstanceTermination") == 2 and len(reasons) == 5
        assert watch.most == {desk.deployment: 4}, "three, and the successor of the one that was announced"
        desk.nothing_left()
