"""Interval analysis: what every expression of a program can be, by a walk without recursion.

Branches are looked at under their conditions; a name is what its assignment gave it, narrowed by what the conditions
around it say. The language has no loops, so one walk is enough, and nothing is lost but what relates two values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..checker import CheckedProgram
from ..operators import COMPARISONS
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
    String,
    Ternary,
    Unary,
    Unparsed,
    children,
)
from ..value_types import NOTHING, TypeSet
from ..variables import TARGETS
from .calls import function_range, member_range, method_range
from .conditions import Knowledge
from .numbering import Numbering, number_program
from .value_range import (
    ANY_NUMBER,
    ANYTHING,
    ARITHMETIC,
    BOOLEAN,
    FALSE,
    IMPOSSIBLE,
    TRUE,
    Range,
    compare,
    exactly,
    intersection,
    negated,
    union,
)
from .world import ANY_WORLD, World


@dataclass(frozen=True, slots=True)
class _Finish:
    node: Expression


@dataclass(frozen=True, slots=True)
class _Enter:
    condition: Expression
    holds: bool


@dataclass(frozen=True, slots=True)
class _Leave:
    pass


_Step: TypeAlias = Expression | _Finish | _Enter | _Leave


@dataclass(frozen=True)
class Ranges:
    """`expressions`: by the identity of the node; what is never computed has an impossible range.

    `targets`: what each target, by its full name, is set to; those that are never assigned are missing.
    `kept`: the targets that an evaluation may leave as they were, because of stop().
    """

    expressions: Mapping[int, Range]
    targets: Mapping[str, Range]
    kept: frozenset[str] = field(default=frozenset())

    def of(self, node: Expression) -> Range:
        return self.expressions.get(id(node), ANYTHING)


def analyse(checked: CheckedProgram, numbering: Numbering | None = None, world: World = ANY_WORLD) -> Ranges:
    """The ranges of a program without errors; behind an error everything is possible."""
    return _Analysis(checked, numbering or number_program(checked), world).run()


class _Analysis:
    def __init__(self, checked: CheckedProgram, numbering: Numbering, world: World) -> None:
        self._checked = checked
        self._numbering = numbering
        self._world = world
        self._knowledge = Knowledge(numbering.forms)
        self._ranges: dict[int, Range] = {}
        self._assigned: dict[str, Range] = {}
        self._outcomes: list[dict[str, Range]] = []

    def run(self) -> Ranges:
        for item in self._checked.statements:
            statement = item.statement
            if isinstance(statement, Unparsed):
                continue
            self._walk(statement.value)
            value = self._ranges[id(statement.value)]
            if value.impossible and not item.errors:
                # The statement fails or stops in every evaluation.
                break
            if isinstance(statement, Assignment):
                self._assigned[statement.name] = value
        else:
            self._outcomes.append(self._assigned)
        return self._result()

    def _result(self) -> Ranges:
        targets: dict[str, Range] = {}
        kept: set[str] = set()
        full_names = {TARGETS[name].full_name for name in self._assigned if name in TARGETS}
        for full_name in full_names:
            aliases = [full_name, *(name for name in TARGETS if TARGETS[name].full_name == full_name)]
            for outcome in self._outcomes:
                name = next((name for name in aliases if name in outcome), None)
                if name is None:
                    kept.add(full_name)
                    continue
                targets[full_name] = union(targets.get(full_name, IMPOSSIBLE), outcome[name])
        return Ranges(self._ranges, targets, frozenset(kept))

    def _walk(self, root: Expression) -> None:
        stack: list[_Step] = [root]
        while stack:
            step = stack.pop()
            match step:
                case _Finish(node=node):
                    self._finish(node)
                case _Enter(condition=condition, holds=holds):
                    self._knowledge.enter(self._numbering.numbers[id(condition)], holds)
                case _Leave():
                    self._knowledge.leave()
                case Number() | String() | Name():
                    self._finish(step)
                case _:
                    stack.append(_Finish(step))
                    stack.extend(reversed(list(_steps(step))))

    def _finish(self, node: Expression) -> None:
        number = self._numbering.numbers[id(node)]
        if self._knowledge.unreachable:
            self._ranges[id(node)] = IMPOSSIBLE
            return
        computed = self._compute(node)
        if isinstance(node, Number) or (isinstance(node, Name) and id(node) not in self._numbering.definitions):
            self._knowledge.know(number, computed)
        known = self._knowledge.of(number)
        if isinstance(node, Call) and node.function == "stop":
            self._outcomes.append(dict(self._assigned))
        value = computed if known is ANYTHING else intersection(computed, known)
        if value != known and not value.impossible:
            self._knowledge.learn(number, value)
        self._ranges[id(node)] = value

    def _compute(self, node: Expression) -> Range:
        match node:
            case Number(value=value):
                return self._world.unknown if node.start in self._numbering.unknown else exactly(value)
            case String():
                return ANY_NUMBER
            case Name(name=name):
                definition = self._numbering.definitions.get(id(node))
                return self._world.value(name) if definition is None else self._ranges[id(definition.value)]
            case Group(inner=inner):
                return self._ranges[id(inner)]
            case Call() if node.function == "stop":
                return IMPOSSIBLE
            case _ if self._type(node) == NOTHING:
                return ANYTHING
            case Unary(operand=operand):
                inner_range = self._ranges[id(operand)]
                return _opposite(inner_range) if node.operator == "!" else negated(inner_range)
            case Ternary():
                return union(self._ranges[id(node.then)], self._ranges[id(node.otherwise)])
            case _:
                return self._compute_of_many(node)

    def _compute_of_many(self, node: Chain | Logic | Call | MethodCall | Member) -> Range:
        match node:
            case Chain():
                return self._chain(node)
            case Logic():
                return self._logic(node)
            case Call(arguments=arguments):
                return function_range(node, self._of(arguments))
            case MethodCall(arguments=arguments):
                kinds = [self._type(argument) for argument in arguments]
                return method_range(node, self._of(arguments), kinds, self._world)
            case Member(receiver=receiver):
                return member_range(node, self._ranges[id(receiver)])

    def _type(self, node: Expression) -> TypeSet:
        return self._checked.types.get(id(node), NOTHING)

    def _of(self, nodes: tuple[Expression, ...]) -> list[Range]:
        return [self._ranges[id(node)] for node in nodes]

    def _chain(self, node: Chain) -> Range:
        result, *others = self._of(node.operands)
        for operator, other in zip(node.operators, others, strict=True):
            if operator in COMPARISONS:
                result = compare(operator, result, other)
            else:
                result = ARITHMETIC[operator](result, other)
        return result

    def _logic(self, node: Logic) -> Range:
        """Operands behind a decisive one are unreachable, and have no say."""
        decisive = node.operator == "||"
        may_end = False
        for operand in node.operands:
            value = self._ranges[id(operand)]
            if value.impossible:
                # The operands before decide, or the evaluation ends here.
                return (TRUE if decisive else FALSE) if may_end else IMPOSSIBLE
            if value.truth is decisive:
                return TRUE if decisive else FALSE
            may_end = may_end or value.truth is None
        if not may_end:
            return FALSE if decisive else TRUE
        return BOOLEAN


def _opposite(value: Range) -> Range:
    if value.impossible:
        return IMPOSSIBLE
    return BOOLEAN if value.truth is None else FALSE if value.truth else TRUE


def _steps(node: Expression) -> Iterator[_Step]:
    """The parts of an expression in the order in which they are computed, each under its conditions."""
    match node:
        case Ternary():
            yield node.condition
            for branch, holds in ((node.then, True), (node.otherwise, False)):
                yield _Enter(node.condition, holds)
                yield branch
                yield _Leave()
        case Logic(operator=operator, operands=operands):
            for operand in operands[:-1]:
                yield operand
                yield _Enter(operand, operator == "&&")
            yield operands[-1]
            for _ in operands[:-1]:
                yield _Leave()
        case _:
            yield from children(node)
