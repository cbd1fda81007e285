"""Turns the parser's reductions into syntax nodes. Stateless, so that one parser serves every thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .syntax import (
    MAX_DEPTH,
    Assignment,
    BareExpression,
    Call,
    Chain,
    Expression,
    Group,
    Logic,
    Member,
    MethodCall,
    Name,
    Number,
    Statement,
    String,
    Ternary,
    Unary,
)

# What a reduction hands over: nodes and tokens, as the grammar orders them.
Children = list[Any]


class NestedTooDeep(Exception):
    """Nesting over `MAX_DEPTH`; stops the parse of this statement before the tree grows further."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self.start = start
        self.end = end


def _depth(start: int, end: int, *parts: Expression) -> int:
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > MAX_DEPTH:
        raise NestedTooDeep(start, end)
    return depth


def _widest(parts: Sequence[Expression]) -> int:
    """The depth of an operator chain: chains add none of their own, `1+1+1` is not nested."""
    return max(part.depth for part in parts)


class TreeBuilder:
    """One method per grammar rule or alias; the parser calls them bottom-up."""

    def start(self, children: Children) -> tuple[Statement, ...]:
        return tuple(children)

    def assignment(self, children: Children) -> Assignment:
        name, _, value = children
        return Assignment(name.text, value, name.start, value.end)

    def bare_expression(self, children: Children) -> BareExpression:
        (value,) = children
        return BareExpression(value, value.start, value.end)

    def ternary(self, children: Children) -> Ternary:
        condition, then, otherwise = children
        start, end = condition.start, otherwise.end
        return Ternary(condition, then, otherwise, start, end, _depth(start, end, condition, then, otherwise))

    def disjunction(self, children: Children) -> Logic:
        return self._logic("||", children)

    def conjunction(self, children: Children) -> Logic:
        return self._logic("&&", children)

    def _logic(self, operator: str, children: Children) -> Logic:
        start, end = children[0].start, children[-1].end
        return Logic(operator, tuple(children), start, end, _widest(children))

    def chain(self, children: Children) -> Chain:
        operands, operators = tuple(children[::2]), children[1::2]
        start, end = operands[0].start, operands[-1].end
        return Chain(
            operands,
            tuple(operator.text for operator in operators),
            tuple(operator.start for operator in operators),
            start,
            end,
            _widest(children[::2]),
        )

    def negated(self, children: Children) -> Unary:
        operator, operand = children
        start = operator.start
        return Unary(operator.text, operand, start, operand.end, _depth(start, operand.end, operand))

    def member(self, children: Children) -> Member:
        receiver, name = children
        end = name.end
        return Member(
            receiver, name.text, name.start, receiver.start, end, _depth(receiver.start, end, receiver)
        )

    def method_call(self, children: Children) -> MethodCall:
        receiver, name, parenthesis, *arguments, closing = children
        start, end = receiver.start, closing.end
        depth = _depth(start, end, receiver, *arguments)
        return MethodCall(
            receiver, name.text, tuple(arguments), name.start, parenthesis.start, start, end, depth
        )

    def call(self, children: Children) -> Call:
        name, _, *arguments, closing = children
        start, end = name.start, closing.end
        return Call(name.text, tuple(arguments), start, end, _depth(start, end, *arguments))

    def group(self, children: Children) -> Group:
        opening, inner, closing = children
        start, end = opening.start, closing.end
        return Group(inner, start, end, _depth(start, end, inner))

    def number(self, children: Children) -> Number:
        (token,) = children
        return Number(float(token.text), token.start, token.end)

    def string(self, children: Children) -> String:
        (token,) = children
        return String(token.text[1:-1], token.start, token.end)

    def name(self, children: Children) -> Name:
        (token,) = children
        return Name(token.text, token.start, token.end)
