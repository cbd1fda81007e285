"""What is waited for when a controller takes over: never longer than if it began now."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pools import PoolSettings
from pools.taken_over import node_taken_over, pool_taken_over
from tests.simulation.every_event import NOW, POOLS, nodes

SETTINGS = PoolSettings()
POOL = POOLS["steady"]
INTERVAL = POOL.spec.auto_scale_evaluation_interval.total_seconds()
LATER = NOW + 86400.0


@pytest.mark.parametrize(
    ("stored", "taken"),
    [
        ({"next_evaluation": LATER}, {"next_evaluation": NOW + INTERVAL}),
        ({"retry_at": LATER, "failures": 2}, {"retry_at": NOW + 10.0}),
        ({"retry_at": LATER, "refusals": 4}, {"retry_at": NOW + 40.0}),
        ({"no_capacity": {"s": LATER, "t": NOW + 5.0}}, {"no_capacity": {"s": NOW + 300.0, "t": NOW + 5.0}}),
        ({"resize_started": LATER}, {"resize_started": NOW}),
        ({"fallback_since": LATER}, {"fallback_since": NOW}),
        ({"shortage_since": LATER, "shortage_time": LATER}, {"shortage_since": NOW, "shortage_time": NOW}),
    ],
)
def test_what_a_pool_waits_for(stored, taken):
    assert pool_taken_over(replace(POOL, **stored), SETTINGS, NOW) == replace(POOL, **taken | _rest(stored, taken))


def _rest(stored, taken):
    return {name: value for name, value in stored.items() if name not in taken}


@pytest.mark.parametrize("node", nodes().values(), ids=nodes())
def test_what_a_node_waits_for(node):
    told = replace(node, modified=LATER, usable_since=LATER, vm_confirmed=LATER)
    taken = node_taken_over(told, NOW)
    assert (taken.modified, taken.usable_since) == (NOW, NOW)
    assert taken.vm_confirmed == LATER, "what it costs goes by it: the clock may be wrong now, and right soon"


def test_who_leaves_holds_its_place_anew():
    """Nobody has asked for the end of its VM while no controller worked."""
    node = replace(nodes()["leaving"], modified=NOW - 3600.0)
    assert node_taken_over(node, NOW) == replace(node, modified=NOW)


@given(ago=st.floats(0.0, 1e6), failures=st.integers(0, 9), refusals=st.integers(0, 9))
def test_nothing_changes_where_the_clock_was_not_put_back(ago, failures, refusals):
    then = NOW - ago
    pool = replace(
        POOL,
        spec=replace(POOL.spec, auto_scale_evaluation_interval=timedelta(minutes=7)),
        failures=failures,
        refusals=refusals,
        next_evaluation=then + 420.0,
        retry_at=then + min(SETTINGS.backoff(refusals), SETTINGS.capacity_pause),
        no_capacity={"s": then + SETTINGS.capacity_pause},
        resize_started=then,
        fallback_since=then,
    )
    assert pool_taken_over(pool, SETTINGS, NOW) is pool
    node = replace(nodes()["idle"], modified=then, usable_since=then)
    assert node_taken_over(node, NOW) is node
