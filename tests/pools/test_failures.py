"""What counts as a failure of the pool, and what ends the back-off."""

from pools import NodeDeallocationOption, NodeState, PoolSpec
from providers import InvalidRequestError, VmState

from .machine import booted, machine, pass_time, vm_of

SETTINGS = {"backoff_base": 5.0, "young_node": 120.0, "vm_poll_interval": 1e6, "boot_timeout": 1e6}


def pool_of(size):
    pools, context = machine(**SETTINGS)
    pools.add(PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=size), "p", "image", 0.0)
    pools.settle(0.0)
    return pools, context


def present(context):
    """Nodes that are not on their way out."""
    return [n for n in context.nodes if n.state not in (NodeState.LEAVING_POOL, NodeState.PREEMPTED)]


def killed(pools, context, name, now, state=VmState.TERMINATED):
    pools.nodes.vms_listed("p", [vm_of(context.nodes[name], state)], now, now)
    pools.settle(now)


def only(context):
    (node,) = present(context)
    return node


def test_one_burst_of_errors_is_one_failure():
    pools, context = pool_of(10)
    assert len(context.nodes) == 10
    for second, node in enumerate(context.nodes):  # the later ones are answered after the back-off
        pools.nodes.vm_create_failed(node.id, InvalidRequestError(f"no such image ({second})"), float(second))
    pool = context.pools["pool"]
    assert (pool.failures, pool.retry_at) == (1, 5.0)
    assert "no such image (9)" in pool.resize_errors[0].message
    pools.settle(9.0)
    pools.nodes.vm_create_failed(only(context).id, InvalidRequestError("no such image"), 10.0)
    assert (context.pools["pool"].failures, context.pools["pool"].retry_at) == (2, 20.0)


def test_nodes_that_die_young_are_tried_less_and_less_often():
    pools, context = pool_of(1)
    now, waits = 0.0, []
    for failures in range(1, 5):
        node = only(context)
        booted(pools, node, now + 10.0)
        killed(pools, context, node.id, now + 60.0)
        assert context.pools["pool"].failures == failures
        assert not present(context)
        now = context.pools["pool"].retry_at
        waits.append(now - context.pools["pool"].modified)
        pass_time(pools, context, now)
    assert waits == [5.0, 10.0, 20.0, 40.0]


def test_a_node_that_was_of_use_for_long_is_replaced_at_once():
    pools, context = pool_of(1)
    node = only(context)
    booted(pools, node, 10.0)
    killed(pools, context, node.id, 130.0)
    assert context.pools["pool"].failures == 0
    assert only(context).id != node.id


def test_a_young_node_that_the_cloud_takes_back_is_no_failure():
    pools, context = pool_of(1)
    node = only(context)
    booted(pools, node, 10.0)
    killed(pools, context, node.id, 20.0, VmState.PREEMPTED)
    assert context.pools["pool"].failures == 0
    assert only(context).id != node.id


def failed_once():
    pools, context = pool_of(1)
    pools.nodes.vm_create_failed(only(context).id, InvalidRequestError("no such image"), 0.0)
    pass_time(pools, context, 5.0)
    node = only(context)
    booted(pools, node, 10.0)
    return pools, context, node


def test_a_node_that_lasts_ends_the_back_off():
    pools, context, _ = failed_once()
    pass_time(pools, context, 129.0)
    assert context.pools["pool"].failures == 1
    pass_time(pools, context, 130.0)
    pool = context.pools["pool"]
    assert (pool.failures, pool.retry_at, pool.resize_errors) == (0, None, ())


def test_it_ends_also_if_the_controller_changed_meanwhile():
    _, before, node = failed_once()
    pools, context = machine(**SETTINGS)
    context.load({"pool": before.pools["pool"]}, {node.id: before.nodes[node.id]})
    pools.recover((), 200.0, 200.0)
    pass_time(pools, context, 200.0)
    assert context.pools["pool"].failures == 0


def test_a_node_that_is_not_needed_any_more_ends_the_back_off():
    pools, context, node = failed_once()
    pools.nodes.departure.remove(context.nodes[node.id], NodeDeallocationOption.REQUEUE, "smaller", 20.0)
    assert context.pools["pool"].failures == 0
