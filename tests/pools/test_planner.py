"""Which nodes come and go: the planner's decisions as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools import NodeDeallocationOption, NodeState, PoolSettings
from pools.node_states import COUNTED
from pools.planner import CreateNode, ForgetNode, HoldBack, RemoveNode, holds_place, plan
from providers import Vm, VmState

from .nodes import node, pool

NOW = 1000.0
SETTINGS = PoolSettings(create_batch=3)
REQUEUE, COMPLETION = NodeDeallocationOption.REQUEUE, NodeDeallocationOption.TASK_COMPLETION
ENDED = Vm("vm-a", "i-1", VmState.TERMINATED, None, None, "root", None, False, "/mnt", 0.0)


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
    "unusable nodes go, and hold their place": ([node("a", "unusable")], (1, 0), {}, ([], ["a"])),
    "one whose VM has ended holds none": ([node("a", "unusable", vm=ENDED)], (1, 0), {}, ([False], ["a"])),
    "one that leaves holds its place": ([node("a", "leavingpool", leaving=REQUEUE)], (1, 0), {}, ([], [])),
    "but not for ever": (
        [node("a", "leavingpool", leaving=REQUEUE, modified=NOW - SETTINGS.hold_place)],
        (1, 0),
        {},
        ([False], []),
    ),
    "one that ends its tasks holds none": ([node("a", "leavingpool", leaving=COMPLETION)], (1, 0), {}, ([False], [])),
    "until it goes": (
        [node("a", "leavingpool", leaving=COMPLETION, destroying=True, modified=NOW)],
        (1, 0),
        {},
        ([], []),
    ),
    "one that its cloud takes back holds none": (
        [node("a", "leavingpool", low_priority=True, leaving=COMPLETION, reclaim_at=NOW + 60)],
        (0, 1),
        {},
        ([True], []),
    ),
    "preempted nodes are replaced at once": (
        [node("a", "preempted", low_priority=True, vm=ENDED, destroying=True)],
        (0, 1),
        {},
        ([True], []),
    ),
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
        ([], ["a"]),
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


@st.composite
def populations(draw):
    """Nodes of all kinds in all states, and a pool that may have fallen back to dedicated nodes."""
    nodes = []
    for i in range(draw(st.integers(0, 10))):
        state, kind = draw(STATES), draw(st.sampled_from(("dedicated", "low-priority", "stand-in")))
        leaves = state is NodeState.LEAVING_POOL
        nodes.append(
            node(
                f"n{i}",
                state,
                low_priority=kind == "low-priority",
                fallback=kind == "stand-in",
                modified=NOW - draw(st.sampled_from((0.0, 299.0, 301.0))),
                leaving=draw(st.sampled_from(NodeDeallocationOption)) if leaves else None,
                destroying=leaves and draw(st.booleans()),
                reclaim_at=NOW if leaves and draw(st.booleans()) else None,
                vm=draw(st.sampled_from((None, ENDED))),
                vm_gone=state is NodeState.PREEMPTED and draw(st.booleans()),
            )
        )
    since = draw(st.sampled_from((None, NOW - 1.0, NOW - 1e6)))
    return nodes, pool(fallback_since=since)


@given(populations(), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_the_plan_never_overshoots(population, dedicated, low, grow):
    nodes, of_pool = population
    settings = PoolSettings()
    planned = plan(of_pool, nodes, (dedicated, low), lambda node_id: 0, NOW, settings, grow=grow)
    removed = [action.node_id for action in planned if isinstance(action, RemoveNode)]
    forgotten = {action.node_id for action in planned if isinstance(action, ForgetNode)}
    created = [action for action in planned if isinstance(action, CreateNode)]
    assert len(set(removed)) == len(removed)
    assert all(n.vm_gone for n in nodes if n.id in forgotten)
    assert not created or grow
    for cheap, target in ((False, dedicated), (True, low)):
        kind = [n for n in nodes if (n.low_priority or n.fallback) is cheap]
        stand_ins = any(n.fallback and n.state in COUNTED for n in kind)
        present = {n.id for n in kind if n.state in COUNTED} - set(removed)
        new = sum((action.low_priority or action.fallback) is cheap for action in created)
        assert len(present) + new <= target + (cheap and stand_ins)
        if new:
            held = {n.id for n in kind if n.id not in present and (holds_place(n, NOW, settings) or n.id in removed)}
            living = {n.id for n in kind if n.id in held and n.may_live}
            assert len(present | living) + new <= target + (cheap and stand_ins)


@given(populations())
def test_nothing_is_left_when_nothing_is_wanted(population):
    nodes, of_pool = population
    planned = plan(of_pool, nodes, (0, 0), lambda node_id: 0, NOW, PoolSettings())
    handled = [action.node_id for action in planned if not isinstance(action, CreateNode | HoldBack)]
    assert len(handled) == len(planned)
    assert sorted(handled) == [
        n.id for n in nodes if n.state in COUNTED or n.state is NodeState.UNUSABLE or n.vm_gone
    ]
