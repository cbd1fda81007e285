"""What a condition tells of the numbers in it, where it holds and where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf

from ..operators import MIRRORED, OPPOSITE
from .numbering import Form
from .value_range import ANY_NUMBER, ANYTHING, Range, above, below, between


class Knowledge:
    """What is known of the value of each number, here. Scopes nest: leaving one forgets what was learnt in it."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = forms
        self._ranges: dict[int, Range] = {}
        self._learnt: list[tuple[int, Range | None]] = []
        self._scopes: list[tuple[int, bool]] = []
        #: Nothing is ever computed here: the conditions contradict each other.
        self.unreachable = False

    def of(self, number: int) -> Range:
        return self._ranges.get(number, ANYTHING)

    def know(self, number: int, value: Range) -> None:
        """The value is as said everywhere: it does not come from what conditions say here."""
        self._ranges.setdefault(number, value)

    def learn(self, number: int, value: Range) -> None:
        """The value is as said until the scope is left."""
        if self._scopes:
            self._learnt.append((number, self._ranges.get(number)))
        self._ranges[number] = value
        if value.impossible:
            self.unreachable = True

    def enter(self, condition: int, holds: bool) -> None:
        """From here on the condition holds, or does not, until `leave`."""
        self._scopes.append((len(self._learnt), self.unreachable))
        work = [(condition, holds)]
        while work:
            number, holds = work.pop()
            before = self.of(number)
            after = _true_part(before) if holds else _zero_part(before)
            # What was known already has had its consequences.
            if after != before:
                self.learn(number, after)
                work.extend(self._consequences(self._forms[number], holds))

    def leave(self) -> None:
        count, self.unreachable = self._scopes.pop()
        while len(self._learnt) > count:
            number, before = self._learnt.pop()
            if before is None:
                del self._ranges[number]
            else:
                self._ranges[number] = before

    def _consequences(self, form: Form, holds: bool) -> Iterator[tuple[int, bool]]:
        match form.operator:
            case "":
                return
            case "!":
                yield form.operands[0], not holds
            case "&&" | "||":
                if holds == (form.operator == "&&"):
                    yield from ((operand, holds) for operand in form.operands)
            case operator:
                one, other = form.operands
                self._compared(one, operator, other, holds)
                self._compared(other, MIRRORED[operator], one, holds)

    def _compared(self, number: int, operator: str, other: int, holds: bool) -> None:
        """Narrow one side of a comparison by the other."""
        value, bound = _single(self.of(number)), _single(self.of(other))
        if bound.impossible:
            return
        sure = operator != "!=" if holds else operator == "!="
        if not holds:
            if bound.nan and not sure:
                # With NaN a comparison fails, whatever is on the other side.
                return
            operator = OPPOSITE[operator]
        narrowed = _narrowed(value, operator, bound)
        if sure:
            narrowed = replace(narrowed, nan=False)
        if narrowed != value:
            self.learn(number, narrowed)


def _single(value: Range) -> Range:
    """What is compared is no vector, also where nothing is known of it."""
    return ANY_NUMBER if value is ANYTHING else value


def _true_part(value: Range) -> Range:
    """Not zero, and not NaN, at which the evaluation fails."""
    low = above(0.0, value.whole) if value.low == 0 else value.low
    high = below(0.0, value.whole) if value.high == 0 else value.high
    return replace(value, low=low, high=high, nan=False)


def _zero_part(value: Range) -> Range:
    low, high = (0.0, 0.0) if value.contains(0.0) else (inf, -inf)
    return replace(value, low=low, high=high, nan=False, whole=True)


def _narrowed(value: Range, operator: str, bound: Range) -> Range:
    low, high = value.low, value.high
    match operator:
        case "<":
            high = min(high, below(bound.high, value.whole))
        case "<=":
            high = min(high, bound.high)
        case ">":
            low = max(low, above(bound.low, value.whole))
        case ">=":
            low = max(low, bound.low)
        case "==":
            low, high = max(low, bound.low), min(high, bound.high)
        case _:
            if bound.low == bound.high and not bound.nan:
                low = above(low, value.whole) if low == bound.low else low
                high = below(high, value.whole) if high == bound.low else high
    narrowed = between(low, high, value.whole, value.nan)
    return replace(narrowed, shortest=value.shortest, longest=value.longest)
