"""What the planner does is on record, with its reasons; what changes nothing is not."""

from datetime import timedelta

import pytest

from pools import BY_FORMULA, MetadataItem, NodeDeallocationOption, PlannedAction, PoolSettings, PoolSpec
from pools.pass_log import together
from pools.planner import BARRED, HoldBack, plan
from providers import CapacityError

from .machine import SETTINGS, booted, machine, pass_time, pool_of, refuse
from .nodes import node, pool

REQUEUE = NodeDeallocationOption.REQUEUE


def passes(context):
    return [change.record for change in context.ledger.take() if change.table == "planner_passes"]


def told(context):
    """Of each pass: the targets, why those, what was done, what held it back."""
    return [
        (
            (found.target_dedicated, found.target_low_priority),
            found.because,
            [(action.action, len(action.node_ids), action.reason) for action in found.actions],
            found.held_back,
        )
        for found in passes(context)
    ]


def test_nodes_come_and_go_for_reasons():
    pools, context = pool_of(2)
    nodes = [each.id for each in context.nodes]
    (first,) = passes(context)
    (ordered,) = first.actions
    assert (ordered.action, list(ordered.node_ids)) == ("create", nodes)
    assert ordered.reason == "target 2 dedicated, present 0"
    for each in tuple(context.nodes):
        booted(pools, each, 10.0)
    assert passes(context) == []
    pools.resize("pool", (1, None), REQUEUE, 20.0)
    pools.settle(20.0)
    (second,) = passes(context)
    (removed,) = second.actions
    assert (removed.action, removed.option, second.target_dedicated) == ("remove", REQUEUE, 1)
    assert removed.node_ids[0] in nodes


def test_what_changes_nothing_is_not_recorded():
    pools, context = pool_of(1)
    passes(context)
    for now in range(1, 50):
        context.dirty.add("pool")
        pools.settle(float(now))
    assert passes(context) == []


def test_passes_of_the_same_time_are_one():
    pools, context = pool_of(1)
    pools.resize("pool", (3, None), REQUEUE, 0.0)
    pools.settle(0.0)
    (found,) = passes(context)
    assert (found.time, found.target_dedicated) == (0.0, 3)
    assert [(action.reason, len(action.node_ids)) for action in found.actions] == [
        ("target 1 dedicated, present 0", 1),
        ("target 3 dedicated, present 1", 2),
    ]


def test_actions_that_are_alike_are_told_together():
    def one(*names, reason="r", low=False):
        return PlannedAction(action="create", node_ids=names, reason=reason, low_priority=low)

    given = [one("a"), one("b", low=True), one("c"), one("d", reason="s")]
    assert together(given) == (one("a", "c"), one("b", low=True), one("d", reason="s"))


def scaled(pools):
    spec = PoolSpec(
        id="pool",
        vm_size="big",
        enable_auto_scale=True,
        auto_scale_formula="$TargetDedicatedNodes = 1;",
        auto_scale_evaluation_interval=timedelta(seconds=300),
    )
    pools.rescale(spec, 5.0)
    pools.ring("autoscale", "pool", 5.0)


def emptied(pools):
    pools.drain(REQUEUE, "pool", 5.0)


REASONS = {
    "somebody asked": (lambda pools: pools.resize("pool", (2, None), REQUEUE, 5.0), (2, 0), "it was asked for"),
    "its formula": (scaled, (1, 0), BY_FORMULA),
    "deleted": (lambda pools: pools.delete("pool", 5.0), (0, 0), "the pool is being deleted"),
    "drained": (emptied, (0, 0), "the pool is being drained"),
}


@pytest.mark.parametrize(("change", "targets", "because"), REASONS.values(), ids=REASONS)
def test_why_the_targets_are_what_they_are(change, targets, because):
    pools, context = pool_of(0)
    passes(context)
    change(pools)
    pools.settle(5.0)
    assert told(context)[-1][:2] == (targets, because)


def test_a_used_up_budget_is_a_reason():
    prices = {**SETTINGS, "prices": {"big": (3600.0, None)}}
    metadata = [("budget", "5"), ("budgetAction", "drain")]
    pools, context = machine(**prices)
    items = tuple(MetadataItem(name=name, value=value) for name, value in metadata)
    pools.add(PoolSpec(id="pool", vm_size="big", target_dedicated_nodes=1, metadata=items), "p", "image", 0.0)
    pools.settle(0.0)
    (only,) = context.nodes
    booted(pools, only, 1.0)
    passes(context)
    pass_time(pools, context, 30.0)
    targets, because, actions, _ = told(context)[-1]
    assert (targets, because) == ((0, 0), "the budget of the pool is used up")
    assert [action[:2] for action in actions] == [("remove", 1)]


def test_a_node_that_was_taken_back_is_replaced_and_then_forgotten():
    pools, context = pool_of(0, low=1)
    (only,) = context.nodes
    booted(pools, only, 1.0)
    passes(context)
    pools.nodes.departure.preempted(context.nodes[only.id], "its cloud has taken it back", 2.0)
    pools.nodes.vm_destroyed(only.id, 3.0)
    pools.settle(3.0)
    other = next(each for each in context.nodes if each.id != only.id)
    booted(pools, other, 40.0)
    assert [[action[0] for action in found[2]] for found in told(context)] == [["create"], ["forget"]]


# -- why fewer are ordered than are missing ---------------------------------------------------------------------

FULL = {"no_capacity": {"small dedicated": 2000.0}}
HELD = {
    "may not grow": ([], 2, {}, {"grow": False}, BARRED),
    "a pause": ([], 2, {"retry_at": 1030.0}, {}, "after a failure the next try is at 1970-01-01T00:17:10.000Z"),
    "no room": ([], 2, FULL, {}, "there is no room at present in any size and zone of the pool"),
    "a batch": ([], 9, {}, {}, "no more than 3 create calls are under way at a time"),
    "one first": ([], 2, {"failures": 1, "retry_at": 1000.0}, {}, "after a failure one node is tried first"),
    "none beside it": (
        [node("a", "starting")],
        2,
        {"failures": 1, "retry_at": 1000.0},
        {},
        "after a failure one node is tried first",
    ),
    "places": ([node("a", "leavingpool", leaving=REQUEUE)], 1, {}, {}, "nodes that leave still hold places"),
    "nothing": ([], 2, {}, {}, None),
    "not missing": ([node("a")], 1, {"retry_at": 1030.0}, {}, None),
    "too many": ([node("a"), node("b")], 1, {}, {"grow": False}, None),
}


@pytest.mark.parametrize(("nodes", "target", "of_pool", "options", "reason"), HELD.values(), ids=HELD)
def test_what_holds_it_back(nodes, target, of_pool, options, reason):
    planned = plan(
        pool(**of_pool), nodes, (target, 0), lambda _: 0, 1000.0, PoolSettings(create_batch=3), **options
    )
    assert [action for action in planned if isinstance(action, HoldBack)] == (
        [HoldBack(False, reason)] if reason is not None else []
    )


def test_what_holds_it_back_is_recorded_once():
    pools, context = pool_of(1)
    for _ in range(4):  # two sizes in two zones
        refuse(pools, context, CapacityError("full"))
    why, what_failed = told(context)[-1][3]
    assert why == "there is no room at present in any size and zone of the pool"
    assert what_failed.startswith("AllocationFailed: ") and "full" in what_failed
    for now in (1.0, 2.0, 3.0):
        context.dirty.add("pool")
        pools.settle(now)
    assert told(context) == []


def test_the_words_of_who_bars_growth_are_kept():
    pools, context = machine(**SETTINGS, prices={"big": (3600.0, None)})
    items = (MetadataItem(name="budget", value="5"), MetadataItem(name="budgetAction", value="stop"))
    pools.add(PoolSpec(id="pool", vm_size="big", target_dedicated_nodes=1, metadata=items), "p", "image", 0.0)
    pools.settle(0.0)
    booted(pools, next(iter(context.nodes)), 1.0)
    pass_time(pools, context, 30.0)
    pools.resize("pool", (2, None), REQUEUE, 31.0)
    pools.settle(31.0)
    (*_, held) = told(context)[-1]
    assert held == (pools.growth_barred(context.pools["pool"], 31.0),)
    assert "the pool's budget of 5 is used up" in held[0]
