"""What a roster keeps up to date is what somebody would count."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pools import Node, NodeState, count
from pools.node_counts import counted
from pools.roster import Roster

STATES = st.sampled_from(NodeState)
DEEDS = st.lists(st.tuples(st.integers(0, 6), st.one_of(st.none(), st.tuples(st.booleans(), STATES, st.booleans()))))


def node(number: int, low: bool, state: NodeState, has_vm: bool) -> Node:
    return Node(
        created=0.0, modified=0.0, state_time=0.0, id=f"node_{number}", pool_id="p", vm_name="v",
        low_priority=low, state=state, vm_confirmed=1.0 if has_vm else None, fallback=not low and has_vm,
    )  # fmt: skip


@given(DEEDS)
def test_it_holds_what_was_put(deeds):
    roster, held = Roster(), dict[str, Node]()
    for number, version in deeds:
        before = held.get(f"node_{number}")
        if version is not None:
            held[f"node_{number}"] = node(number, *version)
            roster.put(before, held[f"node_{number}"])
        elif before is not None:
            roster.remove(held.pop(before.id))
    assert list(roster.ids) == sorted(held)
    assert roster.standing == Counter((each.low_priority, each.state) for each in held.values())
    assert roster.vms == sum(each.has_vm for each in held.values())
    assert counted(roster.standing) == count(held.values())
