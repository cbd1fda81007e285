"""What has been sent to a node and has not begun there is called back."""

import pytest

from pools import NodeDeallocationOption
from runner import DisableJob, DisableScheduling, EnableJob, EnableScheduling
from runner.commands import RecallExecutions, StartExecution

from .run import ask, completed, job, simulation, task, tasks_of, until

_GOES_ON = NodeDeallocationOption.TASK_COMPLETION


def with_first_start_lost(sim):
    """The connection breaks under the first start. Returns a list to which its node's id is added."""
    issue = sim.world.issue
    lost: list[str] = []

    def watched(command):
        if isinstance(command, StartExecution) and not lost:
            lost.append(command.node_id)
            sim.world.cut(command.node_id)
        else:
            issue(command)

    sim.world.issue = watched
    return lost


@pytest.mark.parametrize("whose", ["node", "job"])
def test_nothing_is_called_back_before_it_is_heard_what_the_node_knows(whose):
    """The next connection stands, over which the node would answer that it knows of none; what it has told before would
    have the start sent anew, and the answer would come after that."""
    sim = simulation({"t": [(60.0, 0)]}, target_dedicated_nodes=2)
    until(sim, lambda: [node.state for node in sim.core.ctx.nodes] == ["idle", "idle"])
    lost = with_first_start_lost(sim)
    ask(sim, job("j", task("t")))
    until(sim, lambda: lost and lost[0] not in sim.core.ctx.connected)
    until(sim, lambda: lost[0] in sim.world._connections)
    assert lost[0] not in sim.core.ctx.connected
    sim.request(DisableScheduling("p", lost[0], _GOES_ON) if whose == "node" else DisableJob("j", "wait"))
    sim.request(EnableScheduling("p", lost[0]) if whose == "node" else EnableJob("j"))
    until(sim, lambda: sim.world.log.started)
    (done,) = completed(sim, "t")
    assert [x.id for x in sim.world.log.started] == [f"{done.uid}-1"]


def test_what_begins_before_it_can_be_called_back_makes_room_like_all_others():
    """It waited for its turn when a more urgent task came, and began before the node heard that it was to make room."""
    gentle = {f"s{n}": [(0.1, 0)] for n in range(20)}
    sim = simulation({**gentle, "long": [(3600.0, 0)], "urgent": [(1.0, 0)]})
    until(sim, lambda: [node.state for node in sim.core.ctx.nodes] == ["idle"])
    ask(sim, job("gentle", *map(task, gentle), task("long"), allow_task_preemption=True))
    said = []
    issue = sim.world.issue

    def watched(command):
        said.append(command)
        issue(command)

    sim.world.issue = watched
    long = tasks_of(sim, "gentle")["long"]
    until(sim, lambda: any(x.id == f"{long.uid}-1" for x in sim.world.log.live.values()))
    assert tasks_of(sim, "gentle")["long"].state == "active", "that is not heard yet"
    asked = sim.now
    ask(sim, job("urgent", task("urgent"), priority=1))
    (recalled,) = [command for command in said if isinstance(command, RecallExecutions)]
    assert recalled.execution_ids == (f"{long.uid}-1",)
    (done,) = completed(sim, "urgent", job_id="urgent")
    assert done.start_time < asked + 5.0
