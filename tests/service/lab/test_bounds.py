"""The least that nodes can cost, against every plan there is; and the rule without foresight, against the theory."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.arrivals import arrivals_of
from service.lab.bounds import Bound, Tariff, Terms, break_even, cost, optimum, work_alone
from service.lab.covering import cheapest_cover
from service.lab.demand import demand_of, steps_of

from .plans import cheapest_level, cheapest_placement, cheapest_plan


def demand_over(needed):
    """Of nodes in each second."""
    return steps_of(range(len(needed) + 1), [*needed, 0])


def demand_for(tasks):
    """Of tasks (arrival, duration)."""
    begins, lengths = zip(*tasks, strict=True)
    return demand_of(arrivals_of(begins, lengths, [1] * len(tasks)), 1)


@pytest.mark.parametrize(
    ("needed", "terms", "least", "without_foresight"),
    [
        pytest.param([], Terms(9, 9), Bound(0, 0), Bound(0, 0), id="nothing"),
        pytest.param([1, 1], Terms(3), Bound(5, 1), Bound(8, 1), id="boot and work; and idle as long as a boot"),
        pytest.param([2, 1], Terms(3), Bound(9, 2), Bound(15, 2), id="two nodes"),
        pytest.param([1, 0, 0, 1], Terms(2), Bound(6, 1), Bound(8, 1), id="a gap of a boot is kept"),
        pytest.param([1, 0, 0, 0, 1], Terms(2), Bound(6, 2), Bound(10, 2), id="over a longer one it goes"),
        pytest.param([1, 0, 0, 0, 1], Terms(0), Bound(2, 2), Bound(2, 2), id="a boot that costs nothing"),
        pytest.param([1], Terms(2, 7), Bound(7, 1), Bound(7, 1), id="a minimum"),
        pytest.param([1, 0, 0, 0, 1], Terms(2, 7), Bound(7, 1), Bound(9, 1), id="kept for as long as it is paid"),
        pytest.param([1] * 6, Terms(2, 7), Bound(8, 1), Bound(10, 1), id="more than the minimum"),
        # level by level it would be 10 + 5; but the one that came first may go first
        pytest.param([1] * 5 + [2] + [1] * 4, Terms(0, 5), Bound(11, 2), Bound(15, 2), id="who came first goes first"),
    ],
)
def test_by_hand(needed, terms, least, without_foresight):
    assert optimum(demand_over(needed), terms) == least
    assert break_even(demand_over(needed), terms) == without_foresight


def instances(seed, count):
    chance = random.Random(seed)
    for _ in range(count):
        length = chance.randint(1, 8)
        yield [chance.choice([0, 0, 1, 2, 3]) for _ in range(length)], chance.randint(0, 3), chance


def test_no_plan_is_cheaper_than_the_optimum_and_one_costs_as_much():
    for needed, boot, chance in instances(1, 200):
        minimum = chance.randint(0, boot)
        least = optimum(demand_over(needed), Terms(boot, minimum))
        assert least.node_seconds == cheapest_plan(needed, boot, minimum), (needed, boot, minimum)
        assert least.exact


def test_nor_where_the_minimum_is_longer_than_a_boot():
    for needed, boot, chance in instances(2, 200):
        minimum = chance.randint(boot + 1, 8)
        least = optimum(demand_over(needed), Terms(boot, minimum))
        assert least.node_seconds == cheapest_plan(needed, boot, minimum), (needed, boot, minimum)
        assert least.exact


TASKS = st.lists(st.tuples(st.integers(0, 14), st.integers(1, 6)), min_size=1, max_size=6)


@given(TASKS, st.integers(0, 5))
def test_tasks_that_stay_on_their_nodes_cost_no_more(tasks, boot):
    assert optimum(demand_for(tasks), Terms(boot)).node_seconds == cheapest_placement(tasks, boot, 0)


@given(TASKS, st.integers(0, 5), st.integers(0, 12))
def test_and_with_a_minimum_no_less(tasks, boot, minimum):
    assert optimum(demand_for(tasks), Terms(boot, minimum)).node_seconds <= cheapest_placement(tasks, boot, minimum)


NEEDED = st.lists(st.integers(0, 3), max_size=12)


@given(NEEDED, st.integers(0, 4), st.integers(0, 9))
def test_without_foresight_it_is_never_cheaper_and_at_most_twice_the_optimum_of_the_levels(needed, boot, minimum):
    rule = break_even(demand_over(needed), Terms(boot, minimum)).node_seconds
    assert rule >= optimum(demand_over(needed), Terms(boot, minimum)).node_seconds
    levels = [[nodes >= level for nodes in needed] for level in range(1, 4)]
    assert rule <= 2 * sum(cheapest_level(busy, boot, minimum) for busy in levels)


@pytest.mark.parametrize("seed", range(30))
def test_poisson_arrivals(seed):
    chance = random.Random(seed)
    hourly = chance.choice([1, 10, 100])
    boot = chance.choice([30.0, 120.0, 600.0])
    times, now = [], 0.0
    for _ in range(1500):
        now += chance.expovariate(hourly / 3600)
        times.append(now)
    demand = demand_of(arrivals_of(times, [chance.expovariate(1 / 300) + 1 for _ in times], [1] * len(times)), 1)
    terms = Terms(boot, minimum=boot / 2)
    least, rule = optimum(demand, terms), break_even(demand, terms)
    assert least.node_seconds < rule.node_seconds <= 2 * least.node_seconds
    assert demand.node_seconds + boot * demand.peak <= least.node_seconds
    # both boot after a gap that is longer than a boot
    assert rule.nodes == least.nodes


def test_somebody_who_knows_the_rule_can_make_it_cost_twice_as_much():
    # short tasks, each of which comes just after the node has gone
    boot = 1000
    demand = demand_for([(at * (boot + 1), 0.01) for at in range(500)])
    ratio = break_even(demand, Terms(boot)).node_seconds / optimum(demand, Terms(boot)).node_seconds
    assert 1.99 < ratio <= 2


@given(NEEDED, st.integers(0, 4), st.integers(0, 9), st.integers(0, 40))
def test_a_search_that_is_cut_short_still_gives_a_bound(needed, boot, longer, steps):
    minimum = boot + 1 + longer
    cut = cheapest_cover(demand_over(needed), boot, minimum, most_steps=steps)
    whole = cheapest_cover(demand_over(needed), boot, minimum)
    assert whole.exact
    without_minimum = optimum(demand_over(needed), Terms(boot)).node_seconds
    assert cut == whole if cut.exact else without_minimum <= cut.node_seconds <= whole.node_seconds


def test_a_search_that_would_be_too_long_is_not_begun(monkeypatch):
    demand = demand_over([1, 0, 0, 2, 0, 0, 1])
    monkeypatch.setattr("service.lab.covering.MOST_STRETCHES", 2)
    cut = optimum(demand, Terms(1, 3))
    without_minimum = optimum(demand, Terms(1))
    assert cut == Bound(without_minimum.node_seconds, without_minimum.nodes, exact=False)


def test_a_search_that_is_cut_short_is_worth_what_it_found():
    # short tasks, an hour apart, at an hour's minimum
    demand = demand_over(([1] + [0] * 59) * 30)
    cuts = [cheapest_cover(demand, 1, 60, most_steps=steps).node_seconds for steps in (0, 500, 1000, 10_000)]
    assert cuts == sorted(cuts)
    assert cuts[0] == 30 * 2 < cuts[1] < cuts[3] == optimum(demand, Terms(1, 60)).node_seconds


@pytest.mark.parametrize(
    ("tariffs", "price"),
    [
        pytest.param([Tariff(2.0)], 10 * 2.0, id="one kind"),
        pytest.param([Tariff(2.0), Tariff(0.5)], 10 * 0.5, id="the cheapest"),
        pytest.param([Tariff(2.0), Tariff(0.5, 1)], 6 * 0.5 + 4 * 2.0, id="the cheapest up to its limit"),
        pytest.param([Tariff(2.0), Tariff(0.5, 0)], 10 * 2.0, id="none of the cheapest"),
        pytest.param([Tariff(2.0, 1), Tariff(0.5, 1)], 6 * 0.5 + 4 * 2.0, id="as many as there can be"),
        pytest.param([Tariff(0.5, 1)], 10 * 0.5, id="more than there can be"),
        pytest.param([Tariff(0.5, 1), Tariff(2.0, 0)], 10 * 0.5, id="more than there can be, and none of the other"),
    ],
)
def test_prices(tariffs, price):
    # hours: the first node boots for one and works five, the second boots for one and works three
    demand = steps_of([3600.0 * hour for hour in range(6)], [1, 2, 2, 2, 1, 0])
    assert cost(optimum, demand, Terms(3600.0), tariffs) == pytest.approx(price)


def test_three_kinds_of_nodes():
    # one, two and three hours of work, and a boot for each
    demand = steps_of([0.0, 3600.0, 7200.0, 10800.0], [3, 2, 1, 0])
    price = cost(optimum, demand, Terms(3600.0), [Tariff(9.0), Tariff(1.0, 1), Tariff(3.0, 1)])
    assert price == pytest.approx(4 * 1.0 + 3 * 3.0 + 2 * 9.0)


@given(TASKS, st.integers(0, 5), st.integers(0, 12), st.integers(0, 4))
def test_two_kinds_of_nodes_cost_what_one_costs_if_their_prices_are_equal(tasks, boot, minimum, limit):
    demand, terms = demand_for(tasks), Terms(boot, minimum)
    both = cost(break_even, demand, terms, [Tariff(3600.0, limit), Tariff(3600.0)])
    assert both == pytest.approx(break_even(demand, terms).node_seconds)


def test_without_any_kind_of_nodes_there_is_no_cost():
    with pytest.raises(ValueError, match="no node of any kind"):
        cost(optimum, demand_over([1]), Terms(1), [Tariff(1.0, 0)])


@given(TASKS, st.integers(0, 5), st.integers(0, 12), st.integers(1, 3))
def test_the_work_alone_costs_no_more_than_the_optimum(tasks, boot, minimum, slots_per_node):
    begins, lengths = zip(*tasks, strict=True)
    arrivals = arrivals_of(begins, lengths, [1 + at % slots_per_node for at in range(len(tasks))])
    terms = Terms(boot, minimum)
    work = work_alone(arrivals, slots_per_node, terms).node_seconds
    assert work <= optimum(demand_of(arrivals, slots_per_node), terms).node_seconds + 1e-9
    assert work >= sum(lengths) / slots_per_node


@pytest.mark.parametrize(
    ("tasks", "seconds"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([(0, 40, 1), (500, 80, 2)], 120 + 50, id="a boot, and all slots full"),
        pytest.param([(0, 40, 1)], 150, id="the minimum"),
    ],
)
def test_the_work_alone(tasks, seconds):
    times, durations, slots = zip(*tasks, strict=True) if tasks else ((), (), ())
    work = work_alone(arrivals_of(times, durations, slots), 4, Terms(120, 150))
    assert work == Bound(seconds, min(1, len(tasks)))


@pytest.mark.parametrize("terms", [(-1, 0), (0, -1), (float("nan"), 0), (0, float("inf"))])
def test_terms_are_seconds(terms):
    with pytest.raises(ValueError, match="is not a number of seconds"):
        Terms(*terms)
