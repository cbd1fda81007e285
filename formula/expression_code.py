"""Python for every expression. One method per kind of node; the parts are compiled before the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite
from typing import assert_never

from . import dynamic
from .builtins_table import MEMBERS
from .call_code import CallCode
from .expression_types import bare
from .faults import Fault
from .generated_code import NO_READS, Code, CodeWriter, WindowKey, local, number, placed
from .operators import COMPARISONS, MIRRORED, OPERATORS, binary_result
from .scope import Scope
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
    children,
)
from .value_types import DOUBLE, INTERVAL, NOTHING, TIMESTAMP, TimeInterval, Timestamp, TypeSet, is_single
from .variables import DEALLOCATION_OPTION, DEFAULT_OPTION, INTERVALS, METRICS, OPTIONS, TARGETS, assigned_target
from .vectors import ARITHMETIC, elementwise

# Longer chains are computed in steps, because every operator nests Python's own tree once more.
_CHAIN_STEP = 16
# What says, by holding or not, that the left side is at least the right one.
_AT_LEAST = {True: (">", ">="), False: ("<", "<=")}


class ExpressionCode:
    """Compiles expressions without errors; `types` are the checker's.

    `observed`: every value goes through `probe(number of the node, value)`, a parameter of the generated function, and
    nothing is computed in a shorter way that a probe would not see.
    """

    def __init__(
        self, types: Mapping[int, TypeSet], scope: Scope, writer: CodeWriter, observed: bool = False
    ) -> None:
        self._types = types
        self._scope = scope
        self._writer = writer
        self._codes: dict[int, Code] = {}
        self._calls = CallCode(types, scope, writer, self._codes, observed)
        self._observed = observed
        #: The nodes that probes tell of, by their number.
        self.nodes: list[Expression] = []

    @property
    def metrics(self) -> Mapping[int, str]:
        return self._calls.metrics

    def code(self, expression: Expression) -> Code:
        """The code of an expression whose value is surely computed."""
        for node, lazy in self._order(expression):
            self._scope.lazy = lazy
            code = self._compile(node)
            self._codes[id(node)] = self._probed(node, code) if self._observed else code
        self._scope.lazy = False
        return self._codes[id(expression)]

    def _order(self, expression: Expression) -> Iterator[tuple[Expression, bool]]:
        """Every node that needs code, parts before wholes, and whether it may stay without being computed."""
        order: list[tuple[Expression, bool]] = []
        stack = [(expression, False)]
        while stack:
            item = node, lazy = stack.pop()
            order.append(item)
            match node:
                case Number() | Name() | String():
                    pass
                case Ternary(condition=condition, then=then, otherwise=otherwise):
                    stack += (condition, lazy), (then, True), (otherwise, True)
                case Logic(operands=(first, *others)):
                    stack.append((first, lazy))
                    stack += [(other, True) for other in others]
                case MethodCall(arguments=arguments):
                    # The receiver is no value.
                    stack += [(argument, lazy) for argument in arguments]
                case Call() if not self._observed:
                    # Functions have shorter ways to work on samples than by the vector of them.
                    for argument in node.arguments:
                        inner = bare(argument)
                        parts = inner.arguments if isinstance(inner, MethodCall) else (argument,)
                        stack += [(part, lazy) for part in parts]
                case _:
                    stack += [(part, lazy) for part in children(node)]
        return reversed(order)

    def _probed(self, node: Expression, code: Code) -> Code:
        if isinstance(node, Number | String | Group):
            return code
        self.nodes.append(node)
        return self._writer.call("probe", [Code(str(len(self.nodes) - 1)), code]).reading("probe")

    def _compile(self, node: Expression) -> Code:
        match node:
            case Number(value=value):
                return number(value)
            case String(value=value):
                return self._writer.constant(value)
            case Name(name=name):
                return self._name(name)
            case Group(inner=inner):
                return self._codes[id(inner)]
            case Unary():
                return self._unary(node)
            case Chain():
                return self._chain(node)
            case Logic():
                return self._logic(node)
            case Ternary():
                return self._ternary(node)
            case Call():
                return self._calls.function(node)
            case MethodCall():
                return self._calls.method(node)
            case Member():
                return self._member(node)
            case _:
                assert_never(node)

    def _name(self, name: str) -> Code:
        variables = self._scope.variables
        if name in variables:
            return variables[name]
        if name in TARGETS:
            target = TARGETS[name]
            assigned = assigned_target(variables, target.full_name)
            return self._scope.pool_value(target.field) if assigned is None else variables[assigned]
        if name in INTERVALS:
            return number(INTERVALS[name])
        if name in OPTIONS:
            return self._writer.constant(name)
        if name == DEALLOCATION_OPTION:
            return self._writer.constant(DEFAULT_OPTION)
        pool_field = METRICS[name].field
        if pool_field is not None:
            return self._scope.pool_value(pool_field)
        return self._calls.newest(name)

    def condition(self, expression: Expression) -> Code:
        """Code for the truth of an expression that is surely computed."""
        self.code(expression)
        return self.truth(expression)

    def met(self, condition: Expression, holds: bool) -> dict[WindowKey, float]:
        """The percentage that a window has at least where the compiled condition holds, or does not."""
        node = bare(condition)
        if not (isinstance(node, Chain) and len(node.operators) == 1):
            return {}
        operator = node.operators[0]
        percent, bound = (self._codes[id(operand)] for operand in node.operands)
        if percent.constant is not None:
            operator, percent, bound = MIRRORED.get(operator, ""), bound, percent
        if percent.percent_of is None or bound.constant is None or operator not in _AT_LEAST[holds]:
            return {}
        return {percent.percent_of: bound.constant}

    def truth(self, node: Expression) -> Code:
        """Code whose Python truth is that of the value; NaN, neither true nor false, stops the evaluation."""
        code = self._codes[id(node)]
        if code.sure:
            return code
        undecided = f"{self._writer.helper('undecided', _undecided)}({node.start})"
        if code.is_atom:
            return self._writer.join(f"({{0}} if {{0}} == {{0}} else {undecided})", code, sure=True)
        local = self._writer.temporary()
        return self._writer.join(
            f"({local} if ({local} := {{0}}) == {local} else {undecided})", code, sure=True
        )

    def _logic(self, node: Logic) -> Code:
        operands = [self.truth(operand) for operand in node.operands]
        word = " or " if node.operator == "||" else " and "
        template = "(" + word.join(f"{{{index}}}" for index in range(len(operands))) + ")"
        # Python hands on the last operand; the language says 1 or 0.
        if not all(operand.boolean for operand in operands):
            template = f"(not not {template})"
        return self._writer.join(template, *operands, boolean=True)

    def _unary(self, node: Unary) -> Code:
        if node.operator == "!":
            return self._writer.join("(not {0})", self.truth(node.operand), boolean=True)
        operand = self._codes[id(node.operand)]
        if operand.constant is not None:
            return number(-operand.constant)
        if is_single(self._types[id(node.operand)]):
            return self._writer.join("(-{0})", operand, sure=operand.sure)
        return self._writer.call(self._writer.helper("negate", dynamic.negate), [operand])

    def _chain(self, node: Chain) -> Code:
        result = self._codes[id(node.operands[0])]
        types = self._types[id(node.operands[0])]
        long = len(node.operators) > _CHAIN_STEP
        steps: list[str] = []
        reads = NO_READS
        for index, operator in enumerate(node.operators):
            operand = node.operands[index + 1]
            other = self._types[id(operand)]
            result = self._binary(operator, result, types, operand, node.places[index])
            # The checker let it pass, so there is a row; after stop() it does not matter.
            types = binary_result(operator, types, other) or NOTHING
            if long and (index + 1) % _CHAIN_STEP == 0:
                result = self._writer.shallow(result)
                reads |= result.reads - {"acc"}
                steps.append(f"acc = {result.text}")
                result = Code("acc", frozenset(("acc",)), 0, result.sure, result.boolean)
        if not long:
            return result
        result = self._writer.shallow(result)
        whole = replace(result, reads=(reads | result.reads) - {"acc"})
        return self._writer.outline([*steps, f"return {result.text}"], whole)

    def _binary(self, operator: str, left: Code, types: TypeSet, operand: Expression, place: int) -> Code:
        right, other = self._codes[id(operand)], self._types[id(operand)]
        boolean = operator in COMPARISONS
        row = OPERATORS.get((operator, types, other))
        if row is not None and row.template is not None:
            folded = _folded(operator, left.constant, right.constant)
            if folded is not None:
                return number(folded)
            template = row.template.format(a="{0}", b="{1}")
            if operator == "/":
                template = placed(template, operator, place)
            return self._writer.join(template, left, right, boolean=boolean)
        symbol = self._writer.constant(operator)
        if row is not None:
            return self._writer.call(
                self._writer.helper("elementwise", elementwise), [symbol, left, right], str(place)
            )
        operands = [symbol, self.marked(left, types), self.marked(right, other)]
        return self._writer.call(self._writer.helper("binary", dynamic.binary), operands, str(place), boolean)

    def _ternary(self, node: Ternary) -> Code:
        types = self._types[id(node)]
        branches = []
        sure = types == DOUBLE
        for branch in (node.then, node.otherwise):
            code = self._codes[id(branch)]
            sure = sure and code.sure
            if types and not is_single(types):
                code = self.marked(code, self._types[id(branch)])
            branches.append(code)
        return self._writer.join("({1} if {0} else {2})", self.truth(node.condition), *branches, sure=sure)

    def marked(self, code: Code, types: TypeSet) -> Code:
        """A value whose kind will only be known at run time carries it."""
        if types == TIMESTAMP:
            return self._writer.call(self._writer.helper("timestamp", Timestamp), [code])
        if types == INTERVAL:
            return self._writer.call(self._writer.helper("interval", TimeInterval), [code])
        return code

    def _member(self, node: Member) -> Code:
        member = MEMBERS[node.member]
        receiver = self._codes[id(node.receiver)]
        if isinstance(member.how, str):
            if receiver.is_atom and not self._observed:
                known = self._scope.known((member.name, receiver.text), member.name, member.how.format(a=receiver.text))
                if known:
                    return local(known)
            return self._writer.join(member.how.format(a="{0}"), receiver)
        return self._writer.call(self._writer.helper(member.name, member.how), [receiver])


def _folded(operator: str, left: float | None, right: float | None) -> float | None:
    """The value of an operation on constants, None if it is to be found out at run time."""
    if left is None or right is None or operator not in ARITHMETIC or (operator == "/" and right == 0):
        return None
    value = ARITHMETIC[operator](left, right)
    return value if isfinite(value) else None


def _undecided(at: int) -> float:
    raise Fault("a condition is NaN, which is neither true nor false", at)
