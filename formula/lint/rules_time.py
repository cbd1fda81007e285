"""Rules: hours and dates (F609, F610)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ..syntax import Call, Chain, Expression, Group, Member, Name, String
from ..timestamps import format_time, parse_time
from ..value_types import INTERVAL
from .comparisons import constant_comparison
from .facts import Facts
from .rule import Report

_ORDERED = ("<", "<=", ">", ">=")
_DAY = 86400.0
_MOST_PARTS = 20
#: What can be written as a date, in seconds.
_CENTURIES = 60e9

#: (n, c) of a time or an interval that is n times the present and c seconds.
_OfNow: TypeAlias = tuple[int, float]


def hours_of_another_zone(facts: Facts, report: Report) -> None:
    """F609: the clock is UTC. Told once; a formula that adds an interval, or speaks of UTC, has thought of it."""
    if "UTC" in facts.source.text:
        return
    for node in facts.nodes():
        compared = constant_comparison(facts, node)
        if compared is not None and _is_hour(facts, compared.subject):
            report(
                "F609",
                node.start,
                node.end,
                "hours are UTC, and the formula knows no daylight saving: the working day begins at another hour than "
                "on the clock at the wall",
                "add your distance from UTC: time() + 2 * TimeInterval_Hour",
            )
            return


def _is_hour(facts: Facts, node: Expression) -> bool:
    """`time().hour`, or the minutes of the day: `time().hour * 60 + time().minute`."""
    node = facts.resolve(node)
    for _ in range(_MOST_PARTS):
        if not isinstance(node, Chain):
            break
        varying = [part for part in node.operands if facts.constant(part) is None]
        # A number that is added may well be the distance from UTC.
        if not varying or (len(varying) < len(node.operands) and set(node.operators) != {"*"}):
            return False
        node = facts.resolve(varying[0])
    if not (isinstance(node, Member) and node.member == "hour"):
        return False
    clock = facts.resolve(node.receiver)
    return isinstance(clock, Call) and clock.function == "time" and not clock.arguments


def frozen_dates(facts: Facts, report: Report) -> None:
    """F610: a comparison of now with a date in the text that can never change again. Needs to know the present."""
    now = facts.now
    if now is None:
        return
    found: dict[int, _OfNow] = {}
    for node in facts.nodes():
        value = _of_now(facts, node, found)
        if value is not None:
            found[id(node)] = value
        if not (isinstance(node, Chain) and len(node.operators) == 1 and node.operators[0] in _ORDERED):
            continue
        moment = _turning_point(*(found.get(id(operand)) for operand in node.operands))
        # A pool of today may well carry the date of its creation.
        if moment is None or now < moment + _DAY:
            continue
        report(
            "F610",
            node.start,
            node.end,
            f"this was decided for ever on {format_time(moment)[:10]}: one of its branches is dead, on every new pool "
            "too",
            "write the date of the pool's creation, or take $PendingTasks.Count() > 0 for a pool that has run a while",
        )


def _turning_point(left: _OfNow | None, right: _OfNow | None) -> float | None:
    """When a comparison of the present with a date turned over, seconds since the epoch; None for any other."""
    if left is None or right is None or abs(left[0] - right[0]) != 1:
        return None
    moment = (right[1] - left[1]) / (left[0] - right[0])
    return moment if abs(moment) < _CENTURIES else None


def _of_now(facts: Facts, node: Expression, found: Mapping[int, _OfNow]) -> _OfNow | None:
    match node:
        case Call(function="time", arguments=()):
            return 1, 0.0
        case Call(function="time"):
            date = _date(node)
            return None if date is None else (0, date)
        case Group(inner=inner):
            return found.get(id(inner))
        case Name() if id(node) in facts.definitions:
            return found.get(id(facts.definitions[id(node)].value))
        case Chain(operators=operators) if set(operators) <= {"+", "-"}:
            times, seconds = 0, 0.0
            for operand, sign in zip(node.operands, ("+", *operators), strict=True):
                part = found.get(id(operand))
                if part is None:
                    return None
                times += part[0] if sign == "+" else -part[0]
                seconds += part[1] if sign == "+" else -part[1]
            return times, seconds
    length = facts.constant(node)
    return None if length is None or facts.types(node) != INTERVAL else (0, length)


def _date(node: Call) -> float | None:
    text = node.arguments[0]
    if not isinstance(text, String) or not text.value.strip():
        return None
    try:
        return parse_time(text.value)
    except ValueError:
        return None
