"""Budgets of pools."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import CreateVm, DestroyVm, MetadataItem, NodeState, PoolError, PoolSpec, Usage, fixed_differences
from pools.budget import PRICE_GRACE, Bill, Level, Standing, pool_bill, standing
from pools.settings import PoolSettings

from .machine import booted, errors, machine, pass_time, said, vm_of
from .nodes import node, pool

#: One node costs 1 per second.
PRICES = {"s": (3600.0, 3600.0)}


@pytest.mark.parametrize(
    ("bill", "found"),
    [
        (Bill(0.0), Standing(Level.FINE)),
        (Bill(0.0, 2.0), Standing(Level.FINE, 140.0)),
        (Bill(70.0, 2.0), Standing(Level.FINE, 105.0)),
        (Bill(80.0, 2.0), Standing(Level.WARNING, 110.0)),
        (Bill(80.0), Standing(Level.WARNING)),
        (Bill(100.0, 2.0), Standing(Level.REACHED)),
        (Bill(500.0), Standing(Level.REACHED)),
        (Bill(10.0, 2.0, unknown=True), Standing(Level.UNKNOWN)),
        (Bill(100.0, unknown=True), Standing(Level.REACHED)),
        (Bill(0.0, 2.0, unknown_from=120.0), Standing(Level.FINE, 120.0)),
        (Bill(0.0, 2.0, unknown_from=200.0), Standing(Level.FINE, 140.0)),
    ],
)
def test_how_a_budget_of_100_stands_at_100(bill, found):
    assert standing(100.0, bill, 100.0) == found


@given(
    st.floats(1e-6, 1e9), st.floats(0, 1), st.floats(1e-9, 1e3), st.floats(0, 2e9)
)
def test_a_timer_always_brings_it_forward(budget, share, rate, now):
    """Whoever looks again at the time told finds another level, and never looks in vain for ever."""
    spent, steps = budget * share, 0
    found = standing(budget, Bill(spent, rate), now)
    while found.changes is not None:
        later = standing(budget, Bill(spent + rate * (found.changes - now), rate), found.changes)
        steps += later.level is found.level
        assert found.changes > now or rate * 1e-3 < 1e-12
        spent, now, found = spent + rate * (found.changes - now), found.changes, later
        assert steps <= 3
    assert found.level is Level.REACHED


@pytest.mark.parametrize(
    ("nodes", "usage", "prices", "bill"),
    [
        ([], Usage(cost=2.0), {}, Bill(2.0)),
        ([node("a", vm_confirmed=0.0, price_per_hour=3600.0)], Usage(cost=2.0), {}, Bill(102.0, 1.0)),
        # not seen yet: costs nothing as far as is known
        ([node("a", price_per_hour=None)], Usage(), {}, Bill(0.0)),
        # its cloud may still say the price
        ([node("a", created=50.0, vm_confirmed=50.0)], Usage(), {}, Bill(0.0, 0.0, False, 110.0)),
        # it has not
        ([node("a", created=40.0, vm_confirmed=40.0)], Usage(), {}, Bill(0.0, 0.0, True)),
        # charged at the dearest that is known: of the settings, of a neighbour, of the past
        ([node("a", created=50.0, vm_confirmed=50.0)], Usage(), {"small": (36.0, 3600.0)}, Bill(50.0, 1.0)),
        (
            [node("a", vm_confirmed=0.0), node("b", vm_confirmed=0.0, price_per_hour=3600.0)],
            Usage(), {}, Bill(200.0, 2.0),
        ),
        (
            [node("a", vm_confirmed=0.0)],
            Usage(dedicated_seconds=30.0, cost=20.0, unpriced_seconds=10.0), {}, Bill(130.0, 1.0),
        ),
        ([], Usage(dedicated_seconds=30.0, unpriced_seconds=30.0), {}, Bill(0.0, 0.0, True)),
        ([], Usage(dedicated_seconds=30.0, unpriced_seconds=30.0), {"small": (3600.0, None)}, Bill(30.0)),
        # over, or no VM any more
        ([node("a", vm_confirmed=0.0, vm_ended=30.0, price_per_hour=3600.0)], Usage(), {}, Bill(30.0)),
        ([node("a", vm_confirmed=0.0, vm_gone=True, price_per_hour=3600.0)], Usage(), {}, Bill(0.0)),
        # free is a price
        ([node("a", vm_confirmed=0.0, price_per_hour=0.0)], Usage(), {}, Bill(0.0)),
    ],
)  # fmt: skip
def test_the_bill_of_a_pool_at_100(nodes, usage, prices, bill):
    found = pool_bill(pool(usage=usage), nodes, PoolSettings(prices=prices), 100.0)
    assert [found.spent, found.rate] == pytest.approx([bill.spent, bill.rate])
    assert (found.unknown, found.unknown_from) == (bill.unknown, bill.unknown_from)


# -- what follows ------------------------------------------------------------------------------------------------


def spec(budget="100", action=None, target=2, **changes):
    items = {"budget": budget} | ({"budgetAction": action} if action else {})
    metadata = tuple(MetadataItem(name=name, value=value) for name, value in items.items())
    return PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=target, metadata=metadata, **changes)


def running(asked, prices=PRICES):
    """The pool's nodes take tasks; their VMs cost from 0 on."""
    pools, context = machine(prices=prices)
    pools.add(asked, "p", "image", 0.0)
    pools.settle(0.0)
    for each in tuple(context.nodes):
        booted(pools, each, 5.0)
    context.commands.clear()
    return pools, context


def states(context):
    return sorted(str(each.state) for each in context.nodes)


def fail(pools, context, now):
    """One node of the pool fails, and is gone at once."""
    first = next(each for each in context.nodes if each.state is NodeState.IDLE)
    pools.nodes.departure.failed(first, "it burns", now)
    pools.settle(now)
    pools.nodes.departure.vm_destroyed(first.id, now)
    pools.settle(now)


def test_it_warns_at_80_percent_and_stops_at_the_end():
    pools, context = running(spec())
    pass_time(pools, context, 39.9)
    assert errors(context) == {}
    pass_time(pools, context, 40.1)  # two nodes, 1 a second each
    assert list(errors(context)) == ["BudgetWarning"]
    assert "80% of the pool's budget of 100 is used" in errors(context)["BudgetWarning"]
    assert pools.growth_barred(context.pools["pool"], 40.1) is None
    pass_time(pools, context, 49.9)
    assert list(errors(context)) == ["BudgetWarning"]
    pass_time(pools, context, 50.1)
    text = errors(context)["BudgetReached"]
    assert "the pool's budget of 100 is used up: no further node is created" in text
    assert "A higher `budget`" in text
    assert pools.growth_barred(context.pools["pool"], 50.1) == text
    assert states(context) == ["idle", "idle"], "what is there may go on"
    said(context, CreateVm)
    fail(pools, context, 400.0)
    pass_time(pools, context, 5000.0)
    assert said(context, CreateVm) == [], "nothing is created any more"
    assert "BudgetReached" in errors(context), "beside what else is wrong"


def test_the_clock_is_not_polled():
    pools, context = running(spec("10000"))
    versions = context.pools["pool"].version
    rung = []
    while (due := context.timers.next()) is not None and due <= 4900.0:
        rung += [timer for timer in context.timers.due(due) if timer[0] == "budget"]
        pools.settle(due)
    assert len(rung) <= 1
    assert context.pools["pool"].version <= versions + 2


def test_warn_only_warns():
    pools, context = running(spec(action="warn"))
    pass_time(pools, context, 60.0)
    assert "nothing follows" in errors(context)["BudgetReached"]
    fail(pools, context, 400.0)
    pass_time(pools, context, 1000.0)
    assert said(context, CreateVm)


def test_drain_takes_the_nodes_out_when_their_tasks_are_done():
    pools, context = running(spec(action="drain"))
    first, second = context.nodes
    context.workload.busy = lambda node_id: int(node_id == first.id)
    evicted = []
    context.workload.evict = lambda node_id, option, now: evicted.append((node_id, str(option)))
    pass_time(pools, context, 49.0)
    assert said(context, DestroyVm) == []
    pass_time(pools, context, 51.0)
    assert [command.node_id for command in said(context, DestroyVm)] == [second.id], "the idle one at once"
    assert sorted(evicted) == sorted([(first.id, "taskcompletion"), (second.id, "taskcompletion")])
    assert states(context) == ["leavingpool", "leavingpool"]
    context.workload.busy = lambda node_id: 0
    pools.nodes.work_changed(first.id, 200.0)
    assert [command.node_id for command in said(context, DestroyVm)] == [first.id]
    for each in (first, second):
        pools.nodes.departure.vm_destroyed(each.id, 210.0)
    pass_time(pools, context, 2000.0)
    assert states(context) == []
    assert context.pools["pool"].target_dedicated == 2, "its target stands"


def test_a_higher_budget_lets_it_go_on():
    pools, context = running(spec(target=1))
    pass_time(pools, context, 150.0)
    fail(pools, context, 150.0)
    pass_time(pools, context, 400.0)
    assert (states(context), said(context, CreateVm)) == ([], [])
    pools.rescale(spec("200", "drain", target=1), 400.0)
    pools.settle(400.0)
    assert errors(context) == {}
    assert len(said(context, CreateVm)) == 1
    pools.rescale(spec("120", target=1), 401.0)
    pools.settle(401.0)
    assert "BudgetReached" in errors(context), "150 are spent"


def test_a_new_target_is_no_higher_budget():
    pools, context = running(spec())
    pass_time(pools, context, 60.0)
    pools.resize("pool", (5, 0), context.pools["pool"].node_deallocation_option, 60.0)
    pools.settle(60.0)
    assert "BudgetReached" in errors(context)
    assert said(context, CreateVm) == []
    pools.resume("pool", 61.0)
    pools.settle(61.0)
    assert said(context, CreateVm) == []


@pytest.mark.parametrize("action", ["warn", "stop", "drain"])
def test_without_a_price_a_budget_cannot_be_kept(action):
    pools, context = running(spec(action=action), prices={})
    pass_time(pools, context, 5.0 + PRICE_GRACE - 1)
    assert errors(context) == {}, "its cloud may still say it"
    pass_time(pools, context, 5.0 + PRICE_GRACE + 1)
    text = errors(context)["BudgetUnknown"]
    assert "the price of s is not known" in text
    assert "prices: {s: {dedicated: ..., lowPriority: ...}}" in text
    assert (pools.growth_barred(context.pools["pool"], 70.0) is None) == (action == "warn")
    assert states(context) == (["leavingpool"] * 2 if action == "drain" else ["idle"] * 2)


def test_a_price_that_comes_late_is_in_time():
    pools, context = running(spec(), prices={})
    vms = [replace(vm_of(each), price_per_hour=3600.0) for each in context.nodes]
    pools.nodes.vms_listed("p", vms, 20.0, 20.0)
    pools.settle(20.0)
    pass_time(pools, context, 45.0)
    assert list(errors(context)) == ["BudgetWarning"]


def test_a_budget_is_kept_over_a_restart():
    pools, context = running(spec())
    pass_time(pools, context, 30.0)
    later, loaded = machine(prices=PRICES)
    loaded.load({"pool": context.pools["pool"]}, {each.id: each for each in context.nodes})
    later.recover((), 45.0, 45.0)
    later.settle(45.0)
    assert list(errors(loaded)) == ["BudgetWarning"]
    pass_time(later, loaded, 50.1)
    assert list(errors(loaded)) == ["BudgetReached"]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("budget", "7", True),
        ("budgetAction", "drain", True),
        ("maxPrice", "0.1", True),
        ("fallbackAfter", "PT1M", True),
        ("fallbackAfterFailures", "3", True),
        ("fallbackFor", "PT1M", True),
        ("provider", "aws", False),
        ("team", "blue", False),
    ],
)
def test_which_metadata_may_change(name, value, allowed):
    old = spec("5")
    item = MetadataItem(name=name, value=value)
    assert fixed_differences(old, spec("9")) == ()
    changed = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=2, metadata=(item,))
    plain = PoolSpec(id="pool", vm_size="s", target_dedicated_nodes=2)
    fixed = () if allowed else (f"metadata ({name})",)
    assert fixed_differences(plain, changed) == fixed_differences(changed, plain) == fixed
    pools, _ = running(plain)
    if allowed:
        pools.rescale(changed, 10.0)
    else:
        with pytest.raises(PoolError, match=rf"metadata \({name}\) cannot change"):
            pools.rescale(changed, 10.0)
