"""Prices of nodes, and what they come to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import Cost, NodeState, PoolSettings, PoolSpec, Usage, node_cost, pool_cost, pool_seconds
from pools.cost import billed_seconds, price_of, with_ended
from providers import Profile, VmState

from .machine import booted, machine, vm_of
from .nodes import node, pool

HOUR = 3600.0


def vm(**changes):
    return replace(vm_of(node("n")), **changes)


@pytest.mark.parametrize(
    ("prices", "told", "low", "price"),
    [
        ({}, None, False, None),
        ({}, 0.5, False, 0.5),
        ({}, 0.0, False, 0.0),  # its provider says that it is free
        ({"small": (0.2, None)}, 0.5, False, 0.2),
        ({"small": (0.2, None)}, 0.5, True, 0.5),
        ({"small": (0.2, 0.1)}, None, True, 0.1),
        ({"small": (0.0, None)}, None, False, None),  # 0.0 in the settings is no price
        ({"small": (0.0, None)}, 0.5, False, 0.5),
        ({"small": (0.2, None), "t3": (0.3, None)}, 0.5, False, 0.3),  # the cloud's own size before the pool's
        ({"large": (9.0, 9.0)}, None, False, None),
    ],
)
def test_where_a_price_comes_from(prices, told, low, price):
    found = price_of(
        node("n", low_priority=low, size="t3"), vm(price_per_hour=told), "small", PoolSettings(prices=prices)
    )
    assert found == price


def confirmed(**changes):
    return node("n", created=100.0, vm_confirmed=104.0, **changes)


@pytest.mark.parametrize(
    ("record", "seconds"),
    [
        (node("n", created=100.0), 0.0),  # nobody has seen a VM
        (confirmed(), 100.0),
        (confirmed(vm=vm(created=None)), 100.0),
        (confirmed(vm=vm(created=102.0)), 98.0),
        (confirmed(vm=vm(created=10.0)), 100.0),  # a clock that is slow
        (confirmed(vm=vm(created=500.0)), 96.0),  # and one that is fast
        (confirmed(vm_ended=150.0), 50.0),
        (confirmed(vm_ended=90.0), 0.0),
    ],
)
def test_a_vm_is_billed_from_its_creation_to_its_end(record, seconds):
    assert billed_seconds(record, 200.0) == seconds


def test_the_cost_of_a_pool_is_that_of_its_past_and_its_present_nodes():
    nodes = [
        node("a", vm_confirmed=0.0, price_per_hour=3600.0),
        node("b", vm_confirmed=0.0),
        node("c", vm_confirmed=0.0, price_per_hour=3600.0, vm_gone=True),  # in `usage` already
    ]
    known = pool(usage=Usage(dedicated_seconds=7.0, cost=5.0, unpriced_seconds=2.0))
    assert pool_cost(known, nodes, 10.0) == Cost(15.0, 12.0)
    assert pool_seconds(known, nodes, 10.0) == 27.0


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.none() | st.floats(0, 100), st.floats(0, 1e6), st.floats(0, 1e6), st.none() | st.just(5.0)
        )
    )
)
def test_what_a_node_has_cost_is_the_same_before_and_after_its_end(lives):
    usage, before, seconds = Usage(), Cost(), 0.0
    for low, price, created, later, ended in lives:
        one = node("n", low_priority=low, created=created, vm_confirmed=created, price_per_hour=price, vm_ended=ended)
        before += node_cost(one, created + later)
        seconds += billed_seconds(one, created + later)
        usage = with_ended(usage, one, created + later)
    assert Cost(usage.cost, usage.unpriced_seconds) == before
    assert usage.dedicated_seconds + usage.low_priority_seconds == pytest.approx(seconds)


def up(prices=None, told=0.36):
    """A node of a pool, its VM seen at 2 with the price that its cloud tells."""
    pools, context = machine(prices=prices or {}, profiles={"p": Profile()})
    pools.add(PoolSpec(id="pool", vm_size="s", target_low_priority_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (first,) = context.nodes
    pools.nodes.vm_created(first.id, replace(vm_of(first, VmState.PENDING), price_per_hour=told), 2.0)
    pools.settle(2.0)
    return pools, context, first.id


def test_the_price_is_fixed_when_the_vm_is_known():
    pools, context, name = up()
    assert context.nodes[name].price_per_hour == 0.36
    dearer = replace(context.nodes[name].vm, price_per_hour=9.0, state=VmState.RUNNING)
    pools.nodes.vms_listed("p", [dearer], 5.0, 6.0)
    assert context.nodes[name].price_per_hour == 0.36


def test_a_price_that_is_learned_later_counts_from_the_beginning():
    pools, context, name = up(told=None)
    assert context.nodes[name].price_per_hour is None
    pools.nodes.vms_listed("p", [replace(context.nodes[name].vm, price_per_hour=0.36)], 5.0, 6.0)
    assert node_cost(context.nodes[name], 3600.0) == Cost(0.36)


def test_failed_and_preempted_nodes_are_paid_for():
    pools, context, name = up(prices={"s": (None, 3600.0)})
    booted(pools, context.nodes[name], 10.0)
    gone = replace(context.nodes[name].vm, state=VmState.PREEMPTED)
    pools.nodes.vms_listed("p", [gone], 30.0, 30.0)
    pools.nodes.departure.vm_destroyed(name, 45.0)
    assert context.nodes[name].state is NodeState.PREEMPTED
    assert context.pools["pool"].usage.cost == 30.0, "to the end of its VM"
    pools.settle(45.0)
    (second,) = (each for each in context.nodes if each.id != name)
    pools.nodes.vm_created(second.id, vm_of(second, VmState.PENDING), second.created + 1)
    pools.nodes.departure.failed(context.nodes[second.id], "it does not boot", 60.0)
    pools.settle(60.0)
    pools.nodes.departure.vm_destroyed(second.id, 65.0)
    assert context.pools["pool"].usage.cost == 30.0 + 65.0 - second.created


def test_a_node_without_a_vm_costs_nothing():
    pools, context = machine()
    pools.add(PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=1), "p", "image", 0.0)
    pools.settle(0.0)
    (first,) = context.nodes
    pools.nodes.departure.remove(first, context.pools["pool"].node_deallocation_option, "not wanted", 50.0)
    pools.nodes.departure.vm_destroyed(first.id, 60.0)
    assert context.pools["pool"].usage == Usage(peak_nodes=0, nodes_allocated=1)
