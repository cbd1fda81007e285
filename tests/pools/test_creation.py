"""The create call: where a node is asked for, and what each answer leads to."""

import pytest

from pools import DestroyVm, NetworkConfiguration, NodeState
from pools.commands import CreateVm
from providers import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    PlacementError,
    QuotaError,
    ThrottledError,
    TransientError,
    VmState,
)

from .machine import booted, errors, pass_time, pool_of, refuse, said, vm_of


@pytest.mark.parametrize("error", [CapacityError, QuotaError, InvalidRequestError, PlacementError])
def test_what_certainly_has_no_vm_goes_at_once(error):
    pools, context = pool_of(1)
    (node,) = context.nodes
    refuse(pools, context, error("no"))
    assert node.id not in context.nodes
    assert not said(context, DestroyVm)


@pytest.mark.parametrize("error", [CapacityError, QuotaError, InvalidRequestError, PlacementError])
@pytest.mark.parametrize("how", ["lost answer", "new controller"])
def test_after_a_call_without_an_answer_there_may_be_one(error, how):
    pools, context = pool_of(1)
    (node,) = context.nodes
    if how == "lost answer":
        pools.nodes.vm_create_failed(node.id, TransientError("time-out"), 0.0)
        pass_time(pools, context, 2.0)
    else:
        pools.recover((), 1.0, 1.0)
    refuse(pools, context, error("no"), 3.0)
    assert context.nodes[node.id].destroying
    assert [c.vm_name for c in said(context, DestroyVm)] == [node.vm_name]


def test_a_refused_credential_says_nothing_of_the_vm():
    pools, context = pool_of(1)
    (node,) = context.nodes
    refuse(pools, context, AuthError("not allowed"))
    assert context.nodes[node.id].destroying
    assert context.pools["pool"].failures == 1


def test_but_where_the_provider_knows_that_nothing_was_made_there_is_none():
    pools, context = pool_of(1)
    (node,) = context.nodes
    error = AuthError("not allowed")
    error.nothing_made = True
    refuse(pools, context, error)
    assert node.id not in context.nodes and said(context, DestroyVm) == []
    assert context.pools["pool"].failures == 1


def test_a_quota_is_waited_for_however_long_it_takes():
    pools, context = pool_of(3)
    now, waits = 0.0, []
    for _ in range(12):
        refuse(pools, context, QuotaError("8 of 8 vCPUs are used; ask for more at the quota page"), now)
        pool = context.pools["pool"]
        waits.append(pool.retry_at - now)
        now = pool.retry_at
        pass_time(pools, context, now)
    assert waits[:3] == [5.0, 10.0, 20.0] and waits[-1] == 300.0
    assert (pool.failures, pool.broken_since) == (0, None)
    assert errors(context)["AccountCoreQuotaReached"].startswith("8 of 8 vCPUs are used; ask for more")
    assert len(context.nodes) == 1  # one is tried first


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        (TransientError("time-out"), 1.0, 2.0),
        (ThrottledError("slow down"), 1.0, 2.0),
        (ThrottledError("slow down", retry_after=30.0), 30.0, 30.0),
    ],
)
def test_the_same_call_is_made_again(error, least, most):
    pools, context = pool_of(1)
    (first,) = said(context, CreateVm)
    refuse(pools, context, error, 10.0)
    (node,) = context.nodes
    assert node.state is NodeState.CREATING
    assert least <= context.timers._when["create", node.id] - 10.0 <= most
    pass_time(pools, context, 40.0)
    assert said(context, CreateVm) == [first]
    assert context.pools["pool"].failures == 0


def test_the_pauses_grow_and_are_told():
    pools, context = pool_of(1, settings={"profiles": {}})
    pauses, now = [], 0.0
    for _ in range(8):
        refuse(pools, context, ThrottledError("slow down"), now)
        (node,) = context.nodes
        due = context.timers._when["create", node.id]
        pauses.append(due - now)
        pass_time(pools, context, due)
        now = due
    for pause, most in zip(pauses, (2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert most / 2 <= pause <= most
    assert "slow down (try 8; the next in" in errors(context)["AllocationFailed"]


def test_a_vm_that_is_seen_is_not_asked_for_again():
    pools, context = pool_of(1)
    (node,) = context.nodes
    refuse(pools, context, TransientError("time-out"), 0.0)
    said(context, CreateVm)
    pools.nodes.vms_listed("p", [vm_of(node, VmState.PENDING)], 0.5, 1.0)
    pools.nodes.vm_create_failed(node.id, CapacityError("the answer of a former call"), 1.0)
    pass_time(pools, context, 60.0)
    assert not said(context, CreateVm)
    assert context.nodes[node.id].state is NodeState.CREATING


def test_a_node_without_a_vm_in_all_its_time_is_no_failure_of_the_pool():
    pools, context = pool_of(1)
    (node,) = context.nodes
    for now in (0.0, 30.0, 76.0):
        refuse(pools, context, ThrottledError("slow down"), now)
        pass_time(pools, context, now + 1.0)
    pass_time(pools, context, 77.0)
    assert context.nodes[node.id].destroying
    pool = context.pools["pool"]
    assert (pool.failures, pool.refusals) == (0, 1)
    text = errors(context)["AllocationFailed"]
    assert "not ready 77 s after its creation; last: VM not created yet: slow down" in text


def test_the_provider_knows_how_long_a_boot_takes():
    pools, context = pool_of(1)
    (node,) = context.nodes
    pools.nodes.vm_created(node.id, vm_of(node, VmState.PENDING), 1.0)
    pass_time(pools, context, 76.9)
    assert context.nodes[node.id].state is NodeState.CREATING
    pass_time(pools, context, 77.0)
    assert context.nodes[node.id].destroying
    assert "not ready 77 s" in errors(context)["BootTimedOut"]


def test_what_is_asked_for():
    network = NetworkConfiguration(subnet_id="subnet-1")
    _, context = pool_of(1, low=1, metadata=[("maxPrice", "0.05")], network_configuration=network)
    specs = [command.spec for command in said(context, CreateVm)]
    assert [(spec.low_priority, spec.max_price) for spec in specs] == [(False, None), (True, 0.05)]
    assert {(spec.subnet, spec.isolated, spec.image) for spec in specs} == {("subnet-1", True, "image")}


def test_the_end_of_a_vm_is_asked_for_by_the_clouds_own_name():
    pools, context = pool_of(1)
    (node,) = context.nodes
    booted(pools, node, 1.0)
    pools.nodes.vms_listed("p", [vm_of(node, VmState.TERMINATED)], 2.0, 3.0)
    pools.settle(3.0)
    assert [c.provider_id for c in said(context, DestroyVm)] == ["i-1"]


def test_a_vm_that_does_not_go_is_asked_to_less_and_less_often():
    pools, context = pool_of(1)
    (node,) = context.nodes
    pools.delete("pool", 1.0)
    pools.settle(1.0)
    now, pauses = 1.0, []
    for _ in range(6):
        said(context, DestroyVm)
        pools.nodes.departure.vm_destroy_failed(node.id, now)
        due = context.timers._when["destroy", node.id]
        pauses.append(due - now)
        pass_time(pools, context, due)
        now = due
        assert len(said(context, DestroyVm)) == 1
    for pause, most in zip(pauses, (5, 10, 20, 40, 60, 60), strict=True):
        assert most / 2 <= pause <= most


def test_how_long_a_boot_took_is_kept():
    pools, context = pool_of(1)
    (node,) = context.nodes
    pools.nodes.vm_created(node.id, vm_of(node), 3.0)
    pools.nodes.connected(node.id, 7.0)
    pools.nodes.prepared(node.id, None, 12.0)
    (boot,) = [change.record for change in context.ledger.take() if change.table == "boots"]
    assert (boot.node_id, boot.provider, boot.size, boot.zone) == (node.id, "p", "l", "a")
    assert (boot.running, boot.answered, boot.usable) == (3.0, 7.0, 12.0)


def test_the_peak_counts_vms_and_not_orders():
    pools, context = pool_of(3)
    first, second, third = context.nodes
    booted(pools, first, 1.0)
    pools.nodes.vm_create_failed(third.id, QuotaError("no"), 2.0)
    booted(pools, second, 3.0)
    assert context.pools["pool"].usage.peak_nodes == 2
    pools.nodes.vms_listed("p", [vm_of(first, VmState.TERMINATED), vm_of(second)], 4.0, 4.0)
    pools.settle(4.0)
    pools.nodes.departure.vm_destroyed(first.id, 5.0)
    pass_time(pools, context, 10.0)
    (again,) = (node for node in context.nodes if node.id != second.id)
    booted(pools, again, 11.0)
    assert context.pools["pool"].usage.peak_nodes == 2
