"""Where a node is asked for: zone after zone, size after size; those that are full, and those that can never do."""

import pytest

from pools import CreateVm, DestroyVm, NodeDeallocationOption
from providers import CapacityError, PlacementError

from .machine import booted, errors, pass_time, placed, pool_of, refuse, said


def test_every_zone_of_every_size_is_tried_in_turn_and_at_once():
    pools, context = pool_of(1)
    tried = []
    for _ in range(4):
        tried += placed(context)
        (node,) = context.nodes
        assert (node.size, node.zone) == tried[-1][:2]
        refuse(pools, context, CapacityError("no m5 left"), 10.0)
    assert tried == [("l", "a", False), ("l", "b", False), ("xl", "a", False), ("xl", "b", False)]
    assert not len(context.nodes) and not placed(context)
    text = errors(context)["AllocationFailed"]
    assert "sizes l, xl; zones a, b; last: no m5 left; next try in 300 s" in text and "settings of provider p" in text
    pass_time(pools, context, 309.0)
    assert not placed(context)
    pass_time(pools, context, 310.0)
    assert placed(context) == [("l", "a", False)]
    pool = context.pools["pool"]
    assert (pool.failures, pool.refusals, pool.broken_since) == (0, 0, None)


def test_room_for_one_kind_is_not_room_for_the_other():
    pools, context = pool_of(1, low=1)
    low, dedicated = sorted(context.nodes, key=lambda node: not node.low_priority)
    placed(context)
    pools.nodes.vm_create_failed(low.id, CapacityError("no spot"), 1.0)
    pools.settle(1.0)
    assert placed(context) == [("l", "b", True)]
    assert dedicated.id in context.nodes


def test_many_nodes_without_room_move_on_together():
    pools, context = pool_of(10)
    placed(context)
    refuse(pools, context, CapacityError("none"), 1.0)
    assert placed(context) == [("l", "b", False)] * 10


def test_a_zone_that_can_never_do_is_left_out_like_one_without_room():
    pools, context = pool_of(1, settings={"capacity_pause": 100.0})
    (node,) = context.nodes
    said(context, CreateVm)
    pools.nodes.vm_create_failed(node.id, PlacementError("no subnet in a"), 1.0)
    pools.settle(1.0)
    assert node.id not in context.nodes and not said(context, DestroyVm)
    (node,) = context.nodes
    assert (node.size, node.zone) == ("l", "b")
    booted(pools, node, 2.0)
    pool = context.pools["pool"]
    assert (pool.failures, pool.refusals, pool.shortage_failures, pool.resize_errors) == (0, 0, 0, ())
    pools.resize("pool", (2, 0), NodeDeallocationOption.REQUEUE, 3.0)  # whoever asks anew gets a new try
    pools.settle(3.0)
    assert placed(context)[-1] == ("l", "a", False)


def refuse_in_turn(pools, context, now, *answers):
    """Each further placement is tried at once, and answered so; returns what was tried."""
    tried = []
    for error in answers:
        tried += placed(context)
        refuse(pools, context, error, now)
    return [(size, zone) for size, zone, _ in tried]


UNFIT, FULL = PlacementError("no subnet"), CapacityError("none left")
PLACES = [("l", "a"), ("l", "b"), ("xl", "a"), ("xl", "b")]


def test_where_none_can_ever_do_it_is_a_failure_of_the_pool():
    pools, context = pool_of(1, settings={"breaker_after": 3})
    now = 0.0
    for failures in (1, 2, 3):
        assert refuse_in_turn(pools, context, now, *[UNFIT] * 4) == PLACES
        pool = context.pools["pool"]
        assert (pool.failures, pool.no_capacity, pool.unfit) == (failures, {}, ())
        now = pool.retry_at
        pass_time(pools, context, now)
    assert pool.broken_since is not None and not placed(context)
    assert "no subnet" in errors(context)["CircuitBreakerOpen"]


def test_nor_does_a_cloud_that_takes_its_time_to_say_so_go_on_for_ever():
    """The first placement is open again before the last has been refused."""
    pools, context = pool_of(1, settings={"capacity_pause": 300.0})
    for now in (120.0, 240.0, 360.0, 480.0):
        refuse_in_turn(pools, context, now, UNFIT)
    assert context.pools["pool"].failures == 1
    assert "no subnet" in errors(context)["AllocationFailed"]


@pytest.mark.parametrize("full", range(4))
def test_but_not_where_one_is_only_full(full):
    pools, context = pool_of(1)
    for now in (0.0, 300.0, 600.0):
        pass_time(pools, context, now)
        answers = [FULL if number == full else UNFIT for number in range(4)]
        assert refuse_in_turn(pools, context, now, *answers) == PLACES
        pool = context.pools["pool"]
        assert (pool.failures, pool.refusals, pool.broken_since) == (0, 0, None)
        assert "next try in 300 s" in errors(context)["AllocationFailed"] and not placed(context)


def test_what_could_not_do_once_may_do_later():
    """Somebody has mended one zone: that the others still refuse is no failure of the pool."""
    pools, context = pool_of(1)
    refuse_in_turn(pools, context, 0.0, UNFIT, UNFIT, UNFIT, FULL)
    pass_time(pools, context, 300.0)
    assert refuse_in_turn(pools, context, 300.0, UNFIT) == PLACES[:1]
    assert placed(context) == [("l", "b", False)]
    assert context.pools["pool"].failures == 0


def test_a_low_priority_node_that_can_never_be_there_says_nothing_of_the_market():
    pools, context = pool_of(0, low=1, metadata=[("fallbackAfterFailures", "1")])
    refuse_in_turn(pools, context, 0.0, UNFIT)
    assert placed(context) == [("l", "b", True)]
    assert context.pools["pool"].shortage_failures == 0
