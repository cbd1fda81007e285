"""A program without what can be computed for all runs beforehand.

What does not depend on the decisions of former runs is computed with arrays, and becomes a variable that is given.
What is left is compiled, and runs in the loop. Where the arrays meet a failure, the run is left to `Formula.evaluate`,
even if its formula would not have come to that place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from ..checker import CheckedProgram, CheckedStatement
from ..compiler import Program, compile_program
from ..expression_types import bare
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
    Ternary,
    Unary,
    Unparsed,
    children,
    postorder,
)
from ..value_types import DOUBLE, INTERVAL, TIMESTAMP, TypeSet
from ..variables import DEALLOCATION_OPTION, METRICS, TARGETS, PoolField, series_name
from .array_expressions import ArrayExpressions
from .course import FOLLOWING, Course
from .rows import Failures, Flags, Rows, Unsupported, is_array, numbers, put

_GIVEN_TYPES = (DOUBLE, TIMESTAMP, INTERVAL)
_RESULTS = frozenset((*TARGETS, DEALLOCATION_OPTION))


def _parts(node: Expression) -> tuple[Expression, ...]:
    """What is computed for the expression."""
    return node.arguments if isinstance(node, MethodCall) else children(node)


def _names(item: CheckedStatement) -> Iterator[str]:
    if not isinstance(item.statement, Unparsed):
        for node in postorder(item.statement.value):
            if isinstance(node, Name):
                yield node.name


@dataclass(frozen=True, eq=False)
class ReducedProgram:
    """`given`: the arguments of each run behind those of every program; `doubtful`: the runs to evaluate whole."""

    program: Program
    given: list[list[Any]]
    doubtful: Flags


def reduce_program(checked: CheckedProgram, program: Program, course: Course) -> ReducedProgram | None:
    """None if nothing of the program can be computed beforehand."""
    with np.errstate(all="ignore"):
        return _Reducer(checked, program, course).reduced()


class _Reducer:
    def __init__(self, checked: CheckedProgram, program: Program, course: Course) -> None:
        self._checked = checked
        self._course = course
        self._own_series = course.own_series(program)
        self._types: dict[int, TypeSet] = dict(checked.types)
        # The values of variables that do not depend on former decisions; None of those that do.
        self._variables: dict[str, Any] = {}
        self._dependent: set[str] = set()
        self._failures = Failures(len(course))
        self._arrays = ArrayExpressions(checked, course, self._variables, self._failures)
        self._fixed: dict[int, bool] = {}
        self._given: dict[str, Any] = {}
        # Statements of which the arrays know every value and every failure.
        self._covered: set[int] = set()

    def reduced(self) -> ReducedProgram | None:
        statements = []
        for item in self._checked.statements:
            if item.errors or isinstance(item.statement, Unparsed):
                statements.append(item)
                break
            statements.append(self._statement(item))
        statements = self._needed(statements)
        names = {name for item in statements for name in _names(item)}
        given = {name: value for name, value in self._given.items() if name in names}
        if not given:
            return None
        checked = replace(self._checked, statements=tuple(statements), types=self._types)
        columns = [numbers(value).tolist() for value in given.values()]
        program = compile_program(checked, given=tuple(given))
        return ReducedProgram(program, columns, self._failures.site != 0)

    def _statement(self, item: CheckedStatement) -> CheckedStatement:
        statement = cast("Assignment", item.statement)
        self._mark(statement.value)
        value = self._reduce(statement.value, None)
        if isinstance(statement, Assignment):
            self._assign(statement, value)
        return replace(item, statement=replace(statement, value=value))

    def _assign(self, statement: Assignment, value: Expression) -> None:
        name = statement.name
        found = self._given.get(value.name) if isinstance(value, Name) else None
        if found is None and self._fixed[id(statement.value)]:
            try:
                found = self._arrays.value(statement.value, None)
            except Unsupported:
                pass
        if found is None:
            self._variables.pop(name, None)
            self._dependent.add(name)
        else:
            self._variables[name] = found
            self._dependent.discard(name)
            self._covered.add(statement.start)

    def _needed(self, statements: list[CheckedStatement]) -> list[CheckedStatement]:
        """Without the variables that only served what was computed beforehand."""
        kept: list[CheckedStatement] = []
        needed = set(_RESULTS)
        for item in reversed(statements):
            statement = item.statement
            if isinstance(statement, Assignment) and statement.name not in needed and statement.start in self._covered:
                continue
            needed.update(_names(item))
            kept.append(item)
        return kept[::-1]

    def _mark(self, root: Expression) -> None:
        """Note of every part whether it is free of former decisions."""
        nodes = list(postorder(root))
        receivers = {id(bare(node.receiver)) for node in nodes if isinstance(node, MethodCall)}
        for node in nodes:
            match node:
                case Name(name=name):
                    fixed = id(node) in receivers or self._is_fixed_name(name)
                case Call(function="rand" | "stop"):
                    fixed = False
                case MethodCall():
                    fixed = series_name(cast(Name, bare(node.receiver)).name) not in self._own_series
                    fixed = fixed and all(self._fixed[id(argument)] for argument in node.arguments)
                case _:
                    fixed = all(self._fixed[id(part)] for part in _parts(node))
            self._fixed[id(node)] = fixed

    def _is_fixed_name(self, name: str) -> bool:
        if name in self._variables or name in self._dependent:
            return name in self._variables
        if name in TARGETS:
            same = [other for other in TARGETS if TARGETS[other].full_name == TARGETS[name].full_name]
            if any(other in self._variables or other in self._dependent for other in same):
                return not any(other in self._dependent for other in same)
            field: PoolField | None = TARGETS[name].field
        elif name in METRICS:
            field = METRICS[name].field
        else:
            return True
        return field is None or field not in FOLLOWING or self._course.is_recorded(field)

    def _is_at_hand(self, name: str) -> bool:
        """Does the loop have it anyway?"""
        return name in self._variables or (name in METRICS and METRICS[name].field is not None)

    def _reduce(self, node: Expression, rows: Rows) -> Expression:
        """The expression with given variables; those are computed for these rows."""
        if isinstance(node, Name) and self._is_at_hand(node.name):
            return node
        if self._fixed[id(node)] and self._types[id(node)] in _GIVEN_TYPES:
            return self._compute(node, rows)
        if isinstance(node, Ternary) and self._fixed[id(node.condition)]:
            return self._choose(node, rows)
        parts = _parts(node)
        if not parts:
            return node
        return self._with_parts(node, [self._reduce(part, rows) for part in parts])

    def _compute(self, node: Expression, rows: Rows) -> Expression:
        try:
            value = self._arrays.value(node, rows)
        except Unsupported:
            return node
        if not is_array(value):
            return node
        if rows is not None:
            value = put(value, rows, None, len(self._course))
        # No variable of a formula can have this name.
        name = f"{{{len(self._given)}}}"
        self._given[name] = value
        return self._typed(Name(name, node.start, node.end), node)

    def _choose(self, node: Ternary, rows: Rows) -> Expression:
        """The branches are computed only for the rows that take them."""
        condition = self._reduce(node.condition, rows)
        value = None
        if isinstance(condition, Name):
            value = self._given.get(condition.name, self._variables.get(condition.name))
        branches = []
        for branch, holds in ((node.then, True), (node.otherwise, False)):
            taking = rows
            if is_array(value):
                chosen = np.flatnonzero((numbers(value) != 0) == holds)
                taking = chosen if rows is None else np.intersect1d(rows, chosen)
            branches.append(self._reduce(branch, taking))
        return self._with_parts(node, [condition, *branches])

    def _with_parts(self, node: Expression, parts: list[Expression]) -> Expression:
        if all(new is old for new, old in zip(parts, _parts(node), strict=True)):
            return node
        match node:
            case Group():
                return self._typed(replace(node, inner=parts[0]), node)
            case Unary():
                return self._typed(replace(node, operand=parts[0]), node)
            case Chain() | Logic():
                return self._typed(replace(node, operands=tuple(parts)), node)
            case Ternary():
                then, otherwise = parts[1:]
                return self._typed(replace(node, condition=parts[0], then=then, otherwise=otherwise), node)
            case Call() | MethodCall():
                return self._typed(replace(node, arguments=tuple(parts)), node)
            case Member():
                return self._typed(replace(node, receiver=parts[0]), node)
            case _:
                return node

    def _typed(self, new: Expression, old: Expression) -> Expression:
        self._types[id(new)] = self._types[id(old)]
        return new
