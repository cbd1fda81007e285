"""What rules want to know of a program: where a name got its value, what is constant, and what guards what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..checker import CheckedProgram
from ..expression_types import bare
from ..syntax import (
    Assignment,
    BareExpression,
    Chain,
    Expression,
    Logic,
    MethodCall,
    Name,
    Number,
    Ternary,
    Unary,
    children,
    postorder,
)
from ..value_types import DOUBLE, NOTHING, TypeSet
from ..variables import INTERVALS, METRICS


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that holds, or does not, wherever the guarded expression is computed; `outer` guards it too."""

    condition: Expression
    holds: bool
    outer: Guard | None


_FOLD: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


@dataclass(frozen=True, slots=True)
class SampleCall:
    """`$Metric.GetSample(...)` or `$Metric.GetSamplePercent(...)` with what is known of its arguments.

    `metric`: the current name. `count`: of the count form. `far`, `near`: look-backs in seconds of the interval form,
    None where they are not constant. `percent`: the third argument, None if it is not given.
    """

    node: MethodCall
    metric: str
    is_count: bool
    count: float | None
    far: float | None
    near: float | None
    percent: Expression | None


class Facts:
    """Facts about one program, each found when first asked for. Keys are identities of nodes: `id(node)`."""

    def __init__(self, checked: CheckedProgram) -> None:
        self.checked = checked
        self.source = checked.source

    def types(self, node: Expression) -> TypeSet:
        return self.checked.types.get(id(node), NOTHING)

    @cached_property
    def statements(self) -> tuple[Assignment | BareExpression, ...]:
        """The statements that parsed."""
        parsed = (item.statement for item in self.checked.statements)
        return tuple(statement for statement in parsed if isinstance(statement, Assignment | BareExpression))

    @cached_property
    def final(self) -> dict[str, Assignment]:
        """The last assignment of every name."""
        return {statement.name: statement for statement in self.statements if isinstance(statement, Assignment)}

    @cached_property
    def definitions(self) -> dict[int, Assignment]:
        """For every name that is read: the assignment that it got its value from; none for what the service gives."""
        found: dict[int, Assignment] = {}
        current: dict[str, Assignment] = {}
        for statement in self.statements:
            for node in postorder(statement.value):
                if isinstance(node, Name) and node.name in current:
                    found[id(node)] = current[node.name]
            if isinstance(statement, Assignment):
                current[statement.name] = statement
        return found

    def resolve(self, node: Expression) -> Expression:
        """The expression without parentheses, and behind names the expression that they were assigned."""
        node = bare(node)
        while isinstance(node, Name) and id(node) in self.definitions:
            node = bare(self.definitions[id(node)].value)
        return node

    def nodes(self) -> Iterator[Expression]:
        """Every expression, statement by statement, parts before wholes."""
        for statement in self.statements:
            yield from postorder(statement.value)

    def constant(self, node: Expression) -> float | None:
        """The value of a double or an interval (in seconds) that is the same in every evaluation."""
        return self._constants.get(id(node))

    @cached_property
    def _constants(self) -> dict[int, float]:
        values: dict[int, float] = {}
        for node in self.nodes():
            value = self._fold(node, values)
            if value is not None:
                values[id(node)] = value
        return values

    def _fold(self, node: Expression, values: dict[int, float]) -> float | None:
        match node:
            case Number(value=value):
                return value
            case Name(name=name):
                if id(node) in self.definitions:
                    return values.get(id(self.definitions[id(node)].value))
                return INTERVALS.get(name)
            case Unary(operator="-", operand=operand):
                folded = values.get(id(operand))
                return None if folded is None else -folded
            case Chain():
                return self._fold_chain(node, values)
            case _:
                inner = bare(node)
                return values.get(id(inner)) if inner is not node else None

    def _fold_chain(self, node: Chain, values: dict[int, float]) -> float | None:
        result, *others = [values.get(id(operand)) for operand in node.operands]
        for operator, other in zip(node.operators, others, strict=True):
            if result is None or other is None or operator not in _FOLD:
                return None
            if operator == "/" and other == 0:
                return None
            result = _FOLD[operator](result, other)
        return result

    def guards(self, node: Expression) -> Iterator[Guard]:
        """The conditions under which an expression is computed, innermost first."""
        guard = self._guards.get(id(node))
        while guard is not None:
            yield guard
            guard = guard.outer

    @cached_property
    def _guards(self) -> dict[int, Guard]:
        found: dict[int, Guard] = {}
        stack: list[tuple[Expression, Guard | None]] = [(statement.value, None) for statement in self.statements]
        while stack:
            node, guard = stack.pop()
            if guard is not None:
                found[id(node)] = guard
            match node:
                case Ternary():
                    stack.append((node.condition, guard))
                    stack.append((node.then, Guard(node.condition, True, guard)))
                    stack.append((node.otherwise, Guard(node.condition, False, guard)))
                case Logic():
                    for operand in node.operands:
                        stack.append((operand, guard))
                        guard = Guard(operand, node.operator == "&&", guard)
                case _:
                    stack.extend((child, guard) for child in children(node))
        return found

    @cached_property
    def sample_calls(self) -> tuple[SampleCall, ...]:
        """Every GetSample and GetSamplePercent with arguments that the checker let pass, in the order of the text."""
        calls = (self._sample_call(node) for node in self.nodes() if isinstance(node, MethodCall))
        return tuple(sorted((call for call in calls if call is not None), key=lambda call: call.node.start))

    def _sample_call(self, node: MethodCall) -> SampleCall | None:
        receiver = bare(node.receiver)
        if node.method not in ("GetSample", "GetSamplePercent") or not node.arguments:
            return None
        if not isinstance(receiver, Name) or receiver.name not in METRICS:
            return None
        metric = METRICS[receiver.name].series or receiver.name
        edges, percent = node.arguments, None
        if self.types(edges[0]) == DOUBLE:
            return SampleCall(node, metric, True, self.constant(edges[0]), None, None, None)
        if len(edges) > 1 and self.types(edges[-1]) == DOUBLE:
            edges, percent = edges[:-1], edges[-1]
        looks = [self.constant(edge) for edge in edges] + ([0.0] if len(edges) == 1 else [])
        far, near = looks[:2]
        if far is not None and near is not None and far < near:
            far, near = near, far
        return SampleCall(node, metric, False, None, far, near, percent)
