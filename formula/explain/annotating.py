"""Expressions with their values written behind the parts: `pending (3) > 0 && hour (14) < 18`."""

from __future__ import annotations

from ..evaluation import format_value
from ..expression_types import bare
from ..syntax import Call, Expression, Member, MethodCall, Name, children
from ..value_types import TimeInterval, Timestamp, Value
from ..variables import INTERVALS, OPTIONS
from .observing import Observation
from .one_line import one_line

_MOST_ELEMENTS = 5


def short_value(value: Value) -> str:
    """A value for people: rounded, and a long vector cut."""
    if isinstance(value, str | Timestamp | TimeInterval):
        return format_value(value)
    if isinstance(value, float | int):
        return _short_number(value)
    shown = [_short_number(element) for element in value[:_MOST_ELEMENTS]]
    rest = len(value) - len(shown)
    return f"[{', '.join(shown)}{f', ... {rest} more' if rest else ''}]"


def _short_number(value: float) -> str:
    text = format_value(float(value))
    return f"{value:.6g}" if len(text) > 8 and "." in text else text


def annotated(observation: Observation, expression: Expression) -> str:
    """The text of an expression in one line, without comments and the parentheses around it, with the value of every
    part that was computed."""
    expression = bare(expression)
    text = observation.checked.source.text
    pieces, place = [], expression.start
    for node in _parts(expression):
        value = observation.value(node) if observation.was_computed(node) else None
        if value is not None:
            pieces += [text[place : node.end], f" ({short_value(value)})"]
            place = node.end
    return one_line("".join([*pieces, text[place : expression.end]]))


def _parts(expression: Expression) -> list[Expression]:
    """The names and calls that an expression is made of, in the order of their ends; not what methods are given."""
    found: list[Expression] = []
    stack = [expression]
    while stack:
        node = stack.pop()
        match node:
            case Name(name=name):
                if name not in INTERVALS and name not in OPTIONS:
                    found.append(node)
            case MethodCall() | Member():
                found.append(node)
            case Call():
                # The value of the whole is told elsewhere.
                if node is not expression:
                    found.append(node)
                stack.extend(node.arguments)
            case _:
                stack.extend(children(node))
    return sorted(found, key=lambda node: node.end)
