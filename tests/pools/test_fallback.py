"""Dedicated nodes in the place of low-priority ones that cannot be had."""

import pytest

from pools import DestroyVm, MetadataItem, NodeState, PoolError, PoolSpec, evolve
from pools.commands import CreateVm
from providers import CapacityError, Profile, QuotaError, VmState

from .machine import booted, errors, machine, pass_time, said, vm_of

SETTINGS = {
    "profiles": {"p": Profile(zones=("a", "b"))},
    "vm_poll_interval": 1e6,
    "boot_timeout": 1e6,
    "capacity_pause": 100.0,
}


def pool_of(low=2, dedicated=0, **metadata):
    pools, context = machine(**SETTINGS)
    items = tuple(MetadataItem(name=name, value=value) for name, value in {"fallbackFor": "PT10M", **metadata}.items())
    spec = PoolSpec(
        id="pool",
        vm_size="s",
        target_low_priority_nodes=low,
        target_dedicated_nodes=dedicated,
        metadata=items,
    )
    pools.add(spec, "p", "image", 0.0)
    pools.settle(0.0)
    return pools, context


def refuse(pools, context, now, error=None):
    """Low-priority VMs are not to be had."""
    for node in tuple(context.nodes):
        if node.low_priority and node.vm_confirmed is None:
            pools.nodes.vm_create_failed(node.id, error or CapacityError("none"), now)
    pools.settle(now)


def boot(pools, context, now):
    for node in tuple(context.nodes):
        if node.state is NodeState.CREATING:
            booted(pools, node, now)
    pools.settle(now)


def gone(pools, context, now):
    for command in said(context, DestroyVm):
        pools.nodes.departure.vm_destroyed(command.node_id, now)
    pools.settle(now)


def kinds(context):
    """(low-priority, standing in, dedicated) that count."""
    alive = [n for n in context.nodes if n.state is not NodeState.LEAVING_POOL and not n.vm_gone]
    low, stand_ins = sum(n.low_priority for n in alive), sum(n.fallback for n in alive)
    return low, stand_ins, len(alive) - low - stand_ins


def fallen_back(**metadata):
    pools, context = pool_of(**{"fallbackAfterFailures": "2"} | metadata)
    refuse(pools, context, 1.0)
    assert kinds(context) == (2, 0, 0), "one burst is one try"
    refuse(pools, context, 2.0)
    return pools, context


def test_after_so_many_tries_dedicated_nodes_stand_in():
    pools, context = fallen_back()
    assert kinds(context) == (0, 2, 0)
    assert all(not node.low_priority and node.id.endswith("_d") for node in context.nodes)
    assert [c.spec.low_priority for c in said(context, CreateVm)][-2:] == [False, False]
    text = errors(context)["LowPriorityFallback"]
    assert "2 tries in a row" in text and "again after 600 s" in text
    assert context.pools["pool"].fallback_since == 2.0
    boot(pools, context, 30.0)
    assert context.pools["pool"].allocation_state == "steady"


@pytest.mark.parametrize("error", [CapacityError("all full"), QuotaError("no more spot")])
def test_while_they_stand_in_only_that_is_told_and_why(error):
    pools, context = pool_of(fallbackAfterFailures="2")
    for now in (1.0, 2.0, 110.0):
        refuse(pools, context, now, error)
        pass_time(pools, context, 109.0)
    assert kinds(context) == (0, 2, 0)
    assert list(errors(context)) == ["LowPriorityFallback"]
    assert f"2 tries in a row; last: {error}" in errors(context)["LowPriorityFallback"]
    boot(pools, context, 120.0)
    pass_time(pools, context, context.pools["pool"].fallback_since + 600.0)
    refuse(pools, context, 800.0, error)
    assert context.pools["pool"].fallback_since == 800.0
    assert list(errors(context)) == ["LowPriorityFallback"]


def test_that_there_is_no_room_for_them_either_is_told():
    pools, context = pool_of(low=1, dedicated=1, fallbackAfterFailures="2")
    for now in (1.0, 2.0):
        for node in tuple(context.nodes):
            if not node.low_priority:
                pools.nodes.vm_create_failed(node.id, CapacityError("all full"), now)
        pools.settle(now)
    refuse(pools, context, 3.0)
    refuse(pools, context, 4.0)
    assert kinds(context) == (0, 0, 0) and context.pools["pool"].fallback_since == 4.0
    assert "no room for dedicated nodes" in errors(context)["AllocationFailed"]


def test_a_record_of_an_earlier_version_says_not_why():
    pools, context = pool_of(fallbackAfter="PT60S")
    refuse(pools, context, 1.0)
    context.put_pool(evolve(context.pools["pool"], 2.0, shortage_reason=None))
    pass_time(pools, context, 61.0)
    assert "not for long (1 try in a row); dedicated nodes stand in" in errors(context)["LowPriorityFallback"]


def test_those_of_the_pools_own_dedicated_target_are_apart():
    pools, context = pool_of(low=1, dedicated=1, fallbackAfterFailures="1")
    refuse(pools, context, 1.0)
    assert kinds(context) == (0, 1, 1)
    pools.resize("pool", (0, 1), "requeue", 2.0)
    pools.settle(2.0)
    assert kinds(context)[2] == 0 and kinds(context)[1] <= 1


def test_without_the_option_they_never_do():
    pools, context = pool_of()
    for n in range(20):
        refuse(pools, context, 100.0 * n)
        pass_time(pools, context, 100.0 * (n + 1))
    assert context.pools["pool"].fallback_since is None
    assert context.pools["pool"].shortage_failures == 0


def test_a_quota_of_low_priority_does_not_hold_up_the_stand_ins():
    pools, context = pool_of(fallbackAfterFailures="1")
    refuse(pools, context, 1.0, QuotaError("no more spot"))
    assert kinds(context) == (0, 2, 0)


def test_after_so_long_dedicated_nodes_stand_in():
    pools, context = pool_of(fallbackAfter="PT5M")
    refuse(pools, context, 10.0)
    refuse(pools, context, 10.0)
    pass_time(pools, context, 309.0)
    for now in (110.0, 210.0):
        refuse(pools, context, now)
    assert kinds(context)[1] == 0
    pass_time(pools, context, 310.0)
    assert context.pools["pool"].fallback_since == 310.0


def preempt_all(pools, context, now):
    vms = [vm_of(n, VmState.PREEMPTED) for n in context.nodes if n.low_priority and n.vm and n.may_live]
    pools.nodes.vms_listed("p", vms, 0.0, now)
    pools.settle(now)
    gone(pools, context, now)


def test_nodes_that_are_taken_back_again_and_again_count():
    pools, context = pool_of(fallbackAfterFailures="3")
    for now in (0.0, 100.0, 200.0):
        assert kinds(context)[1] == 0
        boot(pools, context, now + 10.0)
        preempt_all(pools, context, now + 60.0)
    assert kinds(context)[1] == 2


def test_one_that_was_of_use_for_long_ends_the_row():
    pools, context = pool_of(fallbackAfterFailures="2")
    for now in (0.0, 1000.0, 2000.0):
        boot(pools, context, now + 10.0)
        pass_time(pools, context, now + 500.0)
        preempt_all(pools, context, now + 600.0)
        assert context.pools["pool"].fallback_since is None


def test_one_that_was_of_use_for_long_is_no_failed_try():
    pools, context = pool_of(fallbackAfterFailures="1")
    boot(pools, context, 10.0)
    preempt_all(pools, context, 129.0 + 2.0)
    assert kinds(context) == (2, 0, 0)
    boot(pools, context, 140.0)
    preempt_all(pools, context, 140.0 + 119.0)
    assert kinds(context) == (0, 2, 0)


def test_nodes_that_are_announced_again_and_again_count():
    """They go before they are taken, and nobody would see a preempted one."""
    pools, context = pool_of(fallbackAfterFailures="3")
    for now in (0.0, 100.0, 200.0):
        assert kinds(context)[1] == 0
        boot(pools, context, now + 10.0)
        for node in tuple(context.nodes):
            pools.nodes.noticed(node.id, now + 150.0, now + 30.0)
        pools.settle(now + 30.0)
        gone(pools, context, now + 31.0)
    assert kinds(context)[1] == 2


def probing(**metadata):
    pools, context = fallen_back(**metadata)
    boot(pools, context, 30.0)
    pass_time(pools, context, 601.9)
    assert kinds(context) == (0, 2, 0)
    pass_time(pools, context, 602.0)
    return pools, context


def test_low_priority_is_tried_again_with_one_node():
    _, context = probing()
    assert kinds(context) == (1, 2, 0)


@pytest.mark.parametrize("error", [CapacityError("none"), QuotaError("none")])
def test_if_that_fails_the_stand_ins_stay(error):
    pools, context = probing()
    refuse(pools, context, 603.0, error)
    assert kinds(context) == (0, 2, 0)
    assert context.pools["pool"].fallback_since == 603.0
    pass_time(pools, context, 1202.9)
    assert kinds(context) == (0, 2, 0)
    pass_time(pools, context, 1203.0)
    assert kinds(context) == (1, 2, 0)


def test_if_it_comes_the_stand_ins_are_replaced_one_by_one():
    pools, context = probing()
    steps, now = [kinds(context)], 610.0
    for _ in range(8):
        boot(pools, context, now)
        assert len([n for n in context.nodes if n.may_live]) <= 3
        gone(pools, context, now + 1.0)
        steps.append(kinds(context))
        now += 50.0
    assert steps[:3] == [(1, 2, 0), (2, 1, 0), (2, 0, 0)]
    assert steps[-1] == (2, 0, 0)
    pool = context.pools["pool"]
    assert (pool.fallback_since, pool.shortage_since, pool.shortage_failures, pool.resize_errors) == (None, None, 0, ())


def test_a_stand_in_finishes_its_tasks_and_only_then_the_next_goes():
    pools, context = probing()
    context.workload.busy = lambda node_id: 1
    boot(pools, context, 610.0)
    leaving = [n for n in context.nodes if n.state is NodeState.LEAVING_POOL]
    assert [(n.fallback, n.leaving, n.destroying) for n in leaving] == [(True, "taskcompletion", False)]
    pass_time(pools, context, 5000.0)
    assert len([n for n in context.nodes if n.may_live]) == 3


def test_a_target_that_falls_takes_stand_ins_first_and_leaves_nothing():
    pools, context = probing()
    boot(pools, context, 610.0)
    for low in (1, 0):
        pools.resize("pool", (0, low), "requeue", 700.0)
        pools.settle(700.0)
        gone(pools, context, 700.0)
        assert sum(kinds(context)) == low
    assert not len(context.nodes)


def test_a_pool_that_has_ebbed_meanwhile_starts_with_low_priority():
    pools, context = fallen_back()
    boot(pools, context, 30.0)
    context.put_pool(evolve(context.pools["pool"], 40.0, target_low_priority=0))
    pools.settle(40.0)
    gone(pools, context, 41.0)
    pass_time(pools, context, 700.0)
    context.put_pool(evolve(context.pools["pool"], 700.0, target_low_priority=2))
    pools.settle(700.0)
    assert kinds(context) == (2, 0, 0)


@pytest.mark.parametrize(
    ("name", "value"), [("fallbackAfterFailures", "0"), ("fallbackFor", "soon"), ("maxPrice", "-1"), ("budget", "x")]
)
def test_an_option_that_cannot_be_understood_is_refused(name, value):
    pools, context = machine()
    spec = PoolSpec(id="pool", vm_size="s", metadata=(MetadataItem(name=name, value=value),))
    with pytest.raises(PoolError, match=f"metadata: metadata '{name}'"):
        pools.add(spec, "p", "image", 0.0)
    assert not len(context.pools)
