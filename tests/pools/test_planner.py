"""Which nodes come and go: the planner's decisions as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import NodeDeallocationOption, NodeState, PoolSettings
from pools.node_states import COUNTED
from pools.planner import CreateNode, RemoveNode, plan

from .nodes import node, pool

NOW = 1000.0
SETTINGS = PoolSettings(create_batch=3)


def actions(nodes, targets, busy=None, settings=SETTINGS, **of_pool):
    planned = plan(
        pool(**of_pool), nodes, targets, lambda node_id: (busy or {}).get(node_id, 0), NOW, settings
    )
    created = [action.low_priority for action in planned if isinstance(action, CreateNode)]
    removed = [action.node_id for action in planned if isinstance(action, RemoveNode)]
    return created, removed


CASES = {
    "nothing to do": ([node("a")], (1, 0), {}, ([], [])),
    "grow both kinds": ([], (1, 2), {}, ([False, True, True], [])),
    "at most a batch of calls at a time": ([], (9, 0), {}, ([False] * 3, [])),
    "calls under way count": ([node("a", "creating"), node("b", "creating")], (9, 0), {}, ([False], [])),
    "answered calls do not": ([node("a", "creating", vm_confirmed=1.0)], (9, 0), {}, ([False] * 3, [])),
    "kinds are apart": ([node("a", low_priority=True)], (1, 1), {}, ([False], [])),
    "leaving nodes do not count": ([node("a", "leavingpool")], (1, 0), {}, ([False], [])),
    "unusable nodes go": ([node("a", "unusable")], (1, 0), {}, ([False], ["a"])),
    "preempted nodes go": ([node("a", "preempted", low_priority=True)], (0, 1), {}, ([True], ["a"])),
    "after a failure one at a time": ([], (5, 0), {"failures": 1, "retry_at": NOW}, ([False], [])),
    "and none while one is coming": (
        [node("a", "starting")],
        (5, 0),
        {"failures": 1, "retry_at": NOW},
        ([], []),
    ),
    "all again once the one that was tried came up": (
        [node("old"), node("tried", created=NOW)],
        (4, 0),
        {"failures": 1, "retry_at": NOW},
        ([False] * 2, []),
    ),
    "one that was up before proves nothing": (
        [node("old")],
        (4, 0),
        {"failures": 1, "retry_at": NOW},
        ([False], []),
    ),
    "none before the back-off is over": ([], (5, 0), {"failures": 1, "retry_at": NOW + 1}, ([], [])),
    "a failed start task stays to be seen": (
        [node("a", "starttaskfailed")],
        (1, 0),
        {"failures": 1, "retry_at": NOW + 1},
        ([], []),
    ),
    "and goes at the next try": (
        [node("a", "starttaskfailed")],
        (1, 0),
        {"failures": 1, "retry_at": NOW},
        ([False], ["a"]),
    ),
    "and goes once only when the pool shrinks": (
        [node("a", "starttaskfailed")],
        (0, 0),
        {"failures": 1, "retry_at": NOW},
        ([], ["a"]),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(case):
    nodes, targets, of_pool, expected = case
    assert actions(nodes, targets, **of_pool) == expected


def test_who_goes_first():
    nodes = [
        node("running", "running"),
        node("busier", "running"),
        node("idle-young", "idle", since=500.0),
        node("idle-old", "idle", since=100.0),
        node("waiting", "waitingforstarttask"),
        node("starting", "starting"),
        node("creating", "creating"),
        node("failed", "starttaskfailed"),
    ]
    _, removed = actions(nodes, (0, 0), {"running": 1, "busier": 3}, failures=1, retry_at=NOW + 1)
    expected = ["failed", "creating", "starting", "waiting", "idle-old", "idle-young", "running", "busier"]
    assert removed == expected


@pytest.mark.parametrize("option", NodeDeallocationOption)
def test_nodes_go_in_the_way_that_the_pool_says(option):
    planned = plan(
        pool(node_deallocation_option=option), [node("a")], (0, 0), lambda node_id: 0, NOW, SETTINGS
    )
    assert [action.option for action in planned if isinstance(action, RemoveNode)] == [option]


STATES = st.sampled_from([state for state in NodeState if state is not NodeState.GONE])


@given(st.lists(st.tuples(STATES, st.booleans()), max_size=12), st.integers(0, 5), st.integers(0, 5))
def test_the_plan_never_overshoots(kinds, dedicated, low):
    nodes = [node(f"n{i}", state, low_priority=cheap) for i, (state, cheap) in enumerate(kinds)]
    created, removed = actions(nodes, (dedicated, low), settings=PoolSettings())
    assert len(set(removed)) == len(removed)
    for cheap, target in ((False, dedicated), (True, low)):
        present = {n.id for n in nodes if n.state in COUNTED and n.low_priority is cheap}
        assert len(present - set(removed)) + created.count(cheap) <= target
