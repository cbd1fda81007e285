"""Rules: statements that do nothing, or not what they look like (F615 to F619)."""

from __future__ import annotations

import re

from ..diagnostics import Edit
from ..operators import OPERATORS, binary_result
from ..syntax import BareExpression, Call, Chain, postorder
from ..value_types import INTERVAL, NOTHING, TIMESTAMP, TypeSet
from .facts import Facts
from .rule import Report

_PARTS = re.compile(r'"[^"\r\n]*"|(?P<comment>//[^\r\n]*)|(?P<end>;)|(?P<code>[^\s;])')
_ASSIGNMENT = re.compile(r"\$?[A-Za-z_]\w*\s*=(?!=)", re.ASCII)


def statements_without_effect(facts: Facts, report: Report) -> None:
    """F615: an expression that is not assigned."""
    for statement in facts.statements:
        if not isinstance(statement, BareExpression) or facts.types(statement.value) == NOTHING:
            continue
        if any(isinstance(node, Call) and node.function == "stop" for node in postorder(statement.value)):
            continue
        report(
            "F615",
            statement.start,
            statement.end,
            "the value is computed and thrown away; it can only make the evaluation fail",
            "assign it: name = ...",
        )


def statements_after_stop(facts: Facts, report: Report) -> None:
    """F616: nothing runs behind stop()."""
    for statement, following in zip(facts.statements, facts.statements[1:], strict=False):
        value = facts.resolve(statement.value)
        if isinstance(value, Call) and value.function == "stop":
            last = facts.statements[-1]
            report(
                "F616",
                following.start,
                following.end if following is last else last.end,
                "stop() ends the evaluation before this, always",
                "make it a choice: condition ? stop() : 0",
            )
            return


def empty_statements(facts: Facts, report: Report) -> None:
    """F617: a `;` with no statement before it."""
    if not facts.is_whole:
        return
    begun = False
    for match in _PARTS.finditer(facts.source.text):
        if match.lastgroup == "comment":
            continue
        if match.lastgroup == "end":
            if not begun:
                report(
                    "F617",
                    match.start(),
                    match.end(),
                    "there is no statement before this `;`; whether the service takes that is not documented",
                    "leave it out",
                    (Edit(match.start(), match.end(), ""),),
                )
            begun = False
        else:
            begun = True


def swallowed_statements(facts: Facts, report: Report) -> None:
    """F618: the lines were joined to one, and a comment goes to the end of it."""
    text = facts.source.text
    if "\n" in text or "\r" in text:
        return
    for match in _PARTS.finditer(text):
        if match.lastgroup == "comment":
            if ";" in match.group() and _ASSIGNMENT.search(match.group()):
                report(
                    "F618",
                    match.start(),
                    match.end(),
                    "the comment goes to the end of the line, and everything is on one line: the statements in it do "
                    "not run",
                    "keep the line ends where the formula is written into JSON or a template: \\n",
                )
            return


def undocumented_operators(facts: Facts, report: Report) -> None:
    """F619: operators that are accepted here and stand in no table of the documentation. Each kind is told once."""
    told: set[tuple[TypeSet, TypeSet]] = set()
    for node in facts.nodes():
        if not isinstance(node, Chain):
            continue
        types = facts.types(node.operands[0])
        for operator, operand, place in zip(node.operators, node.operands[1:], node.places, strict=True):
            other = facts.types(operand)
            row = OPERATORS.get((operator, types, other))
            if row is not None and not row.documented and (types, other) not in told:
                told.add((types, other))
                _tell_undocumented(operator, types, other, place, report)
            types = binary_result(operator, types, other) or NOTHING


def _tell_undocumented(operator: str, left: TypeSet, right: TypeSet, place: int, report: Report) -> None:
    if (left, right) == (TIMESTAMP, INTERVAL):
        what, cure = "taking an interval from a time", "add a negative interval: time() + -1 * TimeInterval_Hour"
    else:
        what, cure = "a number before a vector", "write the vector first, or reduce it with max(...) or avg(...)"
    report(
        "F619",
        place,
        place + len(operator),
        f"{what} is in no table of the documentation; it works here, and may fail on Azure Batch",
        cure,
    )
