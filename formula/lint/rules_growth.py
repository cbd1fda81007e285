"""Rules about how large and how small a pool gets: bounds, growth from zero, ebbing to zero."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..ranges import MOMENTS, SINGLE_NODE, Situation, TargetRange, analyse
from ..syntax import Call, Expression
from .demand import NODES, TASKS, described, final_assignment, number, with_nodes
from .facts import Facts
from .rule import Report

#: A pool that grows with every one of so many evaluations, for one task, does not stop by itself.
_EVALUATIONS = 8


def no_upper_bound(facts: Facts, report: Report) -> None:
    """F505."""
    for target in facts.targets.values():
        statement = final_assignment(facts, target.name)
        if statement is None or target.bound != "none":
            continue
        floor = _floor(facts, statement.value)
        if floor is not None:
            hint = f"max({number(floor)}, ...) is the least that it can be; min({number(floor)}, ...) is a cap"
        else:
            hint = f"cap it: {statement.name} = min(20, ...)"
        report(
            "F505",
            statement.value.start,
            statement.value.end,
            f"{statement.name} has no upper bound{_growing(facts, target)}",
            hint,
        )


def _growing(facts: Facts, target: TargetRange) -> str:
    if facts.unknown:
        return ""
    busy = with_nodes(target.name, 1000, Situation(waiting=10_000, running=1000, cpu=99.0))
    for situation, value in facts.trials.of(target.name, [Situation(waiting=10_000), busy]):
        nodes = situation.dedicated + situation.low_priority
        if value > max(nodes, 500):
            return f": {described(situation)} it is {number(int(value))}"
    return ""


def _floor(facts: Facts, node: Expression) -> float | None:
    """The constant of `max(10, x)`, which may have been meant as a cap."""
    node = facts.resolve(node)
    if not (isinstance(node, Call) and node.function == "max" and len(node.arguments) == 2):
        return None
    constants = [value for value in map(facts.constant, node.arguments) if value is not None]
    return constants[0] if constants and constants[0] > 1 else None


def no_growth_from_zero(facts: Facts, report: Report) -> None:
    """F506: nothing but the pool's own nodes makes it grow, so that without nodes it never does."""
    targets = list(facts.targets.values())
    if not targets or any(target.can_leave_zero is not False for target in targets):
        return
    for target in targets:
        statement = final_assignment(facts, target.name)
        if statement is None or not target.computed.high >= 1 or not _grows(facts, target):
            continue
        cause = sorted(facts.sources.all[id(statement.value)] & NODES)
        report(
            "F506",
            statement.value.start,
            statement.value.end,
            f"a pool without nodes stays without: {statement.name} comes from {' and '.join(cause)}, which "
            f"{'is' if len(cause) == 1 else 'are'} 0 then",
            "keep a node with max(1, ...), or add the tasks that wait, $PendingTasks",
        )


def _grows(facts: Facts, target: TargetRange) -> bool:
    """Is a pool that has nodes to grow? One that is only held or shrunk has no trouble with zero."""
    targets = analyse(facts.checked, facts.numbering, SINGLE_NODE).targets
    return target.name in targets and targets[target.name].high > 1


def never_zero(facts: Facts, report: Report) -> None:
    """F507: information, for it may be meant; not of a pool whose size is fixed."""
    for target in facts.targets.values():
        statement = final_assignment(facts, target.name)
        if statement is None or target.can_be_zero is not False or target.constant is not None:
            continue
        if facts.sources.all[id(statement.value)]:
            report(
                "F507",
                statement.value.start,
                statement.value.end,
                f"the pool never ebbs to zero: {statement.name} is at least {target.lower}, also when nothing is to do",
                "let it become 0 when no task is pending, if starting a node when one comes is soon enough",
            )


def always_the_same(facts: Facts, report: Report) -> None:
    """F509: the formula reads samples or the clock, and no target hangs on them."""
    targets = list(facts.targets.values())
    if not targets or any(target.constant is None for target in targets):
        return
    for target in targets:
        statement = final_assignment(facts, target.name)
        if statement is not None and facts.sources.all[id(statement.value)]:
            report(
                "F509",
                statement.value.start,
                statement.value.end,
                f"{statement.name} is always {number(target.constant or 0)}, whatever the formula reads",
                "a condition that is never true, or bounds that leave one value, make it so",
            )


def negative_target(facts: Facts, report: Report) -> None:
    """F510: shown by a trial."""
    for target in _tried(facts):
        statement = final_assignment(facts, target.name)
        if statement is None or target.computed.low > -1:
            continue
        for situation, value in facts.trials.of(target.name, _quiet(target.name)):
            if value <= -1:
                report(
                    "F510",
                    statement.value.start,
                    statement.value.end,
                    f"{described(situation)} {statement.name} is {number(int(value))}, which is taken as 0",
                    "write max(0, ...) around it: what Azure Batch makes of a negative target is not documented",
                )
                break


def not_a_number(facts: Facts, report: Report) -> None:
    """F511: shown by a trial on a pool without samples, and on an idle one."""
    for target in _tried(facts):
        statement = final_assignment(facts, target.name)
        if statement is None or not target.computed.nan:
            continue
        for situation in (Situation(young=True), Situation(), Situation(dedicated=3, low_priority=3)):
            if any(value != value for _, value in facts.trials.of(target.name, [situation])):
                when = "without samples, as on a new pool," if situation.young else "in an idle pool"
                report(
                    "F511",
                    statement.value.start,
                    statement.value.end,
                    f"{when} {statement.name} is NaN: the evaluation fails, and the pool keeps its size",
                    "write max(0, ...) around what is read from samples: max leaves out what is not there",
                )
                break


def grows_on_and_on(facts: Facts, report: Report) -> None:
    """F512: shown by evaluations one after another, with one task waiting all the time."""
    for target in _tried(facts):
        statement = final_assignment(facts, target.name)
        if statement is None or not facts.sources.all[id(statement.value)] & TASKS:
            continue
        sizes = list(_sizes(facts, target.name))
        if len(sizes) == _EVALUATIONS and all(a < b for a, b in pairwise(sizes)):
            shown = ", ".join(map(str, sizes[:4]))
            end = f", up to {target.upper}" if target.upper is not None else ""
            report(
                "F512",
                statement.value.start,
                statement.value.end,
                f"with 1 task waiting the pool grows at every evaluation: {shown}, ...{end}",
                "a node needs minutes to come, and the task that waits for it is counted again each time: compute the "
                "size from the tasks alone",
            )


def _sizes(facts: Facts, target: str) -> Iterator[int]:
    nodes = 0
    for _ in range(_EVALUATIONS):
        values = facts.trials.of(target, [with_nodes(target, nodes, Situation(waiting=1))])
        if not values or not 0 <= values[0][1] < 1e9:
            return
        nodes = int(values[0][1])
        yield nodes


def _tried(facts: Facts) -> Iterator[TargetRange]:
    """The targets, if what a trial shows holds for the formula: not with a template's numbers left open."""
    if not facts.unknown:
        yield from facts.targets.values()


def _quiet(target: str) -> Iterator[Situation]:
    for now in MOMENTS:
        for nodes in (0, 1, 5):
            yield with_nodes(target, nodes, Situation(now=now))
