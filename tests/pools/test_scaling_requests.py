"""Stopping a resize, and giving a pool a formula or taking it away."""

from datetime import timedelta

import pytest

from pools import NodeDeallocationOption, NodeState, PoolError, PoolSpec

from .machine import booted, errors, machine, pass_time

FORMULA = "$TargetDedicatedNodes = 2;"
REQUEUE = NodeDeallocationOption.REQUEUE


def pool(**fields):
    pools, context = machine()
    pools.add(PoolSpec(id="pool", vm_size="s", **fields), "p", "image", 0.0)
    pools.settle(0.0)
    return pools, context


def asked(context):
    found = context.pools["pool"]
    return found.target_dedicated, found.target_low_priority


def allocation(context):
    return str(context.pools["pool"].allocation_state)


def refusal(ask, *arguments):
    with pytest.raises(PoolError) as refused:
        ask(*arguments)
    return refused.value.code


def test_a_stopped_resize_keeps_the_nodes_that_are_there():
    pools, context = pool(target_dedicated_nodes=3, target_low_priority_nodes=1)
    there = next(node for node in context.nodes if not node.low_priority)
    booted(pools, there, 10.0)
    assert allocation(context) == "resizing"
    pools.stop_resize("pool", 20.0)
    pools.settle(20.0)
    assert asked(context) == (1, 0)
    assert list(errors(context)) == ["ResizeStopped"]
    leaving = {node.id for node in context.nodes if node.state is NodeState.LEAVING_POOL}
    assert leaving == {node.id for node in context.nodes} - {there.id}
    for node_id in leaving:
        pools.nodes.departure.vm_destroyed(node_id, 21.0)
    pools.settle(21.0)
    assert allocation(context) == "steady"
    assert refusal(pools.stop_resize, "pool", 22.0) == "OperationInvalidForCurrentState"
    pools.resize("pool", (2, None), REQUEUE, 23.0)
    pools.settle(23.0)
    assert (asked(context), errors(context)) == ((2, 0), {})


def test_a_node_that_is_on_its_way_out_does_not_stay():
    pools, context = pool(target_dedicated_nodes=2)
    for node in tuple(context.nodes):
        booted(pools, node, 10.0)
    pools.resize("pool", (1, None), REQUEUE, 20.0)
    pools.settle(20.0)
    pools.stop_resize("pool", 21.0)
    pools.settle(21.0)
    assert asked(context) == (1, 0)
    assert sum(node.state is NodeState.LEAVING_POOL for node in context.nodes) == 1


def test_a_resize_takes_the_place_of_one_that_is_under_way():
    pools, context = pool(target_dedicated_nodes=3)
    assert allocation(context) == "resizing"
    pools.resize("pool", (1, 2), REQUEUE, 1.0)
    pools.settle(1.0)
    assert (asked(context), allocation(context)) == ((1, 2), "resizing")
    for node in tuple(context.nodes):
        if node.state is NodeState.LEAVING_POOL:
            pools.nodes.departure.vm_destroyed(node.id, 2.0)
    pools.settle(2.0)
    for node in tuple(context.nodes):
        booted(pools, node, 3.0)
    assert sorted(node.low_priority for node in context.nodes) == [False, True, True]
    assert allocation(context) == "steady"


def test_a_pool_gets_a_formula_and_loses_it():
    pools, context = pool(target_low_priority_nodes=1)
    assert refusal(pools.enable_autoscale, "pool", None, None, 1.0) == "InvalidPropertyValue"  # it has none
    assert refusal(pools.enable_autoscale, "pool", FORMULA, timedelta(seconds=1), 1.0) == "InvalidPropertyValue"
    assert refusal(pools.enable_autoscale, "pool", "$x = ;", None, 1.0) == "AutoScalingFormulaSyntaxError"
    assert not context.pools["pool"].spec.enable_auto_scale
    pools.enable_autoscale("pool", FORMULA, timedelta(minutes=6), 1.0)
    pass_time(pools, context, 2.0)
    found = context.pools["pool"]
    assert (asked(context), found.next_evaluation) == ((2, 1), 361.0)
    pools.disable_autoscale("pool", 3.0)
    pools.settle(3.0)
    found = context.pools["pool"]
    assert (asked(context), found.next_evaluation, found.spec.auto_scale_formula) == ((2, 1), None, None)
    before = context.pools["pool"]
    pools.disable_autoscale("pool", 4.0)
    assert context.pools["pool"] is before
    pools.resize("pool", (None, 0), REQUEUE, 5.0)
    assert asked(context) == (2, 0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda pools, pool_id: pools.resize(pool_id, (1, 1), REQUEUE, 1.0),
        lambda pools, pool_id: pools.stop_resize(pool_id, 1.0),
        lambda pools, pool_id: pools.enable_autoscale(pool_id, FORMULA, None, 1.0),
        lambda pools, pool_id: pools.disable_autoscale(pool_id, 1.0),
        lambda pools, pool_id: pools.resume(pool_id, 1.0),
    ],
)
def test_a_pool_that_goes_is_asked_nothing(ask):
    pools, context = pool(target_dedicated_nodes=1)
    pools.delete("pool", 1.0)
    before = context.pools["pool"]
    assert refusal(ask, pools, "pool") == "PoolBeingDeleted"
    assert refusal(ask, pools, "none") == "PoolNotFound"
    assert context.pools["pool"] is before
