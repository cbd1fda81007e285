"""Python for every expression. One method per kind of node; the parts are compiled before the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from . import dynamic, sampling
from .builtins_table import MEMBERS
from .call_code import CallCode
from .faults import Fault
from .generated_code import NO_READS, Code, CodeWriter
from .operators import COMPARISONS, OPERATORS, binary_result
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
    postorder,
)
from .value_types import DOUBLE, INTERVAL, NOTHING, TIMESTAMP, TimeInterval, Timestamp, TypeSet, is_single
from .variables import DEALLOCATION_OPTION, DEFAULT_OPTION, INTERVALS, METRICS, OPTIONS, TARGETS, PoolField
from .vectors import elementwise

# Longer chains are computed in steps, because every operator nests Python's own tree once more.
_CHAIN_STEP = 16


@dataclass(slots=True)
class Scope:
    """The names of generated code, and what the formula reads from outside."""

    variables: dict[str, Code] = field(default_factory=dict)
    pool: dict[PoolField, str] = field(default_factory=dict)
    series: dict[str, str] = field(default_factory=dict)
    uses_rand: bool = False

    def assign(self, name: str, value: Code) -> str:
        """The local name of a variable that gets this value."""
        known = self.variables.get(name)
        local = known.text if known else f"v{len(self.variables)}"
        self.variables[name] = Code(local, frozenset((local,)), 0, value.sure, value.boolean)
        return local

    def pool_value(self, pool_field: PoolField) -> Code:
        local = self.pool.setdefault(pool_field, f"p{len(self.pool)}")
        return Code(local, frozenset((local,)))

    def metric(self, name: str) -> Code:
        local = self.series.setdefault(METRICS[name].series or name, f"s{len(self.series)}")
        return Code(local, frozenset((local,)))


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
        for node in postorder(expression):
            code = self._compile(node)
            self._codes[id(node)] = self._probed(node, code) if self._observed else code
        return self._codes[id(expression)]

    def _probed(self, node: Expression, code: Code) -> Code:
        if isinstance(node, Number | String | Group):
            return code
        self.nodes.append(node)
        return self._writer.call("probe", [Code(str(len(self.nodes) - 1)), code]).reading("probe")

    def _compile(self, node: Expression) -> Code:
        match node:
            case Number(value=value):
                return Code(repr(value), sure=True)
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
            # An alias reads what was assigned under either name, the full name first.
            for other in (target.full_name, *TARGETS):
                if TARGETS[other].full_name == target.full_name and other in variables:
                    return variables[other]
            return self._scope.pool_value(target.field)
        if name in INTERVALS:
            return Code(repr(INTERVALS[name]))
        if name in OPTIONS:
            return self._writer.constant(name)
        if name == DEALLOCATION_OPTION:
            return self._writer.constant(DEFAULT_OPTION)
        pool_field = METRICS[name].field
        if pool_field is not None:
            return self._scope.pool_value(pool_field)
        return self._writer.call(self._writer.helper("latest", sampling.latest), [self._scope.metric(name)])

    def _truth(self, node: Expression) -> Code:
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
        operands = [self._truth(operand) for operand in node.operands]
        word = " or " if node.operator == "||" else " and "
        template = "(" + word.join(f"{{{index}}}" for index in range(len(operands))) + ")"
        # Python hands on the last operand; the language says 1 or 0.
        if not all(operand.boolean for operand in operands):
            template = f"(not not {template})"
        return self._writer.join(template, *operands, boolean=True)

    def _unary(self, node: Unary) -> Code:
        if node.operator == "!":
            return self._writer.join("(not {0})", self._truth(node.operand), boolean=True)
        operand = self._codes[id(node.operand)]
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
            return self._writer.join(row.template.format(a="{0}", b="{1}"), left, right, boolean=boolean)
        symbol = self._writer.constant(operator)
        if row is not None:
            return self._writer.call(
                self._writer.helper("elementwise", elementwise), [symbol, left, right], str(place)
            )
        operands = [symbol, self._marked(left, types), self._marked(right, other)]
        return self._writer.call(self._writer.helper("binary", dynamic.binary), operands, str(place), boolean)

    def _ternary(self, node: Ternary) -> Code:
        types = self._types[id(node)]
        branches = []
        sure = types == DOUBLE
        for branch in (node.then, node.otherwise):
            code = self._codes[id(branch)]
            sure = sure and code.sure
            if types and not is_single(types):
                code = self._marked(code, self._types[id(branch)])
            branches.append(code)
        return self._writer.join("({1} if {0} else {2})", self._truth(node.condition), *branches, sure=sure)

    def _marked(self, code: Code, types: TypeSet) -> Code:
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
            return self._writer.join(member.how.format(a="{0}"), receiver)
        return self._writer.call(self._writer.helper(member.name, member.how), [receiver])


def _undecided(at: int) -> float:
    raise Fault("a condition is NaN, which is neither true nor false", at)
