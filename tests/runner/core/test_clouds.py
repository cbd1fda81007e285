"""Pools on a cloud that has its moods: the same core and cloud as in the fault test, one mood at a time."""

from msgspec.structs import replace

from pools import NodeState, StartTask, count
from providers import CapacityError, Profile, SimulatedSettings, TransientError, VmState
from runner import CoreSettings, ResumePool
from runner.simulation import PROVIDER, START, Simulation

from .run import SETTINGS, ask, completed, job, node_of, simulation, task, tasks_of, until

PROFILE = Profile(zones=("a", "b"))


def pool(sim: Simulation):
    return sim.journal.table("pools")["p"]


def nodes(sim: Simulation):
    return list(sim.journal.table("nodes").values())


def pools_as(**changes) -> CoreSettings:
    return replace(SETTINGS, pools=replace(SETTINGS.pools, **changes))


def test_a_failed_node_leaves_its_logs_and_the_pool_stops_until_it_is_resumed():
    settings = pools_as(breaker_after=2, backoff_base=5.0)
    start = {"start task": [(2.0, 9)] * 2 + [(2.0, 0)]}
    sim = simulation(start, settings=settings, start_task=StartTask(command_line="x"))
    ask(sim, job("j", task("a")))
    until(sim, lambda: pool(sim).broken_since is not None and not nodes(sim))
    broken = pool(sim)
    output = sim.journal.table("outputs")["node", "p", broken.broken_node, 0, "console.txt"]
    assert b"simulated VM" in output.data and output.size == len(output.data)
    assert any(error.code == "CircuitBreakerOpen" for error in broken.resize_errors)
    before = broken.usage.nodes_allocated
    sim.run(lambda: False, sim.now + 86400.0)
    assert pool(sim).usage.nodes_allocated == before, "a night of nothing"
    assert ask(sim, ResumePool("p")) is None
    completed(sim, "a")
    assert str(ask(sim, ResumePool("nobody"))) == "there is no pool 'nobody'"


def test_a_notice_lets_the_task_go_on_and_it_is_requeued_when_the_machine_goes():
    sim = simulation({"a": [(600.0, 0)]}, target_dedicated_nodes=0, target_low_priority_nodes=1)
    ask(sim, job("j", task("a")))
    until(sim, lambda: tasks_of(sim)["a"].state == "running")
    first = node_of(sim)
    sim.world.notice(first.vm_name, 120.0)
    until(sim, lambda: len(nodes(sim)) == 2)
    assert tasks_of(sim)["a"].state == "running" and tasks_of(sim)["a"].node_id == first.id
    until(sim, lambda: tasks_of(sim)["a"].node_id not in (first.id, None))
    assert tasks_of(sim)["a"].requeue_count == 1
    (done,) = completed(sim, "a")
    assert (done.requeue_count, done.exit_code) == (1, 0)
    assert [vm.state for vm in sim.world.cloud.everything()] == [VmState.RUNNING]


def test_a_preempted_node_is_seen_as_such_and_counted_until_it_is_replaced():
    sim = simulation({"a": [(600.0, 0)]}, target_dedicated_nodes=0, target_low_priority_nodes=2)
    ask(sim, job("j", task("a")))
    until(sim, lambda: [n.state for n in nodes(sim)].count(NodeState.IDLE) == 1)
    sim.world.preempt(node_of(sim).vm_name)
    until(sim, lambda: any(n.vm_gone for n in nodes(sim)))
    assert len(sim.world.cloud.everything()) <= 2
    assert tuple(count(nodes(sim))) == (0, 2, 1, 1)
    until(sim, lambda: not any(n.vm_gone for n in nodes(sim)))
    assert sum(n.state in (NodeState.IDLE, NodeState.RUNNING) for n in nodes(sim)) == 2


def cloudy(settings: CoreSettings = SETTINGS, **cloud):
    settings = replace(settings, pools=replace(settings.pools, profiles={PROVIDER: PROFILE}))
    sim = simulation(settings=settings)
    sim.world.cloud._settings = SimulatedSettings(boot_delay=10.0, profile=PROFILE, **cloud)
    return sim


def test_a_lost_answer_is_asked_again_and_gives_one_vm():
    sim = cloudy()
    sim.world.cloud.fail("create", TransientError("lost"), after=True)
    until(sim, lambda: bool(nodes(sim)) and node_of(sim).state is NodeState.IDLE)
    assert len(sim.world.cloud.everything()) == 1
    assert pool(sim).usage.nodes_allocated == 1


def test_a_vm_that_does_not_show_for_long_is_found_all_the_same():
    sim = cloudy(visibility_delay=25.0)
    sim.world.cloud.fail("create", TransientError("lost"), after=True)
    until(sim, lambda: bool(nodes(sim)) and node_of(sim).state is NodeState.IDLE)
    assert len(sim.world.cloud.everything()) == 1


def test_the_next_zone_is_tried_at_once():
    sim = cloudy()
    sim.world.cloud.fail("create", CapacityError("zone a is full"))
    taken = until(sim, lambda: bool(nodes(sim)) and node_of(sim).state is NodeState.IDLE)
    assert node_of(sim).zone == "b"
    assert taken < 30.0
    (boot,) = sim.journal.boots()
    assert (boot.zone, boot.size) == ("b", "simulated.small")
    assert 0 < boot.running < boot.answered < boot.usable < taken
    assert boot.time >= START
