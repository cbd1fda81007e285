"""Rules about how tasks become nodes: fractions, tasks counted twice or not at all, the wrong reduction."""

from __future__ import annotations

from ..ranges import MOMENTS, Situation
from ..syntax import Call, Chain, Expression, MethodCall
from ..variables import DEALLOCATION_OPTION
from .comparisons import constant_comparisons
from .demand import (
    NODES,
    TASKS,
    counted,
    described,
    feeding,
    final_assignment,
    is_vector_of_many,
    number,
    unclamped,
    with_nodes,
)
from .facts import Facts
from .rule import Report

_NONE: frozenset[str] = frozenset()
#: Tasks that wait, around what people divide by and compare with.
_COUNTS = (1, 2, 3, 4, 5, 8, 9, 10, 11, 16, 17, 100)


def active_tasks_only(facts: Facts, report: Report) -> None:
    """F515: shown by trials on a pool whose nodes are all busy."""
    for target in facts.targets.values():
        statement = final_assignment(facts, target.name)
        if statement is None or facts.unknown or target.upper == 0:
            continue
        if facts.sources.all[id(statement.value)] & TASKS != {"$ActiveTasks"}:
            continue
        nodes = min(4, target.upper or 4)
        busy = [with_nodes(target.name, nodes, Situation(running=nodes, now=now)) for now in MOMENTS]
        shown = facts.trials.of(target.name, busy)
        if not shown or any(not value <= nodes - 1 for _, value in shown):
            continue
        left = max(0, int(shown[0][1]))
        kept = any(
            getattr(facts.resolve(item.value), "name", "") == "taskcompletion"
            for name, item in facts.final.items()
            if name == DEALLOCATION_OPTION
        )
        end = "they end their tasks and take no new ones" if kept else "their tasks are stopped"
        report(
            "F515",
            statement.value.start,
            statement.value.end,
            f"with {counted(nodes, 'node')}, as many tasks running and none waiting, {statement.name} is {left}: busy "
            f"nodes are taken away; {end}",
            "$PendingTasks counts the tasks that wait and those that run",
        )


def gaps_in_demand(facts: Facts, report: Report) -> None:
    """F521: some tasks get a node, and more of them get none. Shown by trials on a pool without nodes."""
    statements = {name: final_assignment(facts, name) for name in facts.targets}
    sources = _NONE.union(*(facts.sources.all[id(item.value)] for item in statements.values() if item is not None))
    if facts.unknown or not sources & TASKS:
        return
    for slots in (1, 4) if "$TaskSlotsPerNode" in sources else (1,):
        fewer: tuple[Situation, str] | None = None
        for count in _COUNTS:
            more = Situation(waiting=count, slots=slots)
            targets = facts.trials.targets(more) or {}
            served = next((name for name, value in targets.items() if value >= 1), None)
            if served is not None:
                fewer = more, served
            elif fewer is not None and targets and all(value < 1 for value in targets.values()):
                statement = statements[fewer[1]]
                if statement is not None:
                    report(
                        "F521",
                        statement.value.start,
                        statement.value.end,
                        f"{described(fewer[0])} there are nodes for them, and {described(more)} there are none",
                        "look at the conditions: is a case left out, as equal numbers are between < and >?",
                    )
                return


def counted_twice(facts: Facts, report: Report) -> None:
    """F516: `$PendingTasks + $RunningTasks`, but where it is asked only whether there are any."""
    asked = {id(facts.resolve(found.subject)) for found in constant_comparisons(facts) if found.value == 0}
    statements = (final_assignment(facts, name) for name in facts.targets)
    asked -= {id(node) for item in statements if item is not None for node in feeding(facts, item.value)}
    for node in facts.nodes():
        if id(node) in asked:
            continue
        amounts = [facts.sources.amounts[id(part)] for part in _summands(node)]
        others = [names for names in amounts if "$PendingTasks" not in names]
        twice = sorted(frozenset[str]().union(*others) & {"$RunningTasks", "$ActiveTasks"})
        if len(others) < len(amounts) and twice:
            report(
                "F516",
                node.start,
                node.end,
                f"tasks are counted twice: $PendingTasks has those of {' and '.join(twice)} in it",
                "use $PendingTasks alone, or $ActiveTasks + $RunningTasks",
            )
            return


def _summands(node: Expression) -> list[Expression]:
    """What is added up."""
    if isinstance(node, Chain):
        signs = ("+", *node.operators)
        if all(sign in "+-" for sign in signs):
            return [part for part, sign in zip(node.operands, signs, strict=True) if sign == "+"]
    if isinstance(node, Call) and node.function == "sum":
        return list(node.arguments)
    return []


def both_targets(facts: Facts, report: Report) -> None:
    """F517: one demand, and each target takes it whole."""
    if len(facts.targets) < 2 or any(not target.computed.high >= 1 for target in facts.targets.values()):
        return
    first, second = (final_assignment(facts, name) for name in facts.targets)
    if first is None or second is None:
        return
    if first.start > second.start:
        first, second = second, first
    one, other = unclamped(facts, first.value), unclamped(facts, second.value)
    if facts.values[id(one)] != facts.values[id(other)] or not facts.sources.amounts[id(one)] & TASKS:
        return
    if isinstance(one, Chain) and any(_is_share(facts, part) for part in one.operands):
        return
    report(
        "F517",
        second.value.start,
        second.value.end,
        f"the same tasks get nodes twice: {second.name} comes from the same number as {first.name}",
        f"let one take what the other leaves: max(0, ... - {first.name})",
    )


def _is_share(facts: Facts, node: Expression) -> bool:
    """A factor such as 0.5, with which a demand is split."""
    value = facts.constant(node)
    return value is not None and 0 < value < 1


def smallest_sample(facts: Facts, report: Report) -> None:
    """F518: `min` over a window, with or without the cap in it."""
    for name in facts.targets:
        statement = final_assignment(facts, name)
        for node in feeding(facts, statement.value) if statement is not None else ():
            if not (isinstance(node, Call) and node.function == "min"):
                continue
            vectors = [part for part in node.arguments if is_vector_of_many(facts, part)]
            if not any(facts.sources.amounts[id(part)] & (TASKS | NODES) for part in vectors):
                continue
            caps = [value for value in map(facts.constant, node.arguments) if value is not None]
            message = "min takes the smallest sample of the window: one moment without tasks, and the target is 0"
            if caps:
                message = (
                    f"the cap {number(caps[0])} and the samples go into one min: what counts is the smallest sample of "
                    "the window"
                )
            cap = f"min({number(caps[0])}, max({_shown(facts, vectors[0])}))" if caps else "max(...) or avg(...)"
            report("F518", node.start, node.end, message, f"to follow the demand take {cap}")


def _shown(facts: Facts, node: Expression) -> str:
    text = facts.source.text[node.start : node.end]
    return text if len(text) <= 60 and "\n" not in text else "..."


def full_size_without_samples(facts: Facts, report: Report) -> None:
    """F519: `min(cap, nothing)` is the cap; shown by a trial on a pool without samples."""
    if facts.unknown or _asks_for_samples(facts):
        return
    for target in facts.targets.values():
        statement = final_assignment(facts, target.name)
        if statement is None:
            continue
        young = facts.trials.of(target.name, [Situation(young=True)])
        idle = facts.trials.of(target.name, [Situation()])
        if not young or not idle or not young[0][1] >= 2 or not idle[0][1] < young[0][1]:
            continue
        size = young[0][1]
        for node in feeding(facts, statement.value):
            if isinstance(node, Call) and node.function == "min" and _leaves(facts, node, size):
                report(
                    "F519",
                    node.start,
                    node.end,
                    f"without samples, as on a new pool, {statement.name} is {number(size)}: min leaves out what is "
                    "not there, and what is left is the cap",
                    "write max(0, ...) around the samples",
                )
                break


def _leaves(facts: Facts, node: Call, size: float) -> bool:
    """Is the constant all that is left of the call if its other arguments have no samples?"""
    others = [part for part in node.arguments if facts.constant(part) is None]
    ranges = [facts.range(part) for part in others]
    return (
        bool(others)
        and size in map(facts.constant, node.arguments)
        and all(found.shortest < 1 or found.nan for found in ranges)
    )


def _asks_for_samples(facts: Facts) -> bool:
    """A formula that counts its samples knows what it does without them."""
    return any(
        isinstance(node, MethodCall) and node.method in ("Count", "GetSamplePercent") for node in facts.nodes()
    )
