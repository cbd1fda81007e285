"""Tasks on several nodes at once."""

import pytest
from msgspec.structs import replace

from pools import NodeDeallocationOption
from runner import AddTasks, DisableJob, EnableJob, ResizePool, TaskConstraints, TaskState, TerminateTask, placing
from runner.task_spec import MultiInstanceSettings

from .run import ask, completed, job, simulation, task, tasks_of, until


def gang(task_id, size, **changes):
    settings = MultiInstanceSettings(coordination_command_line="coordinate", number_of_instances=size)
    return task(task_id, multi_instance_settings=settings, **changes)


def pool(plans=None, nodes=3, **changes):
    return simulation(plans, target_dedicated_nodes=nodes, enable_inter_node_communication=True, **changes)


def executions(sim, task_id="g"):
    uid = tasks_of(sim)[task_id].uid
    return [x for x in sim.world.log.started if x.id.startswith(f"{uid}-")]


def running(sim, task_id="g"):
    return lambda: tasks_of(sim)[task_id].state == "running"


def test_all_are_placed_at_once_and_end_with_the_primary():
    sim = pool()
    assert ask(sim, job("j", gang("g", 3))) is None
    (done,) = completed(sim, "g")
    primary, *others = executions(sim)
    assert len(others) == 2 and len({x.node_id for x in (primary, *others)}) == 3
    assert primary.proceeded >= max(x.started + 0.5 for x in (primary, *others))
    assert primary.exit_code == 0 and not primary.killed
    assert all(x.killed and x.ended >= primary.ended and x.proceeded is None for x in others)
    assert done.exit_code == 0 and done.result == "success" and done.attempt == 1
    assert [each.state for each in done.instances] == ["completed"] * 3
    assert done.instances[0].exit_code == 0 and [each.exit_code for each in done.instances[1:]] == [137, 137]
    assert all(x.node_id == each.node_id for x, each in zip(executions(sim), done.instances, strict=True))


def test_one_instance_is_enough_to_be_one():
    sim = pool(nodes=1)
    ask(sim, job("j", gang("g", 1)))
    completed(sim, "g")
    (primary,) = executions(sim)
    assert primary.coordinated and primary.proceeded is not None


def test_a_pool_whose_nodes_do_not_reach_each_other_refuses():
    sim = simulation()
    refused = ask(sim, job("j", gang("g", 2)))
    assert refused.code == "InvalidPropertyValue" and "enableInterNodeCommunication" in str(refused)
    assert ask(sim, job("k")) is None
    refused = ask(sim, AddTasks("k", (gang("g", 2),)))
    assert refused.code == "InvalidPropertyValue" and "'g'" in str(refused)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number_of_instances": 0}, "numberOfInstances"),
        ({"number_of_instances": 1001}, "numberOfInstances"),
        ({"coordination_command_line": ""}, "coordinationCommandLine"),
        ({"coordination_command_line": "a 'b"}, "coordinationCommandLine"),
    ],
)
def test_what_is_refused(change, words):
    sim = pool()
    spec = gang("g", 2)
    spec = replace(spec, multi_instance_settings=replace(spec.multi_instance_settings, **change))
    refused = ask(sim, job("j", spec))
    assert refused.code == "InvalidPropertyValue" and words in str(refused)


def test_two_that_need_more_than_half_of_the_nodes_run_one_after_the_other():
    sim = pool()
    ask(sim, job("j", gang("a", 2), gang("b", 2), gang("c", 3)))
    completed(sim, "a", "b", "c")
    spans = sorted((min(x.started for x in executions(sim, k)), k) for k in "abc")
    assert [k for _, k in spans] == ["a", "b", "c"]
    for earlier, later in (("a", "b"), ("b", "c")):
        primary = executions(sim, earlier)[0]
        assert min(x.started for x in executions(sim, later)) >= primary.ended


def test_a_stream_of_plain_tasks_does_not_overtake_it_for_ever():
    plans = {f"t{n}": [(5.0 + n % 3, 0)] for n in range(60)}
    sim = pool(plans)
    ask(sim, job("j", *(task(f"t{n}") for n in range(6)), gang("g", 3), *(task(f"t{n}") for n in range(6, 60))))
    until(sim, running(sim))
    started = [x for x in sim.world.log.started if "." not in x.id]
    assert len(started) <= 10  # the six before it, itself, and start-up noise at most
    completed(sim, "g", "t59")


def test_plain_tasks_take_what_it_does_not_need():
    plans = {"long": [(1000.0, 0)]}
    sim = pool(plans, nodes=3)
    ask(sim, job("j", task("long"), task("t0"), gang("g", 2), task("t1")))
    completed(sim, "t0", "g", "t1")
    assert tasks_of(sim)["long"].state == "running"


def test_those_behind_are_not_looked_at_when_no_node_is_left(monkeypatch):
    sim = pool({"first": [(10_000.0, 0)]}, nodes=2)
    ask(sim, job("j", gang("first", 2)))
    until(sim, running(sim, "first"))
    looked_at = []
    claim = placing._Pass._claim_several

    def noted(self, one, nodes):
        looked_at.append(one.id)
        return claim(self, one, nodes)

    monkeypatch.setattr(placing._Pass, "_claim_several", noted)
    behind = [gang(f"g{number}", 1 + number % 2) for number in range(10)]
    ask(sim, AddTasks("j", (*behind, task("plain"))))
    assert set(looked_at) == {"g0", "g1"}, "these wait for both nodes"
    ask(sim, TerminateTask("j", "first"))
    completed(sim, *(one.id for one in behind), "plain")


def test_a_lost_node_requeues_the_whole():
    sim = pool({"g": [(300.0, 0)]})
    ask(sim, job("j", gang("g", 2)))
    until(sim, running(sim))
    victim = tasks_of(sim)["g"].instances[1].node_id
    name = next(n.vm_name for n in sim.journal.table("nodes").values() if n.id == victim)
    sim.world.kill_vm(name)
    (done,) = completed(sim, "g")
    assert done.attempt == 2 and done.requeue_count == 1 and done.retry_count == 0 and done.exit_code == 0
    first = executions(sim)[:2]
    assert len(first) == 2 and all(x.ended is not None for x in first)


@pytest.mark.parametrize("fails", [0, 1])
@pytest.mark.parametrize("retries", [0, 1])
def test_a_failed_coordination_command_fails_the_task(fails, retries):
    plans = [(5.0, 0, 1.0, 0), (5.0, 0, 1.0, 0), (5.0, 0)]
    plans[fails] = (5.0, 0, 0.5, 3)
    sim = pool({"g": plans})
    ask(sim, job("j", gang("g", 2, constraints=TaskConstraints(max_task_retry_count=retries))))
    (done,) = completed(sim, "g")
    first = executions(sim)[:2]
    assert all(x.proceeded is None for x in first) and sorted(x.killed for x in first) == [False, True]
    if retries:
        assert done.exit_code == 0 and done.retry_count == 1 and done.failure is None
    else:
        assert done.exit_code == 3 and done.failure.code == "CoordinationCommandFailed"
        assert [each.exit_code == 3 for each in done.instances] == [fails == 0, fails == 1]


def test_it_is_ended_on_request():
    sim = pool({"g": [(1000.0, 0)]})
    ask(sim, job("j", gang("g", 3)))
    until(sim, running(sim))
    assert ask(sim, TerminateTask("j", "g")) is None
    (done,) = completed(sim, "g")
    assert done.failure.code == "TaskEnded" and all(x.killed for x in executions(sim))
    assert not sim.world.log.live


def test_a_node_that_leaves_takes_it_along_or_waits():
    sim = pool({"g": [(60.0, 0)]}, nodes=2)
    ask(sim, job("j", gang("g", 2)))
    until(sim, running(sim))
    ask(sim, ResizePool("p", 1, 0, NodeDeallocationOption.TASK_COMPLETION))
    (done,) = completed(sim, "g")
    assert done.attempt == 1 and done.exit_code == 0
    ask(sim, ResizePool("p", 2, 0, NodeDeallocationOption.REQUEUE))
    ask(sim, AddTasks("j", (gang("h", 2),)))
    until(sim, running(sim, "h"))
    ask(sim, ResizePool("p", 1, 0, NodeDeallocationOption.REQUEUE))
    until(sim, lambda: tasks_of(sim)["h"].state == TaskState.ACTIVE)
    assert tasks_of(sim)["h"].requeue_count == 1 and tasks_of(sim)["h"].instances == ()
    ask(sim, ResizePool("p", 2, 0, NodeDeallocationOption.REQUEUE))
    completed(sim, "h")


def test_its_job_is_disabled_while_its_last_instances_are_ended():
    """The primary went with its node before it had begun; the other is not over yet."""
    sim = pool({"g": [(60.0, 0)]}, nodes=0, target_low_priority_nodes=3)
    ask(sim, job("j", gang("g", 2)))
    until(sim, lambda: tasks_of(sim)["g"].instances)
    node_id = tasks_of(sim)["g"].node_id
    sim.world.preempt(sim.journal.table("nodes")[node_id].vm_name)
    until(sim, lambda: tasks_of(sim)["g"].instances[0].over)
    assert [each.over for each in tasks_of(sim)["g"].instances] == [True, False]
    assert ask(sim, DisableJob("j", "wait")) is None
    until(sim, lambda: tasks_of(sim)["g"].instances == ())
    ask(sim, EnableJob("j"))
    assert completed(sim, "g")[0].exit_code == 0


def test_what_no_pool_of_fixed_size_has_room_for_is_said():
    sim = pool(nodes=2)
    ask(sim, job("j", gang("g", 3), on_all_tasks_complete="noaction"))
    until(sim, lambda: tasks_of(sim)["g"].scheduling_error is not None)
    assert "3 nodes" in tasks_of(sim)["g"].scheduling_error.message
    ask(sim, ResizePool("p", 3, 0, NodeDeallocationOption.REQUEUE))
    (done,) = completed(sim, "g")
    assert done.scheduling_error is None


def test_instances_count_as_tasks_for_formulas():
    sim = pool(nodes=3)
    ask(sim, job("j", gang("g", 3)))
    assert sim.core.counts("p").active == 3
