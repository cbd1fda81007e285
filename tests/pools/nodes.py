"""Pools and nodes to plan with."""

from typing import Any

from pools import Node, NodeState, Pool, PoolSpec

SPEC = PoolSpec(id="p", vm_size="small")


def pool(**changes):
    values: dict[str, Any] = {
        "created": 0.0,
        "modified": 0.0,
        "state_time": 0.0,
        "id": "p",
        "spec": SPEC,
        "provider": "x",
    }
    return Pool(**values | changes)


def node(node_id, state=NodeState.IDLE, *, low_priority=False, since=0.0, created=0.0, modified=1000.0, **changes):
    return Node(
        created=created,
        modified=modified,
        state_time=since,
        id=node_id,
        pool_id="p",
        vm_name=f"vm-{node_id}",
        low_priority=low_priority,
        state=NodeState(state),
        **changes,
    )
