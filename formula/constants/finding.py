"""Which names of a formula are constants."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..parser import parse
from ..source import Source
from ..syntax import Assignment, Chain, Expression, Group, Name, Number, Unary

_INTERVAL = "TimeInterval_"


@dataclass(frozen=True, slots=True)
class Constant:
    """`value`: the number that stands at text[start:end], its minus included. `unit`: the interval that it is
    multiplied by, such as `TimeInterval_Minute`; empty if none. `line`: counted from 1."""

    name: str
    value: float
    unit: str
    start: int
    end: int
    line: int


def constants(text: str) -> dict[str, Constant]:
    """Of every name that is assigned once, and then a number, or a number of intervals; in the order of the text.
    Statements with syntax errors are passed over."""
    assignments = _assignments(text)
    counts = Counter(each.name for each in assignments)
    source = Source(text)
    found = {}
    for each in assignments:
        number = _number(each.value)
        if number is not None and counts[each.name] == 1:
            value, unit, start, end = number
            line, _ = source.position(each.start)
            found[each.name] = Constant(each.name, value, unit, start, end, line)
    return found


def no_constant(text: str, name: str) -> str:
    """Why the name is no constant of the formula: a half sentence."""
    source = Source(text)
    lines = [source.position(each.start)[0] for each in _assignments(text) if each.name == name]
    if not lines:
        return "is assigned nowhere"
    if len(lines) > 1:
        return f"is assigned {len(lines)} times, in lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
    return f"is computed in line {lines[0]}"


def _assignments(text: str) -> list[Assignment]:
    return [each for each in parse(Source(text)).statements if isinstance(each, Assignment)]


def _number(value: Expression) -> tuple[float, str, int, int] | None:
    """The number, its unit and its place; None for any other expression."""
    match _bare(value):
        case Chain(operators=("*",), operands=(first, second)):
            for number, unit in ((_bare(first), _bare(second)), (_bare(second), _bare(first))):
                signed = _signed(number)
                if signed is not None and isinstance(unit, Name) and unit.name.startswith(_INTERVAL):
                    return signed[0], unit.name, signed[1], signed[2]
            return None
        case other:
            signed = _signed(other)
            return None if signed is None else (signed[0], "", signed[1], signed[2])


def _signed(value: Expression) -> tuple[float, int, int] | None:
    if isinstance(value, Number):
        return value.value, value.start, value.end
    if isinstance(value, Unary) and value.operator == "-" and isinstance(value.operand, Number):
        return -value.operand.value, value.start, value.end
    return None


def _bare(value: Expression) -> Expression:
    """Without the parentheses around it."""
    while isinstance(value, Group):
        value = value.inner
    return value
