"""Arguments against the tables of functions and methods."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .builtins_table import FIXED_FUNCTIONS, FUNCTION_NAMES, LIST_FUNCTIONS, METHODS
from .diagnostics import Edit
from .spelling import certain, did_you_mean
from .syntax import Call, Expression, MethodCall, String
from .timestamps import parse_time
from .value_types import DOUBLE, INTERVAL, NOTHING, NUMBERS, VECTOR, TypeSet, describe

if TYPE_CHECKING:
    from .expression_types import Report

_LONG_FRACTION = re.compile(r"\.\d{7}(\d+)")
_ALSO_CALLED = {"mean": "avg", "average": "avg"}
_ABSENT_FUNCTIONS = {
    "if": "write condition ? a : b",
    "abs": "write max(x, -x)",
    "mod": "there is no remainder; write x - y * floor(x / y)",
    "pow": "multiply",
    "sqrt": "norm(x, y) is the square root of x*x + y*y",
    "count": "len(...) counts the elements of a vector, $PendingTasks.Count() the samples of a metric",
    "last": "$PendingTasks.GetSample(1) is the newest sample",
    "mean": "write avg(...)",
    "average": "write avg(...)",
}


def call_types(node: Call, arguments: list[TypeSet], report: Report) -> TypeSet:
    """The result type of a function; reports what is wrong with the call."""
    name = node.function
    if name in LIST_FUNCTIONS:
        return _list_function(node, arguments, report)
    if name in FIXED_FUNCTIONS:
        return _fixed_function(node, arguments, report)
    hint = _ABSENT_FUNCTIONS.get(name.lower()) or did_you_mean(name, FUNCTION_NAMES)
    if name in METHODS:
        hint = f"{name} is a method: write $PendingTasks.{name}(...)"
    end = node.start + len(name)
    report("F202", node.start, end, f"there is no function {name}", hint, _spelt(name, FUNCTION_NAMES, end))
    return NOTHING


def _list_function(node: Call, arguments: list[TypeSet], report: Report) -> TypeSet:
    function = LIST_FUNCTIONS[node.function]
    for expression, types in zip(node.arguments, arguments, strict=True):
        if types & ~NUMBERS:
            report(
                "F303",
                expression.start,
                expression.end,
                f"{function.name} takes numbers and vectors, not {describe(types)}",
            )
    if function.scalar is None:
        return function.result
    if node.function == "round" and len(arguments) > 1 and VECTOR not in arguments:
        report(
            "F304",
            node.start,
            node.end,
            "round rounds to whole numbers and takes one number",
            "write round(x * 10) / 10 for one digit",
        )
        return NOTHING
    if len(arguments) == 1:
        # The double form gives a double, the vector form a vector; the argument decides.
        return arguments[0] & NUMBERS
    return VECTOR


def _fixed_function(node: Call, arguments: list[TypeSet], report: Report) -> TypeSet:
    function = FIXED_FUNCTIONS[node.function]
    most = len(function.parameters)
    if not function.required <= len(arguments) <= most:
        wanted = "no" if most == 0 else str(most) if function.required == most else f"0 or {most}"
        plural = "" if wanted == "1" else "s"
        report(
            "F304",
            node.start,
            node.end,
            f"{function.name} takes {wanted} argument{plural}, not {len(arguments)}",
        )
        return function.result
    for expression, types, allowed in zip(node.arguments, arguments, function.parameters, strict=False):
        if types & ~allowed:
            report(
                "F303",
                expression.start,
                expression.end,
                f"{function.name} takes {describe(allowed)} here, not {describe(types)}",
                "vec(...) makes a vector" if allowed == VECTOR and types & DOUBLE else None,
            )
    if function.name == "time" and node.arguments:
        _date(node.arguments[0], report)
    return function.result


def _date(argument: Expression, report: Report) -> None:
    if not (isinstance(argument, String) and argument.value.strip()):
        return
    try:
        parse_time(argument.value)
    except ValueError as reason:
        edits: tuple[Edit, ...] = ()
        digits = _LONG_FRACTION.search(argument.value)
        if digits:
            # Seven digits are all that the service reads, and all that a tick of 100 ns can tell.
            start = argument.start + 1
            edits = (Edit(start + digits.start(1), start + digits.end(1), ""),)
        report("F309", argument.start, argument.end, f"time cannot read {argument.value!r}", str(reason), edits)


def _spelt(name: str, known: Iterable[str], end: int) -> tuple[Edit, ...]:
    """The edit to the name that was surely meant; `end` is where `name` ends in the text."""
    meant = _ALSO_CALLED.get(name) or certain(name, known)
    return (Edit(end - len(name), end, meant),) if meant else ()


def method_types(node: MethodCall, arguments: list[TypeSet], report: Report) -> TypeSet:
    """The result type of a method of a metric; reports what is wrong with the call."""
    start, end = node.name_start, node.name_start + len(node.method)
    method = METHODS.get(node.method)
    if method is None:
        hint = did_you_mean(node.method, METHODS) or f"the methods are {', '.join(METHODS)}"
        edits = _spelt(node.method, METHODS, end)
        report("F203", start, end, f"a metric has no method {node.method}", hint, edits)
        return NOTHING
    fitting = [overload for overload in method.overloads if len(overload) == len(arguments)]
    if not fitting:
        counts = sorted({len(overload) for overload in method.overloads})
        wanted = "no" if counts == [0] else " or ".join(str(count) for count in counts)
        report(
            "F304",
            start,
            node.end,
            f"{method.name} takes {wanted} argument{'' if counts == [1] else 's'}, not {len(arguments)}",
        )
        return method.result
    if any(_fits(arguments, overload) for overload in fitting):
        return method.result
    for index, types in enumerate(arguments):
        allowed = NOTHING
        for overload in fitting:
            if _fits(arguments[:index], overload[:index]):
                allowed |= overload[index]
        if not any(
            not types & ~overload[index] for overload in fitting if _fits(arguments[:index], overload[:index])
        ):
            expression = node.arguments[index]
            report(
                "F303",
                expression.start,
                expression.end,
                f"{method.name} takes {describe(allowed)} here, not {describe(types)}",
                "multiply by TimeInterval_Minute or another interval"
                if types == DOUBLE and allowed & INTERVAL
                else None,
            )
            break
    return method.result


def _fits(arguments: list[TypeSet], overload: tuple[TypeSet, ...]) -> bool:
    return all(not types & ~allowed for types, allowed in zip(arguments, overload, strict=True))
