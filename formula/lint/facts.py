"""What rules want to know of a program: where a name got its value, what is constant, and what guards what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

from ..checker import CheckedProgram
from ..expression_types import bare
from ..ranges import Numbering, Range, Ranges, TargetRange, Trials, analyse, number_program, ranges_of_targets
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
from ..variables import INTERVALS, METRICS, series_name
from ..vectors import ARITHMETIC
from .sources import Sources, find_sources


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that holds, or does not, wherever the guarded expression is computed; `outer` guards it too."""

    condition: Expression
    holds: bool
    outer: Guard | None


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
    """Facts about one program, each found when first asked for. Keys are identities of nodes: `id(node)`.

    `unknown` and `now` as in `lint`.
    """

    def __init__(
        self, checked: CheckedProgram, *, unknown: frozenset[int] = frozenset(), now: float | None = None
    ) -> None:
        self.checked = checked
        self.source = checked.source
        self.unknown = unknown
        self.now = now

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
    def numbering(self) -> Numbering:
        return number_program(self.checked, self.unknown)

    @property
    def definitions(self) -> dict[int, Assignment]:
        """For every name that is read: the assignment that it got its value from; none for what the service gives."""
        return self.numbering.definitions

    @property
    def values(self) -> dict[int, int]:
        """Equal numbers for expressions that have the same value in every evaluation."""
        return self.numbering.numbers

    @cached_property
    def is_whole(self) -> bool:
        """Did everything parse? Else nothing can be said of what is missing."""
        return len(self.statements) == len(self.checked.statements) and not self._has_error("F1")

    @cached_property
    def is_sound(self) -> bool:
        """Has the formula no errors? Else no rule should say what its evaluation gives."""
        return not self._has_error("F")

    def _has_error(self, code: str) -> bool:
        return any(found.is_error and found.code.startswith(code) for found in self.checked.diagnostics)

    @cached_property
    def ranges(self) -> Ranges:
        """What every expression can be, in any pool and on any history."""
        return analyse(self.checked, self.numbering)

    def range(self, node: Expression) -> Range:
        return self.ranges.of(node)

    def truth(self, node: Expression) -> bool | None:
        """A condition that is always true or always false where it is computed; None if neither is proved."""
        found = self.range(node)
        return None if found.impossible else found.truth

    @cached_property
    def trials(self) -> Trials:
        """Only of a formula without errors."""
        return Trials(self.checked)

    @cached_property
    def targets(self) -> dict[str, TargetRange]:
        """What is proved of the targets, by their full names; nothing of a formula with errors."""
        if not self.is_sound:
            return {}
        return ranges_of_targets(self.checked, self.numbering, self.trials, self.ranges)

    @cached_property
    def sources(self) -> Sources:
        return find_sources(self.checked, self.numbering)

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
        """The value of a double or an interval (in seconds) that is the same in every evaluation; never infinite."""
        return self._constants.get(id(node))

    @cached_property
    def _constants(self) -> dict[int, float]:
        values: dict[int, float] = {}
        for node in self.nodes():
            value = self._fold(node, values)
            if value is not None and isfinite(value):
                values[id(node)] = value
        return values

    def _fold(self, node: Expression, values: dict[int, float]) -> float | None:
        match node:
            case Number(value=value):
                return None if node.start in self.unknown else value
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
            if result is None or other is None or operator not in ARITHMETIC:
                return None
            if operator == "/" and other == 0:
                return None
            result = ARITHMETIC[operator](result, other)
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
        metric = series_name(receiver.name)
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
