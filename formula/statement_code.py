"""Python for assignments: lines, with branches of lines where the whole value is a `?:`."""

from __future__ import annotations

from collections.abc import Mapping

from .expression_code import ExpressionCode
from .expression_types import bare
from .generated_code import Code, CodeWriter
from .scope import Scope
from .syntax import Assignment, Expression, Ternary
from .value_types import TypeSet, is_single

# Branches in branches that become lines; Python limits how deep those may stand.
_MOST_NESTED = 8


class StatementCode:
    """Writes assignments into the block of the scope. A `?:` that is all of a value becomes two branches of lines, so
    that each can look up its own windows of samples.
    """

    def __init__(self, types: Mapping[int, TypeSet], scope: Scope, writer: CodeWriter, observed: bool) -> None:
        self.expressions = ExpressionCode(types, scope, writer, observed)
        self._types = types
        self._scope = scope
        self._nested = 0 if observed else _MOST_NESTED

    def assign(self, statement: Assignment) -> str:
        """The local name that gets the value."""
        local_name = self._scope.local(statement.name)
        marked = not is_single(self._types[id(statement.value)])
        self._scope.assign(statement.name, self._value(statement.value, local_name, marked, self._nested))
        return local_name

    def _value(self, expression: Expression, into: str, marked: bool, nested: int) -> Code:
        node = bare(expression)
        if isinstance(node, Ternary) and nested:
            return self._branches(node, into, marked, nested - 1)
        code = self.expressions.code(expression)
        if marked:
            code = self.expressions.marked(code, self._types[id(expression)])
        self._scope.block.lines.append(f"{into} = {code.text}")
        return code

    def _branches(self, node: Ternary, into: str, marked: bool, nested: int) -> Code:
        scope = self._scope
        condition = self.expressions.condition(node.condition)
        outer, blocks, codes = scope.block, [], []
        for branch, holds in ((node.then, True), (node.otherwise, False)):
            scope.block = outer.inner()
            scope.block.met |= self.expressions.met(node.condition, holds)
            codes.append(self._value(branch, into, marked, nested))
            blocks.append(scope.block)
        scope.block = outer
        outer.add_branches(condition.text, *blocks)
        then, otherwise = codes
        return Code(into, sure=then.sure and otherwise.sure, boolean=then.boolean and otherwise.boolean)
