"""Rules: conditions that are no choice, or not the one that was meant (F601, F604 to F608)."""

from __future__ import annotations

from functools import cache

from ..diagnostics import Edit
from ..operators import COMPARISONS
from ..ranges import analyse, number_program
from ..ranges.value_range import BOUNDLESS
from ..syntax import (
    Assignment,
    Call,
    Chain,
    Expression,
    Group,
    Logic,
    Member,
    MethodCall,
    Name,
    Number,
    Ternary,
    Unary,
    children,
)
from ..variables import METRICS, TARGETS
from .comparisons import constant_comparison
from .facts import Facts
from .rule import Report
from .rules_weekdays import counts_on_sunday_as_7

_ORDERED = ("<", "<=", ">", ">=")
_MOST_PARTS = 4
#: What gives fractions that are rarely what one compares with.
_FRACTIONAL = ("avg", "std", "norm", "lg", "ln", "log", "rand", "percentile")


def constant_conditions(facts: Facts, report: Report) -> None:
    """F601: a condition that depends on samples or on the time, and is always true or never.

    A number that has a name of its own is a setting: `spot && tasks > 0` with `spot = 0` is a choice that was made, and
    nothing is said about it. Only parts of the clock are compared with settings too: they have limits that no setting
    can change.
    """
    if not facts.is_sound:
        return
    settings = frozenset(
        statement.value.start
        for statement in facts.statements
        if isinstance(statement, Assignment) and isinstance(statement.value, Number)
    )
    # What is proved without the settings; only where something is proved with them.
    unset = cache(lambda: analyse(facts.checked, number_program(facts.checked, facts.unknown | settings)))
    varying, timely = _varying(facts)
    told: set[int] = set()
    for statement in facts.statements:
        stack: list[Expression] = [statement.value]
        while stack:
            node = stack.pop()
            truth = facts.truth(node) if _is_condition(node) and id(node) in varying else None
            if truth is not None and id(node) not in timely:
                truth = unset().of(node).truth
            if truth is not None and not (_decided_by_setting(node, varying) or counts_on_sunday_as_7(facts, node)):
                if facts.values[id(node)] not in told:
                    told.add(facts.values[id(node)])
                    _tell_constant(facts, node, truth, report)
                continue
            stack.extend(reversed(children(node)))


def _is_condition(node: Expression) -> bool:
    if isinstance(node, Logic):
        return True
    if not (isinstance(node, Chain) and len(node.operators) == 1 and node.operators[0] in COMPARISONS):
        return False
    # `!a > 5` has a finding of its own.
    first = node.operands[0]
    return not (isinstance(first, Unary) and first.operator == "!")


def _decided_by_setting(node: Expression, varying: frozenset[int]) -> bool:
    return isinstance(node, Logic) and any(id(operand) not in varying for operand in node.operands)


def _varying(facts: Facts) -> tuple[frozenset[int], frozenset[int]]:
    """Expressions that depend on more than settings; and conditions whose parts compare only parts of the clock."""
    varying: set[int] = set()
    timely: set[int] = set()
    for node in facts.nodes():
        definition = facts.definitions.get(id(node))
        parts: tuple[Expression, ...] = (definition.value,) if definition is not None else children(node)
        if isinstance(node, MethodCall) or (isinstance(node, Call) and node.function in ("time", "rand")):
            varying.add(id(node))
        elif isinstance(node, Name) and definition is None:
            if node.name in METRICS or node.name in TARGETS:
                varying.add(id(node))
        elif any(id(part) in varying for part in parts):
            varying.add(id(node))
        inner = [part for part in parts if id(part) in varying]
        if isinstance(node, Member) or (
            isinstance(node, Group | Name | Logic | Chain) and inner and all(id(part) in timely for part in inner)
        ):
            timely.add(id(node))
    return frozenset(varying), frozenset(timely)


def _tell_constant(facts: Facts, node: Expression, truth: bool, report: Report) -> None:
    always = "always true" if truth else "never true"
    hint = _limits(facts, node)
    if isinstance(node, Logic) and node.operator == "&&" and not truth:
        hint = "no value is on both sides at once; || was meant, perhaps"
    elif isinstance(node, Logic) and node.operator == "||" and truth:
        hint = "every value is on one of the sides; && was meant, perhaps"
    report(
        "F601",
        node.start,
        node.end,
        f"this condition is {always}, whatever the samples and the clock say: a part of the formula is never used",
        hint,
    )


def _limits(facts: Facts, node: Expression) -> str:
    """Why a comparison is always the same."""
    comparison = constant_comparison(facts, node)
    if comparison is not None:
        found = facts.range(comparison.subject)
        if found.low == found.high:
            return f"what is compared is always {found.low:g} here"
        if found.low > -BOUNDLESS and found.high < BOUNDLESS:
            return f"what is compared lies between {found.low:g} and {found.high:g} here"
        if found.low > -BOUNDLESS:
            return f"what is compared is never under {found.low:g} here"
        if found.high < BOUNDLESS:
            return f"what is compared is never over {found.high:g} here"
    return "look at the limits of what is compared"


def chained_comparisons(facts: Facts, report: Report) -> None:
    """F604: `1 < x < 5` compares 1 or 0 with 5."""
    for node in facts.nodes():
        if not isinstance(node, Chain) or sum(operator in _ORDERED for operator in node.operators) < 2:
            continue
        hint = "join comparisons with &&"
        edits: tuple[Edit, ...] = ()
        if len(node.operands) == 3:
            low, middle, high = (facts.source.text[part.start : part.end] for part in node.operands)
            meant = f"{low} {node.operators[0]} {middle} && {middle} {node.operators[1]} {high}"
            hint = f"write {meant}" if len(meant) <= 80 else hint
            edits = (Edit(node.start, node.end, f"({meant})"),)
        first = facts.source.text[node.start : node.operands[1].end]
        report(
            "F604",
            node.start,
            node.end,
            f"`{first if len(first) <= 40 else 'the first comparison'}` is 1 or 0, and that is compared with the rest",
            hint,
            edits,
        )


def negated_comparisons(facts: Facts, report: Report) -> None:
    """F605: `!a > 0` is `(!a) > 0`."""
    for node in facts.nodes():
        if not (isinstance(node, Chain) and len(node.operators) == 1 and node.operators[0] in COMPARISONS):
            continue
        first = node.operands[0]
        if isinstance(first, Unary) and first.operator == "!":
            report(
                "F605",
                node.start,
                node.end,
                f"`!` belongs to what stands right behind it, so its 1 or 0 is compared with `{node.operators[0]}`",
                "put the comparison in parentheses: !(a > b)",
            )


def equal_branches(facts: Facts, report: Report) -> None:
    """F606: both branches of a choice are the same. Settings that happen to be equal are not."""
    for node in facts.nodes():
        if isinstance(node, Ternary) and _same_text(facts, node.then, node.otherwise):
            report(
                "F606",
                node.start,
                node.end,
                "both branches are the same, so the condition decides nothing",
                "mend one of the branches, or leave the condition out",
            )


def _same_text(facts: Facts, one: Expression, other: Expression) -> bool:
    """Written alike but for blanks: two names of one value may part tomorrow."""
    if facts.values[id(one)] != facts.values[id(other)]:
        return False
    first, second = ("".join(facts.source.text[part.start : part.end].split()) for part in (one, other))
    return first.strip("()") == second.strip("()")


def equal_fractions(facts: Facts, report: Report) -> None:
    """F607: a mean or a quotient is rarely exactly what it is compared with."""
    for node in facts.nodes() if facts.is_sound else ():
        if not (isinstance(node, Chain) and len(node.operators) == 1 and node.operators[0] in ("==", "!=")):
            continue
        left, right = node.operands
        for subject, other in ((left, right), (right, left)):
            value = facts.constant(other)
            if value and _is_fraction(facts, facts.resolve(subject)):
                report(
                    "F607",
                    node.start,
                    node.end,
                    f"a mean or a quotient is hardly ever exactly {value:g}: think of 2.9999",
                    "compare with < or >, or round() it first",
                )


def _is_fraction(facts: Facts, node: Expression) -> bool:
    if facts.range(node).whole or facts.constant(node) is not None:
        return False
    if isinstance(node, Call):
        return node.function in _FRACTIONAL
    return isinstance(node, Chain) and "/" in node.operators


def zero_divisors(facts: Facts, report: Report) -> None:
    """F608: dividing by what is 0 in an idle or empty pool. The evaluation fails, and goes on failing."""
    for node in facts.nodes() if facts.is_sound else ():
        if not isinstance(node, Chain) or "/" not in node.operators:
            continue
        for operator, divisor in zip(node.operators, node.operands[1:], strict=True):
            if operator != "/" or not facts.range(divisor).contains(0.0) or facts.range(divisor).impossible:
                continue
            shown = _may_be_zero(facts, divisor)
            if shown is not None:
                report(
                    "F608",
                    divisor.start,
                    divisor.end,
                    f"{shown} can be 0: then this division fails and the pool keeps its size, for as long as it is 0",
                    "write max(1, ...) around it",
                )


def _may_be_zero(facts: Facts, divisor: Expression, depth: int = 0) -> str | None:
    """The name of the metric or target that the divisor is, or the names of a sum; only where that is plain."""
    if facts.constant(divisor) is not None:
        return "the divisor" if facts.constant(divisor) == 0 and depth == 0 else None
    node = facts.resolve(divisor)
    match node:
        case Name(name=name):
            return name if (name in METRICS or name in TARGETS) and name != "$TaskSlotsPerNode" else None
        case MethodCall(method="GetSample"):
            receiver = facts.resolve(node.receiver)
            return receiver.name if isinstance(receiver, Name) else None
        case Call(function="avg" | "max" | "min" | "val" | "sum", arguments=arguments):
            parts = [part for part in arguments if facts.constant(part) is None]
            return _may_be_zero(facts, parts[0], depth + 1) if len(parts) == 1 and depth < _MOST_PARTS else None
        case Chain(operands=operands, operators=("+",) | ("*",) as operators) if depth < _MOST_PARTS:
            found = [_may_be_zero(facts, part, depth + 1) for part in operands]
            names = [part for part in found if part is not None]
            if operators == ("*",):
                return names[0] if names else None
            return " + ".join(names) if len(names) == 2 else None
        case _:
            return None
