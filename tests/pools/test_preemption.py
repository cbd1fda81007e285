"""Machines that their cloud takes back: with and without notice, how such nodes count, and when they are forgotten."""

import pytest

from pools import DestroyVm, NodeDeallocationOption, NodeState, PoolSpec, count
from pools.commands import CreateVm
from providers import VmState

from .machine import booted, errors, machine, pass_time, said, vm_of
from .nodes import node as node_of

SETTINGS = {"vm_poll_interval": 1e6, "boot_timeout": 1e6, "reclaim_grace": 180.0}


class Busy:
    """Work on some nodes."""

    def __init__(self, context):
        self.nodes: set[str] = set()
        self.evicted: list[tuple[str, str]] = []
        self.gone: list[str] = []
        context.workload.busy = lambda node_id: int(node_id in self.nodes)
        context.workload.evict = lambda node_id, option, now: self.evicted.append((node_id, option))
        context.workload.node_gone = lambda node_id, now: self.gone.append(node_id)


def up(low=2):
    pools, context = machine(**SETTINGS)
    work = Busy(context)
    pools.add(PoolSpec(id="pool", vm_size="s", target_low_priority_nodes=low), "p", "image", 0.0)
    pools.settle(0.0)
    for node in tuple(context.nodes):
        booted(pools, node, 10.0)
    context.commands.clear()
    return pools, context, work


def preempted(pools, context, node, now):
    vms = [vm_of(n, VmState.PREEMPTED if n.id == node.id else n.vm.state) for n in context.nodes if n.vm]
    pools.nodes.vms_listed("p", vms, now, now)
    pools.settle(now)


def counts(context):
    found = count(context.nodes)
    return found.low_priority, found.preempted, found.usable


def test_a_preempted_node_stays_until_another_has_taken_its_place():
    pools, context, work = up()
    first, second = context.nodes
    work.nodes.add(first.id)
    preempted(pools, context, first, 500.0)
    commands = list(context.commands)
    assert [c.vm_name for c in commands if isinstance(c, DestroyVm)] == [first.vm_name]
    assert sum(isinstance(c, CreateVm) for c in commands) == 1, "replaced at once"
    assert context.nodes[first.id].state is NodeState.PREEMPTED
    assert counts(context) == (2, 1, 1)
    pools.nodes.departure.vm_destroyed(first.id, 503.0)
    pools.settle(503.0)
    kept = context.nodes[first.id]
    assert (kept.state, kept.vm_gone) == (NodeState.PREEMPTED, True)
    assert work.gone == [first.id], "its tasks are free"
    assert context.pools["pool"].usage.low_priority_seconds == 500.0, "billed to the end of its VM"
    (new,) = [n for n in context.nodes if n.id not in (first.id, second.id)]
    assert counts(context) == (2, 1, 1)
    booted(pools, new, 540.0)
    pools.settle(540.0)
    assert first.id not in context.nodes
    assert counts(context) == (2, 0, 2)
    assert context.pools["pool"].usage.low_priority_seconds == 500.0


def test_it_is_forgotten_when_the_target_falls():
    pools, context, _ = up()
    first, second = context.nodes
    preempted(pools, context, first, 500.0)
    pools.nodes.departure.vm_destroyed(first.id, 501.0)
    pools.resize("pool", (0, 1), NodeDeallocationOption.REQUEUE, 502.0)
    pools.settle(502.0)
    assert first.id not in context.nodes and second.id in context.nodes


@pytest.mark.parametrize("end", ["drain", "delete"])
def test_nobody_waits_for_it_at_the_end(end):
    pools, context, _ = up(1)
    (node,) = context.nodes
    preempted(pools, context, node, 500.0)
    pools.nodes.departure.vm_destroyed(node.id, 501.0)
    (_, new) = context.nodes
    if end == "drain":
        pools.drain(NodeDeallocationOption.REQUEUE, None, 502.0)
    else:
        pools.delete("pool", 502.0)
    pools.settle(502.0)
    pools.nodes.departure.vm_destroyed(new.id, 503.0)
    pools.settle(503.0)
    assert not len(context.nodes)
    assert ("pool" in context.pools) is (end == "drain")


def test_the_next_controller_asks_for_nothing_of_it():
    pools, context, _ = up(1)
    (node,) = context.nodes
    preempted(pools, context, node, 500.0)
    pools.nodes.departure.vm_destroyed(node.id, 501.0)
    again, fresh = machine(**SETTINGS)
    fresh.ids = context.ids
    fresh.load({"pool": context.pools["pool"]}, {node.id: context.nodes[node.id]})
    again.recover((), 600.0, 600.0)
    assert not said(fresh, DestroyVm)
    again.nodes.vms_listed("p", [vm_of(node)], 601.0, 601.0)
    pass_time(again, fresh, 700.0)
    again.nodes.vms_listed("p", [vm_of(node)], 700.0, 700.0)
    assert [c.vm_name for c in said(fresh, DestroyVm)] == [node.vm_name], "what is listed all the same is an orphan"
    again.nodes.connected(node.id, 701.0)
    assert node.id not in fresh.connected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], (0, 0, 0, 0)),
        (["idle", "preempted"], (0, 2, 1, 1)),
        (["idle", "preempted", "creating"], (0, 2, 1, 1)),
        (["preempted", "preempted", "starting"], (0, 2, 2, 0)),
        (["running", "creating", "waitingforstarttask", "preempted"], (0, 3, 1, 1)),
        (["leavingpool", "unusable"], (0, 2, 0, 0)),
    ],
)
def test_counts_as_azure_batch_counts(states, expected):
    nodes = [node_of(str(i), state, low_priority=True) for i, state in enumerate(states)]
    assert tuple(count(nodes)) == expected


@pytest.mark.parametrize("how", ["taken", "announced"])
def test_those_that_are_never_of_use_are_not_made_all_night(how):
    pools, context, _ = up(0)
    pools.resize("pool", (0, 3), NodeDeallocationOption.REQUEUE, 0.0)
    pools.settle(0.0)
    made = []
    for now in range(1, 3600):
        made += said(context, CreateVm)
        for node in context.nodes:
            if node.state is NodeState.CREATING and how == "taken":
                pools.nodes.vm_created(node.id, vm_of(node, VmState.PREEMPTED), now)
            elif node.state is NodeState.CREATING:
                pools.nodes.vm_created(node.id, vm_of(node), now)
                pools.nodes.noticed(node.id, now, now)
            if context.nodes[node.id].destroying:
                pools.nodes.departure.vm_destroyed(node.id, now)
        for kind, key in context.timers.due(now):
            pools.ring(kind, key, now)
        pools.settle(now)
    assert 3 < len(made) < 30
    assert "taken back before it was of use" in errors(context)["AllocationFailed"]


# -- with notice -------------------------------------------------------------------------------------------------


def noticed(busy=True):
    pools, context, work = up()
    node, other = context.nodes
    if busy:
        work.nodes.add(node.id)
    pools.nodes.noticed(node.id, 620.0, 500.0)
    pools.settle(500.0)
    return pools, context, work, context.nodes[node.id], other


def test_a_notice_drains_the_node_and_orders_another():
    pools, context, work, node, _ = noticed()
    assert (node.state, node.reclaim_at, node.destroying) == (NodeState.LEAVING_POOL, 620.0, False)
    assert node.reason == "its cloud takes it back in 120 s"
    assert work.evicted == [(node.id, NodeDeallocationOption.TASK_COMPLETION)]
    assert len(said(context, CreateVm)) == 1
    pools.nodes.noticed(node.id, 620.0, 505.0)  # it is told again and again
    assert len(work.evicted) == 1


def test_an_idle_node_goes_at_once():
    _, context, _, node, _ = noticed(busy=False)
    assert node.destroying
    assert [c.vm_name for c in said(context, DestroyVm)] == [node.vm_name]


def test_a_node_that_has_done_its_work_goes_before_it_is_taken():
    pools, context, work, node, _ = noticed()
    work.nodes.clear()
    pools.nodes.work_changed(node.id, 560.0)
    assert [c.vm_name for c in said(context, DestroyVm)] == [node.vm_name]


@pytest.mark.parametrize("how", ["preempted", "terminated", "not listed"])
def test_when_it_vanishes_it_is_preempted(how):
    pools, context, _, node, other = noticed()
    states = {"preempted": VmState.PREEMPTED, "terminated": VmState.TERMINATED}
    vms = [vm_of(other)] + ([vm_of(node, states[how])] if how in states else [])
    pools.nodes.vms_listed("p", vms, 620.0, 621.0)
    pools.settle(621.0)
    assert context.nodes[node.id].state is NodeState.PREEMPTED
    assert node.vm_name in [c.vm_name for c in said(context, DestroyVm)]


@pytest.mark.parametrize("controller", ["the same", "another"])
def test_a_cloud_that_does_not_keep_its_word_is_not_waited_for(controller):
    pools, context, _, node, _ = noticed()
    if controller == "another":
        records = {n.id: n for n in context.nodes}
        pools, fresh = machine(**SETTINGS)
        Busy(fresh).nodes.add(node.id)
        fresh.load({"pool": context.pools["pool"]}, records)
        context = fresh
        pools.recover((), 550.0, 550.0)
    said(context, DestroyVm)
    pass_time(pools, context, 799.0)
    assert not context.nodes[node.id].destroying
    pass_time(pools, context, 800.0)
    assert context.nodes[node.id].destroying


def test_a_node_that_boots_and_is_announced_goes():
    pools, context = machine(**SETTINGS)
    pools.add(PoolSpec(id="pool", vm_size="s", target_low_priority_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (node,) = context.nodes
    pools.nodes.vm_created(node.id, vm_of(node), 1.0)
    pools.nodes.noticed(node.id, 30.0, 2.0)
    assert context.nodes[node.id].destroying
    pools.nodes.noticed("nobody", 30.0, 2.0)


# -- another host key -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host_key", "state"), [(True, NodeState.STARTING), (False, NodeState.UNUSABLE)])
def test_another_host_key_while_it_boots_is_not_yet_the_right_one(host_key, state):
    pools, context = machine(**SETTINGS | {"boot_timeout": 60.0})
    pools.add(PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (node,) = context.nodes
    pools.nodes.vm_created(node.id, vm_of(node), 1.0)
    pools.nodes.disconnected(node.id, "it shows another host key", 2.0, fatal=True, host_key=host_key)
    assert context.nodes[node.id].state is state
    if host_key:
        pass_time(pools, context, 60.0)
        assert "last: it shows another host key" in context.pools["pool"].resize_errors[0].message


def test_another_host_key_later_is_somebody_else():
    pools, context, _ = up(1)
    (node,) = context.nodes
    pools.nodes.disconnected(node.id, "it shows another host key", 20.0, fatal=True, host_key=True)
    assert context.nodes[node.id].state is NodeState.UNUSABLE
