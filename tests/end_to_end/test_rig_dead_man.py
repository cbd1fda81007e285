"""A controller that is killed: hosts wait for another for a while, and then end themselves and their bill."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.rig import CloudRig

from .rig_world import UNTIL_TOLD, Desk, needs_hosts, until, watched

pytestmark = needs_hosts

IDLE = 10.0


def test_it_is_waited_for_and_adopted_or_given_up(tmp_path: Path) -> None:
    with CloudRig() as rig, Desk(tmp_path, rig, options={"idleTimeout": IDLE}) as desk, watched(rig) as watch:
        work = desk.workload(*[UNTIL_TOLD] * 2, pool={"targetLowPriorityNodes": 2})
        run = desk.start("run", work, "--json")
        first = desk.nodes(2)
        desk.at_work(first)
        run.send_signal(signal.SIGKILL)
        run.wait()

        # one that comes in time goes on where the other was; longer than the hosts would wait for it
        again = desk.start("run", work, "--json")
        end = time.monotonic() + IDLE * 1.3
        while time.monotonic() < end:
            assert again.poll() is None
            assert [each.id for each in desk.instances("running")] == [each.id for each in first]
            time.sleep(0.2)
        steps = [desk.steps(instance) for instance in first]
        assert min(steps) > IDLE, "the tasks have gone on all the time"

        # none comes
        again.send_signal(signal.SIGKILL)
        again.wait()
        killed = time.time()
        until(lambda: not desk.instances("pending", "running", "stopping", "stopped"), "the hosts to end themselves")
        for instance in desk.instances():
            assert instance.reason == "Client.InstanceInitiatedShutdown"
            assert instance.ended is not None and instance.ended - killed > IDLE / 2
        assert "no controller has spoken to this node" in rig.hosts[first[0].id].console

        # what they had not handed over is done again
        last = desk.start("run", work, "--json")
        desk.tell_all(last)
        assert [(task["result"], task["requeueCount"]) for task in desk.report(last)["tasks"]] == [("success", 1)] * 2
        assert len(desk.instances()) == 4 and watch.most == {desk.deployment: 2}
        desk.nothing_left()
