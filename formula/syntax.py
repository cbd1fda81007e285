"""The tree of a formula. Frozen; every node knows its offsets, which do not count in comparisons.

Operator chains of one level are flat (`a + b - c` is one node), so that only real nesting makes a tree deep,
and the passes walk it with `postorder` instead of recursion: no text can meet Python's recursion limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

#: Nesting (parentheses, arguments, unary operators, branches) over this is refused (F102).
MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class String:
    value: str
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A parenthesised expression."""

    inner: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one level, `* /`, `+ -` or the comparisons, applied from left to right."""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]
    places: tuple[int, ...] = field(compare=False)  # offset of each operator
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """`a && b && c` or `a || b || c`: lazy from left to right."""

    operator: str
    operands: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Ternary:
    condition: Expression
    then: Expression
    otherwise: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Expression, ...]
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class MethodCall:
    receiver: Expression
    method: str
    arguments: tuple[Expression, ...]
    name_start: int = field(compare=False)
    parenthesis: int = field(compare=False)  # offset of the `(`, where the service reports missing samples
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    receiver: Expression
    member: str
    name_start: int = field(compare=False)
    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(compare=False)


Expression: TypeAlias = (
    Number | String | Name | Group | Unary | Chain | Logic | Ternary | Call | MethodCall | Member
)


@dataclass(frozen=True, slots=True)
class Assignment:
    name: str
    value: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)

    @property
    def name_end(self) -> int:
        return self.start + len(self.name)


@dataclass(frozen=True, slots=True)
class BareExpression:
    value: Expression
    start: int = field(compare=False)
    end: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A statement with a syntax error. `name` is the variable that it would have assigned."""

    name: str | None
    start: int = field(compare=False)
    end: int = field(compare=False)


Statement: TypeAlias = Assignment | BareExpression | Unparsed


def children(node: Expression) -> tuple[Expression, ...]:
    """The direct parts of an expression, in the order of the text."""
    match node:
        case Group(inner=inner):
            return (inner,)
        case Unary(operand=operand):
            return (operand,)
        case Chain(operands=operands) | Logic(operands=operands):
            return operands
        case Ternary():
            return (node.condition, node.then, node.otherwise)
        case Call(arguments=arguments):
            return arguments
        case MethodCall():
            return (node.receiver, *node.arguments)
        case Member(receiver=receiver):
            return (receiver,)
        case _:
            return ()


def postorder(root: Expression) -> Iterator[Expression]:
    """Every node of an expression, parts before wholes, without recursion."""
    order: list[Expression] = []
    stack = [root]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(children(node))
    return reversed(order)
