"""How many nodes of a pool there are, as Azure Batch counts them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .model import Node
from .node_states import COMING, RESTARTING, USABLE, NodeState

#: Is it a low-priority node, and its state.
Standing = tuple[bool, NodeState]

#: Those that come are nobody's successors where they begin anew.
_SUCCESSORS = COMING - RESTARTING


class NodeCounts(NamedTuple):
    """The nodes of a pool as Azure Batch counts them."""

    dedicated: int = 0
    #: with those that are preempted
    low_priority: int = 0
    preempted: int = 0
    #: could take work if the scheduler wanted
    usable: int = 0


def count(nodes: Iterable[Node]) -> NodeCounts:
    """See `counted`."""
    standing: dict[Standing, int] = {}
    for node in nodes:
        stands = (node.low_priority, node.state)
        standing[stands] = standing.get(stands, 0) + 1
    return counted(standing)


def counted(standing: Mapping[Standing, int]) -> NodeCounts:
    """A preempted node counts until it is replaced; a successor that is not of use yet does not count beside it, as in
    Azure Batch, where both are one node."""
    dedicated = low_priority = preempted = usable = coming = 0
    for (low, state), nodes in standing.items():
        if low:
            low_priority += nodes
            if state in _SUCCESSORS:
                coming += nodes
        else:
            dedicated += nodes
        if state is NodeState.PREEMPTED:
            preempted += nodes
        elif state in USABLE:
            usable += nodes
    return NodeCounts(dedicated, low_priority - min(preempted, coming), preempted, usable)
