"""What is searched: a constant of the formula, and the numbers that it may become."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import floor, isfinite, log10, prod

from formula import check
from formula.constants import constants, no_constant, number_text, with_values

from ..formulas import NamedFormula

_GIVEN = re.compile(r"\s*(\$?[A-Za-z_][A-Za-z0-9_]*)\s*=\s*([^:]+):([^:]+?)(?::\s*(\w+))?\s*")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_FORM = "write NAME=LOW:HIGH, such as idle=2:30 (whole numbers), share=0.1:0.9 or window=1:120:log"
#: Whole numbers up to this are exact in a formula.
_MOST = 2.0**53


class BadParameter(ValueError):
    """Says what is wrong with a parameter, and the cure."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constant by its name. `whole`: it stays a whole number; `log`: numbers of every size are as likely, so that a
    step from 1 to 2 is as far as one from 50 to 100."""

    name: str
    low: float
    high: float
    whole: bool
    log: bool = False

    def rounded(self, value: float) -> float:
        """With no more digits than the range gives a reason for."""
        if self.whole:
            return int(value)
        size = abs(value) if self.log else self.high - self.low
        digits = 3 - floor(log10(size))
        return min(self.high, max(self.low, round(value, digits)))

    def written(self, value: float) -> float:
        """A number of the formula, whole if this is."""
        return int(value) if self.whole and float(value).is_integer() else value

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high and (not self.whole or float(value).is_integer())


def read_parameter(given: str) -> Parameter:
    """`idle=2:30` or `idle=2:30:log`; whole if both ends are written as whole numbers. Raises BadParameter."""
    match = _GIVEN.fullmatch(given)
    if match is None:
        raise BadParameter(f"{given!r} names no range: {_FORM}")
    name, low, high, scale = match[1], match[2].strip(), match[3].strip(), match[4]
    if scale not in (None, "log"):
        raise BadParameter(f"{given!r}: {scale!r} is no scale; write log, or nothing")
    ends = []
    for end in (low, high):
        try:
            number = float(end)
        except ValueError:
            raise BadParameter(f"{given!r}: {end!r} is no number; {_FORM}") from None
        if not isfinite(number) or abs(number) > _MOST:
            raise BadParameter(f"{given!r}: {end} is no number that a constant can be")
        ends.append(number)
    whole = bool(_WHOLE.fullmatch(low) and _WHOLE.fullmatch(high))
    if ends[0] >= ends[1]:
        cure = "write the smaller one first" if ends[0] > ends[1] else "there is nothing to search"
        raise BadParameter(f"{given!r}: {low} is not less than {high}; {cure}")
    if scale == "log" and ends[0] <= 0:
        raise BadParameter(f"{given!r}: on a logarithmic scale {low} has no place; begin above 0")
    return Parameter(name, ends[0], ends[1], whole, scale == "log")


def check_parameters(formula: NamedFormula, parameters: Sequence[Parameter]) -> None:
    """Are they constants of the formula, and is it a formula at the ends of each? Raises BadParameter."""
    known = constants(formula.text)
    seen = set()
    for each in parameters:
        if each.name in seen:
            raise BadParameter(f"{each.name} is given twice")
        seen.add(each.name)
        if each.name not in known:
            listed = ", ".join(f"{name} ({number_text(found.value)})" for name, found in known.items())
            cure = f"these are: {listed}" if listed else "give a number a name, in a line such as `idle = 10;`"
            why = no_constant(formula.text, each.name)
            raise BadParameter(f"{each.name} is no constant of {formula.name}: it {why}; {cure}")
    for each in parameters:
        for value in (each.low, each.high):
            text = with_values(formula.text, {each.name: value})
            for fault in check(text):
                if fault.is_error:
                    line, column = fault.source.position(fault.start)
                    told = f"with {each.name} = {number_text(value)} the formula has an error"
                    where = f"{formula.name}:{line}:{column}: {fault.code}: {fault.message}"
                    raise BadParameter(f"{told}: {where}\n{fault.source.excerpt(fault.start, fault.end)}")


def combinations(parameters: Sequence[Parameter]) -> int | None:
    """How many there are; None if there is no end to them."""
    if not all(each.whole for each in parameters):
        return None
    return prod(int(each.high) - int(each.low) + 1 for each in parameters)


def all_values(parameters: Sequence[Parameter]) -> Iterator[dict[str, float]]:
    """Every combination of whole numbers."""
    ranges = (range(int(each.low), int(each.high) + 1) for each in parameters)
    for values in product(*ranges):
        yield dict(zip((each.name for each in parameters), values, strict=True))
