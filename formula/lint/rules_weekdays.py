"""Rules: conditions on the weekday that depend on whether Sunday is 0, as here, or 7 (F602, F603)."""

from __future__ import annotations

from typing import TypeAlias

from ..syntax import Expression, Group, Logic, Member, Name, Unary
from .comparisons import COMPARE, constant_comparison
from .facts import Facts
from .rule import Report

#: Whether a condition holds on day 0, 1, ... 7.
_Days: TypeAlias = tuple[bool, ...]
_SUNDAY, _MONDAY, _SATURDAY, _SUNDAY_AS_7 = 0, 1, 6, 7


def sundays(facts: Facts, report: Report) -> None:
    """F602, F603: does it matter whether Sunday is 0 or 7?"""
    days: dict[int, _Days] = {}
    part_of_more: set[int] = set()
    for node in facts.nodes():
        parts = _parts(facts, node)
        held = _days(facts, node, parts, days)
        if held is None:
            continue
        days[id(node)] = held
        if not isinstance(node, Name):
            # `$weekday && $workHours`: what $weekday stands for is judged here, with all that is said of the day.
            part_of_more.update(id(part) for part in parts)
            part_of_more.update(id(facts.resolve(part)) for part in parts)
    for node in facts.nodes():
        if id(node) in days and id(node) not in part_of_more and not isinstance(node, Name):
            _judge(node, days[id(node)], report)


def counts_on_sunday_as_7(facts: Facts, node: Expression) -> bool:
    """Is it a comparison of a weekday that would be another choice if Sunday were 7?"""
    held = _days(facts, node, (), {})
    return held is not None and held[_SUNDAY] != held[_SUNDAY_AS_7]


def _parts(facts: Facts, node: Expression) -> tuple[Expression, ...]:
    match node:
        case Logic(operands=operands):
            return operands
        case Unary(operator="!", operand=operand):
            return (operand,)
        case Group(inner=inner):
            return (inner,)
        case Name() if id(node) in facts.definitions:
            return (facts.definitions[id(node)].value,)
        case _:
            return ()


def _days(facts: Facts, node: Expression, parts: tuple[Expression, ...], days: dict[int, _Days]) -> _Days | None:
    """The days of a condition, as far as it speaks of days; None if it does not."""
    comparison = constant_comparison(facts, node)
    if comparison is not None:
        subject = facts.resolve(comparison.subject)
        if not (isinstance(subject, Member) and subject.member == "weekday"):
            return None
        return tuple(COMPARE[comparison.operator](day, comparison.value) for day in range(8))
    known = [days[id(part)] for part in parts if id(part) in days]
    if not known:
        return None
    if isinstance(node, Unary):
        return tuple(not holds for holds in known[0])
    join = any if isinstance(node, Logic) and node.operator == "||" else all
    return tuple(join(held[day] for held in known) for day in range(8))


def _judge(node: Expression, held: _Days, report: Report) -> None:
    on_sunday = held[_SUNDAY]
    if on_sunday == held[_SUNDAY_AS_7]:
        return
    holds = "holds on Sundays" if on_sunday else "does not hold on Sundays"
    if held[_SUNDAY_AS_7] == held[_MONDAY]:
        # 7 is a day like any other, so it is 0 that the author took for Sunday, as it is here.
        report(
            "F603",
            node.start,
            node.end,
            f"Sunday is day 0 here, so this {holds}; the service does not document whether it is 0 or 7 there",
            "name the days from 1 (Monday) to 6 (Saturday) instead, which are sure",
        )
        return
    others = set(held[_MONDAY : _SATURDAY + 1])
    saturday = "holds" if held[_SATURDAY] else "does not hold"
    report(
        "F602",
        node.start,
        node.end,
        f"Sunday is day 0, not 7: this {holds}" + (f" and {saturday} on Saturdays" if len(others) > 1 else ""),
        "Monday to Friday is t.weekday >= 1 && t.weekday <= 5, and the weekend is everything else",
    )
