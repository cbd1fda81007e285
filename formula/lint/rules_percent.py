"""Rules: percentages and what is taken for one (F408 to F410, F419)."""

from __future__ import annotations

import re

from ..diagnostics import Edit
from ..expression_types import bare
from ..samples import DEFAULT_PERIOD
from ..syntax import Call, Chain, Expression, MethodCall, Name, Number, Ternary, postorder
from .comparisons import constant_comparisons
from .facts import Facts, SampleCall
from .rule import Report

_UNDEFINED_FOR_NOTHING = ("avg", "max", "min", "range", "val")
# Percentages that people write for "most of the samples".
_USUAL_PERCENTAGES = (50.0, 70.0, 75.0, 80.0, 100.0)
_PERCENT_NAME = re.compile(r"percent|pct", re.IGNORECASE)


def wrong_percent_scale(facts: Facts, report: Report) -> None:
    """F408, F409: percentages run from 0 to 100."""
    for comparison in constant_comparisons(facts):
        left, value, right = comparison.subject, comparison.value, comparison.constant
        if comparison.operator in ("==", "!="):
            continue
        subject = facts.resolve(left)
        if _is_percent(subject) and 0 < value < 1:
            _fraction_for_percent(facts, right, value, report)
        elif 0 < value < 1 and _is_cpu(facts, subject):
            report(
                "F409",
                right.start,
                right.end,
                f"$CPUPercent runs from 0 to 100 here, so {value:g} is under one percent, which an idle node takes too",
                f"write {value * 100:g} for {value * 100:g} %; the documentation of the service uses both scales, so "
                "look at the samples there",
            )
        elif value > 1 and isinstance(left, Name) and _PERCENT_NAME.search(left.name) and _is_share(facts, subject):
            report(
                "F408",
                right.start,
                right.end,
                f"{left.name} is a quotient and is compared with {value:g} as if it were multiplied by 100",
                f"write {value / 100:g}",
            )
    for call in facts.sample_calls:
        percent = None if call.percent is None else facts.constant(call.percent)
        if call.percent is None or percent is None:
            continue
        if 0 < percent < 1:
            _fraction_for_percent(facts, call.percent, percent, report)
        elif percent > 100:
            report(
                "F408",
                call.percent.start,
                call.percent.end,
                f"there are never {percent:g} % of the samples: this call always fails and the pool keeps its size",
                "write a percentage up to 100",
            )


def _fraction_for_percent(facts: Facts, node: Expression, value: float, report: Report) -> None:
    meant = f"{round(value * 100, 6):g}"
    edits = (Edit(node.start, node.end, meant),) if isinstance(node, Number) else ()
    report(
        "F408",
        node.start,
        node.end,
        f"percentages of samples run from 0 to 100: {value:g} is under one percent, and hardly a sample makes that",
        f"write {meant}",
        edits,
    )


def _is_percent(node: Expression) -> bool:
    return isinstance(node, MethodCall) and node.method == "GetSamplePercent"


def _is_cpu(facts: Facts, node: Expression) -> bool:
    """Is it the use of the CPUs, or the largest, smallest or mean of it?"""
    for _ in range(20):
        if isinstance(node, MethodCall):
            receiver = facts.resolve(node.receiver)
            return node.method == "GetSample" and isinstance(receiver, Name) and receiver.name == "$CPUPercent"
        if isinstance(node, Name):
            return node.name == "$CPUPercent"
        if not (isinstance(node, Call) and node.function in ("avg", "max", "min", "val", "percentile")):
            return False
        parts = [facts.resolve(part) for part in node.arguments]
        varying = [part for part in parts if not isinstance(part, Number)]
        if len(varying) != 1:
            return False
        node = varying[0]
    return False


def _is_share(facts: Facts, node: Expression) -> bool:
    """Is it a quotient that nothing multiplies by 100?"""
    if isinstance(node, Ternary):
        return any(_is_share(facts, facts.resolve(branch)) for branch in (node.then, node.otherwise))
    if not (isinstance(node, Chain) and "/" in node.operators and set(node.operators) <= {"*", "/"}):
        return False
    factors = [facts.constant(part) for part in postorder(node)]
    divisor = facts.constant(node.operands[-1])
    return divisor is None and not any(factor is not None and abs(factor) >= 100 for factor in factors)


def percent_as_seconds(facts: Facts, report: Report) -> None:
    """F410: `GetSample(180 * TimeInterval_Second, 70 * TimeInterval_Second)`: the 70 was to be a percentage."""
    for call in facts.sample_calls:
        percent = percent_in_seconds(facts, call)
        if percent is not None:
            end = call.node.arguments[1]
            report(
                "F410",
                end.start,
                end.end,
                f"this is the end of the window, {percent:g} seconds ago, and not a percentage of samples",
                f"write {percent:g} for {percent:g} %",
                (Edit(end.start, end.end, f"{percent:g}"),),
            )


def no_percentage(facts: Facts, report: Report) -> None:
    """F419: `avg(m.GetSample(5 * TimeInterval_Minute, 0))`: the 0 was to be the end of the window, perhaps.

    With a number beside it, as in max(0, ...), it is a good way to do without a guard.
    """
    calls = {id(call.node): call for call in facts.sample_calls if not call.is_count}
    for node in facts.nodes():
        if not (isinstance(node, Call) and node.function in _UNDEFINED_FOR_NOTHING and node.arguments):
            continue
        call = calls.get(id(facts.resolve(node.arguments[0])))
        if call is None or call.percent is None or facts.constant(call.percent) != 0:
            continue
        if len(call.node.arguments) == 2 and (len(node.arguments) == 1 or node.function == "val"):
            report(
                "F419",
                call.percent.start,
                call.percent.end,
                f"0 is the percentage of samples here: an empty window passes, and {node.function} of nothing is no "
                "number",
                "leave it out if the end of the window was meant; else make sure of a number: max(0, ...)",
            )


def percent_in_seconds(facts: Facts, call: SampleCall) -> float | None:
    """The percentage that was written as so many seconds: a usual one, where the window is of whole half minutes."""
    arguments = call.node.arguments
    if call.node.method != "GetSample" or len(arguments) != 2 or call.percent is not None:
        return None
    start, end = (facts.constant(argument) for argument in arguments)
    if end not in _USUAL_PERCENTAGES or start is None or start % DEFAULT_PERIOD:
        return None
    product = bare(arguments[1])
    if not (isinstance(product, Chain) and product.operators == ("*",)):
        return None
    names = (getattr(facts.resolve(part), "name", "") for part in product.operands)
    return end if "TimeInterval_Second" in names else None
