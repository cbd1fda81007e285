"""The type of every expression, and what is wrong in it. One method per kind of node, parts before wholes."""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf
from typing import Protocol, assert_never

from .builtins_table import FUNCTION_NAMES, LIST_FUNCTIONS, MEMBERS, METHODS
from .call_types import call_types, method_types
from .diagnostics import Edit
from .operators import COMPARISONS, NEGATABLE, binary_result
from .spelling import certain, did_you_mean
from .syntax import (
    Call,
    Chain,
    Expression,
    Group,
    Logic,
    Member,
    MethodCall,
    Name,
    Number,
    String,
    Ternary,
    Unary,
)
from .value_types import (
    DOUBLE,
    INTERVAL,
    NOTHING,
    OPTION,
    STRING,
    TIMESTAMP,
    VECTOR,
    TypeSet,
    describe,
)
from .variables import ABSENT, DEALLOCATION_OPTION, INTERVALS, KNOWN_NAMES, METRICS, OPTIONS, RENAMED, TARGETS


class Report(Protocol):
    def __call__(
        self, code: str, start: int, end: int, message: str, hint: str | None = None, edits: tuple[Edit, ...] = ()
    ) -> None: ...


#: What other languages call them.
_TRUTH = {"true": "1", "false": "0"}


def type_hint(types: TypeSet) -> str | None:
    """How to make a number of it."""
    if types & VECTOR:
        return "make one number of a vector with max(...), avg(...) or val(..., 0)"
    return None


def bare(node: Expression) -> Expression:
    """The expression without its parentheses."""
    while isinstance(node, Group):
        node = node.inner
    return node


class ExpressionTypes:
    """Fills `types`, by the identity of the node. `variables`: those assigned so far, kept by the caller."""

    def __init__(self, variables: Mapping[str, TypeSet], report: Report) -> None:
        self.types: dict[int, TypeSet] = {}
        self._variables = variables
        self._report = report

    def visit(self, node: Expression) -> None:
        """The parts of the node must have been visited."""
        self.types[id(node)] = self._type(node)

    def _type(self, node: Expression) -> TypeSet:
        match node:
            case Number():
                return self._number(node)
            case String():
                return STRING
            case Name():
                return self._name(node)
            case Group(inner=inner):
                return self.types[id(inner)]
            case Unary():
                return self._unary(node)
            case Chain():
                return self._chain(node)
            case Logic():
                return self._logic(node)
            case Ternary():
                return self._ternary(node)
            case Call():
                return call_types(node, self._arguments(node.arguments), self._report)
            case MethodCall():
                return self._method(node)
            case Member():
                return self._member(node)
            case _:
                assert_never(node)

    def _arguments(self, arguments: tuple[Expression, ...]) -> list[TypeSet]:
        return [self._read(argument) for argument in arguments]

    def _read(self, node: Expression) -> TypeSet:
        return self.types[id(node)]

    def _number(self, node: Number) -> TypeSet:
        if isinf(node.value):
            self._report("F103", node.start, node.end, "the number is too large for a double")
        return DOUBLE

    def _name(self, node: Name) -> TypeSet:
        name = node.name
        if name in self._variables:
            return self._variables[name]
        if name in TARGETS:
            return DOUBLE
        if name in INTERVALS:
            return INTERVAL
        if name in OPTIONS or name == DEALLOCATION_OPTION:
            return OPTION
        if name in METRICS:
            return DOUBLE
        if name in ABSENT:
            edit = Edit(node.start, node.end, RENAMED[name])
            self._report("F205", node.start, node.end, f"there is no variable {name}", ABSENT[name], (edit,))
            return NOTHING
        known = (*self._variables, *KNOWN_NAMES, *OPTIONS)
        meant = RENAMED.get(name) or _TRUTH.get(name.lower()) or certain(name, known)
        if name in FUNCTION_NAMES:
            hint: str | None = f"a function is called with parentheses: {name}(...)"
        elif name.lower() in _TRUTH:
            hint = f"write {meant}: truth is a number"
        else:
            hint = did_you_mean(name, known)
        edits = (Edit(node.start, node.end, meant),) if meant else ()
        self._report("F201", node.start, node.end, f"{name} is not defined", hint, edits)
        return NOTHING

    def _unary(self, node: Unary) -> TypeSet:
        types = self._read(node.operand)
        allowed = NEGATABLE if node.operator == "-" else DOUBLE
        if types & ~allowed:
            self._report(
                "F301",
                node.start,
                node.end,
                f"`{node.operator}` takes {describe(allowed)}, not {describe(types)}",
                type_hint(types),
            )
            return NOTHING
        return types

    def _chain(self, node: Chain) -> TypeSet:
        types = self._read(node.operands[0])
        for operator, operand, place in zip(node.operators, node.operands[1:], node.places, strict=True):
            other = self._read(operand)
            result = binary_result(operator, types, other)
            if result is None:
                comparison = operator in COMPARISONS
                self._report(
                    "F301",
                    place,
                    place + len(operator),
                    f"`{operator}` cannot {'compare' if comparison else 'join'} "
                    f"{describe(types)} with {describe(other)}",
                    type_hint(types | other) if comparison else None,
                )
                result = DOUBLE if comparison else NOTHING
            types = result
        return types

    def _logic(self, node: Logic) -> TypeSet:
        for operand in node.operands:
            types = self._read(operand)
            if types & ~DOUBLE:
                self._report(
                    "F301",
                    operand.start,
                    operand.end,
                    f"`{node.operator}` takes numbers, not {describe(types)}",
                    type_hint(types),
                )
        return DOUBLE

    def _ternary(self, node: Ternary) -> TypeSet:
        condition = self._read(node.condition)
        if condition & ~DOUBLE:
            self._report(
                "F302",
                node.condition.start,
                node.condition.end,
                f"the condition must be a number, not {describe(condition)}",
                type_hint(condition),
            )
        types = self._read(node.then) | self._read(node.otherwise)
        if types & OPTION and types != OPTION:
            self._report(
                "F307",
                node.start,
                node.end,
                "only one branch is a node deallocation option",
                f"make both branches one of {', '.join(OPTIONS)}",
            )
            return NOTHING
        return types

    def _method(self, node: MethodCall) -> TypeSet:
        receiver = bare(node.receiver)
        if not (isinstance(receiver, Name) and receiver.name in METRICS):
            # An undefined name was reported as such.
            undefined = isinstance(receiver, Name) and receiver.name not in self._variables
            if self._read(node.receiver) != NOTHING or not undefined:
                self._not_a_metric(node, receiver)
            return NOTHING
        return method_types(node, self._arguments(node.arguments), self._report)

    def _not_a_metric(self, node: MethodCall, receiver: Expression) -> None:
        types = self._read(node.receiver)
        shown = receiver.name if isinstance(receiver, Name) else f"a value of type {describe(types)}"
        hint: str | None = None
        edits: tuple[Edit, ...] = ()
        if types == VECTOR and node.method.lower() in LIST_FUNCTIONS and not node.arguments:
            hint = f"write {node.method.lower()}(...) around it"
            edits = (
                Edit(node.start, node.start, f"{node.method.lower()}("),
                Edit(node.receiver.end, node.end, ")"),
            )
        elif types & VECTOR and node.method.lower() in FUNCTION_NAMES:
            hint = f"write {node.method.lower()}(...) around it"
        elif types == TIMESTAMP and node.method in MEMBERS and not node.arguments:
            hint = f"{node.method} is written without parentheses"
            edits = (Edit(node.parenthesis, node.end, ""),)
        elif types & VECTOR:
            hint = "vectors go into functions: avg(...), max(...), sum(...)"
        elif isinstance(receiver, Name) and receiver.name in TARGETS:
            hint = "targets have no samples; use $PendingTasks or another metric"
        self._report(
            "F308",
            node.name_start,
            node.name_start + len(node.method),
            f"{shown} has no methods; only metrics such as $PendingTasks have",
            hint,
            edits,
        )

    def _member(self, node: Member) -> TypeSet:
        start, end = node.name_start, node.name_start + len(node.member)
        types = self._read(node.receiver)
        if node.member in METHODS:
            receiver = bare(node.receiver)
            complete = isinstance(receiver, Name) and receiver.name in METRICS and () in METHODS[node.member].overloads
            edits = (Edit(end, end, "()"),) if complete else ()
            self._report("F204", start, end, f"{node.member} is a method", f"write {node.member}(...)", edits)
            return NOTHING
        if types & ~TIMESTAMP:
            self._report("F311", start, end, f"{describe(types)} has no members; only timestamps have")
            return NOTHING
        if node.member not in MEMBERS:
            hint = did_you_mean(node.member, MEMBERS) or f"the members are {', '.join(MEMBERS)}"
            meant = certain(node.member, MEMBERS)
            edits = (Edit(start, end, meant),) if meant else ()
            self._report("F204", start, end, f"a timestamp has no {node.member}", hint, edits)
        return DOUBLE
