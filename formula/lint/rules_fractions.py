"""Rules about fractions of a node, which are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from ..operators import COMPARISONS
from ..ranges import MOMENTS, Situation, TargetRange
from ..syntax import Call, Chain, Expression
from .demand import NODES, TASKS, counted, described, feeding, final_assignment, number, with_nodes
from .facts import Facts
from .rule import Report

# Tasks that came so many seconds ago are in the newest samples, and in a part of a window.
_RECENTLY = 120.0


def fractions(facts: Facts, report: Report) -> None:
    """F513 where one task gets no node, F514 where nodes are missing or late. Both are shown by trials.

    Neither is mended by --fix: ceil() around a target costs up to a node more, and whether that, max(1, ...) or another
    share per node was meant, the text does not say.
    """
    for target in facts.targets.values():
        statement = final_assignment(facts, target.name)
        if statement is None or not target.computed.high >= 1 or facts.unknown:
            continue
        value = statement.value
        if target.computed.whole:
            _rounded_to_nothing(facts, target, value, report)
            continue
        starved = _starved(facts, target)
        if starved is not None:
            situation, nodes = starved
            report(
                "F513",
                value.start,
                value.end,
                f"{described(situation)} {statement.name} is {number(nodes)}, which is cut off to 0 nodes: the task "
                "waits for ever",
                f"round up: {statement.name} = ceil(...)",
            )
            continue
        cut = None if _rounds_by_hand(facts, value) else _cut(facts, target.name)
        if cut is not None:
            situation, nodes = cut
            is_late = situation.since == _RECENTLY
            makes_fraction = _is_mean if is_late else _is_quotient
            origin = next((node for node in feeding(facts, value) if makes_fraction(facts, node)), value)
            late = " until the mean over the window has grown" if is_late else ""
            report(
                "F514",
                origin.start,
                origin.end,
                f"{described(situation)} {statement.name} is {number(nodes)}, which is cut off to "
                f"{counted(int(nodes), 'node')}{late}",
                f"ceil(...) rounds up: {statement.name} = ceil(...)",
            )


def _starved(facts: Facts, target: TargetRange) -> tuple[Situation, float] | None:
    """A situation in which a task waits, the target is over zero, and no target is a whole node."""
    return next(((situation, nodes) for situation, nodes in _without_nodes(facts, target) if 0 < nodes < 1), None)


def _without_nodes(facts: Facts, target: TargetRange) -> Iterator[tuple[Situation, float]]:
    """Situations in which a task waits and no target is a whole node, and what the target is."""
    slots = (1, 4) if "$TaskSlotsPerNode" in _all_sources(facts) else (1,)
    for situation in (Situation(waiting=1, slots=count, now=now) for count in slots for now in MOMENTS):
        targets = facts.trials.targets(situation)
        if targets and target.name in targets and all(value < 1 for value in targets.values()):
            yield situation, targets[target.name]


def _rounded_to_nothing(facts: Facts, target: TargetRange, value: Expression, report: Report) -> None:
    """F513 where floor() or round() does what the service would do: more tasks get nodes, and one does not."""
    for node in feeding(facts, value):
        if not (isinstance(node, Call) and node.function in ("floor", "round")):
            continue
        if not any(_is_quotient(facts, part) for argument in node.arguments for part in feeding(facts, argument)):
            continue
        for situation, nodes in _without_nodes(facts, target):
            many = facts.trials.of(target.name, [replace(situation, waiting=1000)])
            if nodes == 0 and many and many[0][1] >= 1:
                report(
                    "F513",
                    node.start,
                    node.end,
                    f"{described(situation)} {node.function} makes {target.name} 0 nodes: the task waits for ever",
                    f"round up: ceil(...) in place of {node.function}(...)",
                )
                return


def _cut(facts: Facts, target: str) -> tuple[Situation, float] | None:
    """A situation with tasks in which a part of a node is cut off."""
    situations = [
        situation
        for now in (MOMENTS[0], MOMENTS[-1])
        for situation in (
            Situation(waiting=1, since=_RECENTLY, now=now),
            *(Situation(waiting=count, now=now) for count in (2, 3, 5, 9)),
        )
    ]
    for situation, value in facts.trials.of(target, situations):
        if value > 0 and value != int(value):
            return situation, value
    return None


def _all_sources(facts: Facts) -> frozenset[str]:
    statements = (final_assignment(facts, name) for name in facts.targets)
    return frozenset().union(*(facts.sources.all[id(item.value)] for item in statements if item is not None))


def _is_mean(facts: Facts, node: Expression) -> bool:
    return isinstance(node, Call) and node.function == "avg" and bool(facts.sources.amounts[id(node)] & TASKS)


def _is_quotient(facts: Facts, node: Expression) -> bool:
    if not isinstance(node, Chain) or not facts.sources.amounts[id(node)] & TASKS:
        return False
    factors = (facts.constant(part) for part in node.operands)
    return "/" in node.operators or any(value is not None and value != int(value) for value in factors)


def small_pool_cannot_grow(facts: Facts, report: Report) -> None:
    """F520: `nodes * 1.1` adds no whole node to less than ten. Shown by trials on a busy pool."""
    if facts.unknown:
        return
    for target in facts.targets.values():
        statement = final_assignment(facts, target.name)
        for node in feeding(facts, statement.value) if statement is not None else ():
            factor = _growth_factor(facts, node)
            if statement is None or factor is None:
                continue
            enough = ceil(1 / (factor - 1) - 1e-9)
            sizes = [_next_size(facts, target.name, nodes) for nodes in (1, enough - 1, enough + 1)]
            if None in sizes or enough < 3:
                continue
            small, almost, large = (size or 0.0 for size in sizes)
            is_capped = target.upper is not None and target.upper <= enough + 1
            if 1 < small < 2 and enough - 1 < almost < enough and (is_capped or large >= enough + 2):
                shown = number(almost)
                report(
                    "F520",
                    node.start,
                    node.end,
                    f"a pool of less than {enough} nodes cannot grow: {enough - 1} times {number(factor)} is {shown}, "
                    f"which is cut off to {enough - 1} nodes",
                    f"round up: {statement.name} = ceil(...)",
                )
                break


def _growth_factor(facts: Facts, node: Expression) -> float | None:
    """1.1 of `$CurrentDedicatedNodes * 1.1`."""
    if not isinstance(node, Chain) or node.operators != ("*",) or not facts.sources.amounts[id(node)] & NODES:
        return None
    factors = [value for value in map(facts.constant, node.operands) if value is not None]
    return factors[0] if factors and 1 < factors[0] < 2 else None


def _next_size(facts: Facts, target: str, nodes: int) -> float | None:
    """What a pool of so many nodes becomes that has all that makes a pool grow."""
    busy = with_nodes(target, nodes, Situation(waiting=1000, running=nodes, cpu=100.0))
    shown = facts.trials.of(target, [busy])
    return shown[0][1] if shown else None


def _rounds_by_hand(facts: Facts, node: Expression) -> bool:
    """`(tasks + 3) / 4` and `tasks / 4 + 0.7` round up: what is cut off is meant to be."""
    for part in feeding(facts, node):
        if not isinstance(part, Chain) or part.operators[0] in COMPARISONS:
            continue
        if part.operators[-1] == "/":
            divisor = facts.constant(part.operands[-1])
            top = facts.resolve(part.operands[0])
            if divisor is not None and isinstance(top, Chain) and divisor - 1 in map(facts.constant, top.operands):
                return True
        fractions = (facts.constant(operand) for operand in part.operands[1:])
        if "+" in part.operators and any(value is not None and 0 < value < 1 for value in fractions):
            return True
    return False
