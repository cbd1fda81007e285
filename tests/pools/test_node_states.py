"""The table of node states: everything can be reached, and nothing is a dead end."""

import pytest

from pools import InvalidTransition, NodeEvent, NodeState
from pools.node_states import COUNTED, TRANSITIONS, USABLE, next_node_state


def reachable(start):
    seen, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for (source, _), target in TRANSITIONS.items():
            if source is state and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def test_every_state_can_be_reached():
    assert reachable(NodeState.CREATING) == set(NodeState)


@pytest.mark.parametrize("state", [state for state in NodeState if state is not NodeState.GONE])
def test_every_state_has_a_way_out_of_the_pool(state):
    assert NodeState.GONE in reachable(state)
    if state is not NodeState.LEAVING_POOL:
        assert TRANSITIONS[state, NodeEvent.REMOVE] is NodeState.LEAVING_POOL


def test_gone_is_the_end():
    assert not [event for (state, event) in TRANSITIONS if state is NodeState.GONE]


@pytest.mark.parametrize("state", sorted(COUNTED))
def test_what_counts_can_fail_and_be_preempted(state):
    assert TRANSITIONS[state, NodeEvent.FAILED] is NodeState.UNUSABLE
    assert TRANSITIONS[state, NodeEvent.PREEMPTED] is NodeState.PREEMPTED


def test_what_is_usable_counts():
    assert USABLE < COUNTED


def test_an_illegal_transition_tells_the_story():
    with pytest.raises(
        InvalidTransition, match=r"node n: 'no task left' cannot happen in state .* it was born"
    ):
        next_node_state("n", NodeState.CREATING, NodeEvent.TASKS_ENDED, "was born")
