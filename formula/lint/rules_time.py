"""Rules: hours and dates (F609, F610)."""

from __future__ import annotations

from ..syntax import Call, Chain, Expression, Member, String
from ..timestamps import format_time, parse_time
from ..value_types import INTERVAL, TIMESTAMP
from .comparisons import constant_comparison
from .facts import Facts
from .rule import Report

_ORDERED = ("<", "<=", ">", ">=")
_DAY = 86400.0


def hours_of_another_zone(facts: Facts, report: Report) -> None:
    """F609: the clock is UTC. Told once; a formula that adds an interval, or speaks of UTC, has thought of it."""
    if "UTC" in facts.source.text:
        return
    for node in facts.nodes():
        compared = constant_comparison(facts, node)
        hour = None if compared is None else facts.resolve(compared.subject)
        if not (isinstance(hour, Member) and hour.member == "hour"):
            continue
        clock = facts.resolve(hour.receiver)
        if isinstance(clock, Call) and clock.function == "time" and not clock.arguments:
            report(
                "F609",
                node.start,
                node.end,
                "hours are UTC, and the formula knows no daylight saving: the working day begins at another hour than "
                "on the clock at the wall",
                "add your distance from UTC: time() + 2 * TimeInterval_Hour",
            )
            return


def frozen_dates(facts: Facts, report: Report) -> None:
    """F610: a comparison of now with a date in the text that can never change again. Needs to know the present."""
    now = facts.now
    if now is None:
        return
    for node in facts.nodes():
        if not (isinstance(node, Chain) and len(node.operators) == 1 and node.operators[0] in _ORDERED):
            continue
        moment = _turning_point(facts, node)
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


def _turning_point(facts: Facts, node: Chain) -> float | None:
    """When a comparison of the present with a date turned over, seconds since the epoch; None for any other."""
    left, right = (facts.resolve(operand) for operand in node.operands)
    for one, other in ((left, right), (right, left)):
        if facts.types(one) == TIMESTAMP and facts.types(other) == TIMESTAMP and _is_now(one):
            return _date(other)
        length = facts.constant(other)
        if facts.types(one) == INTERVAL and length is not None:
            since = _since(facts, one)
            return None if since is None else since + length
    return None


def _since(facts: Facts, node: Expression) -> float | None:
    """The date of `time() - date`."""
    if not (isinstance(node, Chain) and node.operators == ("-",)):
        return None
    present, past = (facts.resolve(operand) for operand in node.operands)
    return _date(past) if _is_now(present) else None


def _is_now(node: Expression) -> bool:
    return isinstance(node, Call) and node.function == "time" and not node.arguments


def _date(node: Expression) -> float | None:
    if not (isinstance(node, Call) and node.function == "time" and len(node.arguments) == 1):
        return None
    (text,) = node.arguments
    if not isinstance(text, String) or not text.value.strip():
        return None
    try:
        return parse_time(text.value)
    except ValueError:
        return None
