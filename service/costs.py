"""What pools, nodes and jobs have cost, as people and programs are told it: what is not known is never told as 0."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pools import Cost, Node, Pool, node_cost, pool_cost, pool_seconds
from runner import Task, task_cost

from .money import money


class Used(NamedTuple):
    """Node-seconds, and what they cost."""

    seconds: float
    cost: Cost


def used(pool: Pool, nodes: Iterable[Node], now: float) -> Used:
    """What a pool has used until `now`: its past nodes and the present ones (`nodes` of this pool)."""
    nodes = tuple(nodes)
    return Used(pool_seconds(pool, nodes, now), pool_cost(pool, nodes, now))


def job_costs(
    tasks: Iterable[Task], nodes: Mapping[str, Node], pools: Mapping[str, Pool], now: float
) -> dict[str, Cost]:
    """What the tasks' executions have taken of nodes, by job, with those that run until `now`."""
    found: dict[str, Cost] = defaultdict(Cost)
    for task in tasks:
        node = nodes.get(task.node_id or "")
        pool = pools.get(node.pool_id) if node is not None else None
        slots = pool.spec.task_slots_per_node if pool is not None else 1
        found[task.job_id] += task_cost(task, node, slots, now)
    return found


def idle_cost(pool: Cost, jobs: Iterable[Cost]) -> float | None:
    """What the pool has cost beside the executions of its `jobs`: while nodes booted, prepared themselves and had
    nothing to do. None: not known."""
    total = sum(jobs, Cost())
    if pool.unpriced or total.unpriced:
        return None
    return max(0.0, pool.known - total.known)


def amount(cost: Cost) -> float | None:
    """The known part, for programs; None if nothing of it is known."""
    return None if cost.unpriced and not cost.known else round(cost.known, 9)


def told(cost: Cost) -> str:
    """For people."""
    if not cost.unpriced:
        return money(cost.known)
    return f"at least {money(cost.known)}" if cost.known else "unknown"


def cost_json(cost: Cost) -> dict[str, Any]:
    """`cost` and `unpricedNodeSeconds`."""
    return {"cost": amount(cost), "unpricedNodeSeconds": round(cost.unpriced, 3)}


def paid(node: Node, now: float) -> str:
    """What a node that has just gone did cost, to be added to a sentence; nothing if it was free."""
    cost = Cost() if node.vm_gone else node_cost(node, now)
    return f", cost {told(cost)}" if cost.known or cost.unpriced else ""
