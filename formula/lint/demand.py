"""How targets come from demand: what feeds them, what they are beneath their bounds, and in words what happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from ..ranges import Situation
from ..syntax import Assignment, Call, Chain, Expression, Ternary
from ..value_types import VECTOR
from ..variables import TARGETS
from .facts import Facts
from .sources import amounts_in

_ORDERED = ("<", "<=", ">", ">=")

TASKS = frozenset(("$ActiveTasks", "$RunningTasks", "$PendingTasks"))
#: What is zero in a pool without nodes.
NODES = frozenset(
    (
        "$TargetDedicatedNodes",
        "$TargetLowPriorityNodes",
        "$CurrentDedicatedNodes",
        "$CurrentLowPriorityNodes",
        "$PreemptedNodeCount",
        "$UsableNodeCount",
        "$SampleNodeCount",
        "$RunningTasks",
    )
)


def final_assignment(facts: Facts, target: str) -> Assignment | None:
    """The assignment that sets a target, given by its full name, which counts before its alias."""
    names = [target, *(name for name in TARGETS if TARGETS[name].full_name == target)]
    return next((facts.final[name] for name in names if name in facts.final), None)


def feeding(facts: Facts, root: Expression) -> Iterator[Expression]:
    """Every expression whose amount goes into the value of `root`, through names too, nearest first."""
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        definition = facts.definitions.get(id(node))
        stack.extend([definition.value] if definition is not None else reversed(list(amounts_in(node))))


def unclamped(facts: Facts, node: Expression) -> Expression:
    """The expression beneath its bounds and its rounding: of `max(0, min(ceil(x), cap))` x, of `x > 9 ? 9 : x` too."""
    node = facts.resolve(node)
    while True:
        parts: tuple[Expression, ...] = ()
        if isinstance(node, Call) and node.function in ("min", "max", "ceil", "floor", "round"):
            parts = node.arguments
        elif isinstance(node, Ternary) and _compares(facts, node.condition, node.then, node.otherwise):
            parts = node.then, node.otherwise
        varying = [part for part in parts if facts.sources.all.get(id(part))]
        if len(varying) != 1:
            return node
        node = facts.resolve(varying[0])


def _compares(facts: Facts, condition: Expression, one: Expression, other: Expression) -> bool:
    condition = facts.resolve(condition)
    if not isinstance(condition, Chain) or condition.operators[0] not in _ORDERED:
        return False
    compared = {facts.values[id(operand)] for operand in condition.operands}
    return compared == {facts.values[id(one)], facts.values[id(other)]}


def is_vector_of_many(facts: Facts, node: Expression) -> bool:
    return bool(facts.types(node) & VECTOR) and facts.range(node).longest > 1


def with_nodes(target: str, nodes: int, situation: Situation) -> Situation:
    """The situation with nodes of the kind of a target."""
    if target == "$TargetDedicatedNodes":
        return replace(situation, dedicated=nodes)
    return replace(situation, low_priority=nodes)


def counted(count: float, thing: str) -> str:
    """`1 node`, `2 nodes`, `0.5 nodes`."""
    return f"{number(count)} {thing}" if count == 1 else f"{number(count)} {thing}s"


def number(value: float) -> str:
    if value in (inf, -inf):
        return "infinite" if value > 0 else "-infinite"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"


def described(situation: Situation) -> str:
    """What is the case: `with 1 task waiting`."""
    if situation.since != inf:
        return f"with {counted(situation.waiting, 'task')} that came {situation.since / 60:g} minutes ago"
    nodes = situation.dedicated + situation.low_priority
    parts = []
    if situation.waiting or not situation.running:
        parts.append(f"{counted(situation.waiting, 'task')} waiting" if situation.waiting else "no task waiting")
    if situation.running:
        parts.append(f"{situation.running} running")
    if nodes:
        parts.append(counted(nodes, "node"))
    if situation.slots != 1:
        parts.append(f"{situation.slots} task slots per node")
    return f"with {', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else f"with {parts[0]}"
