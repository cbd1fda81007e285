"""What the conditions around a GetSample prove about the samples of its window.

Over a window GetSample fails unless a share of the samples is there, 70 % if it names none. A formula guards itself
with GetSamplePercent; here is found out what such a guard is worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..operators import MIRRORED, OPPOSITE
from ..samples import DEFAULT_PERIOD
from ..syntax import Call, Chain, Expression, Logic, MethodCall, Number, Ternary, Unary, children
from .comparisons import COMPARE
from .facts import Facts, SampleCall

#: What GetSample demands of a window if no percentage is given.
DEFAULT_PERCENT = 70.0

# Deeper than any condition that a person writes; a name may stand for the same condition in many places.
_MOST_CONDITIONS = 200
_MOST_ALTERNATIVES = 20
_MOST_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Assured:
    """A condition assures that at least `percent` of the window of `call` is there.

    None: of a condition on that window nobody can say what it assures. `literal`: the number in the text that `percent`
    is, if it is one. `count`: of `$Metric.Count()`, which counts all samples and not those of the window.
    """

    call: MethodCall
    percent: float | None
    literal: Number | None = None
    count: float | None = None


class Coverage:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._percent_calls = {
            id(call.node): call for call in facts.sample_calls if call.node.method == "GetSamplePercent"
        }

    def sample_call(self, assured: Assured) -> SampleCall | None:
        return self._percent_calls.get(id(assured.call))

    def around(self, node: Expression) -> list[Assured]:
        """What the conditions assure under which the expression is computed."""
        conditions = [(guard.condition, guard.holds) for guard in self._facts.guards(node)]
        conditions += self._stops_before(node.start)
        return [assured for condition in conditions for assured in self._assured(*condition)]

    def is_turned_round(self, call: SampleCall) -> bool:
        """Would a condition around the call assure samples of its window if it did not hold?"""
        for guard in self._facts.guards(call.node):
            for assured in self._assured(guard.condition, not guard.holds):
                asked = self.sample_call(assured)
                alike = asked and asked.metric == call.metric and self.same_window(asked, call)
                if alike and assured.percent:
                    return True
        return False

    def same_window(self, one: SampleCall, other: SampleCall) -> bool:
        if None not in (one.far, one.near, other.far, other.near):
            return (one.far, one.near) == (other.far, other.near)
        values = self._facts.values
        first, second = ([values[id(edge)] for edge in call.node.arguments[:2]] for call in (one, other))
        return first[: len(second)] == second[: len(first)]

    def _stops_before(self, place: int) -> list[tuple[Expression, bool]]:
        """Conditions that hold because an earlier statement would have stopped the evaluation otherwise."""
        return [(condition, holds) for end, condition, holds in self._stops if end < place]

    @cached_property
    def _stops(self) -> list[tuple[int, Expression, bool]]:
        found = []
        for statement in self._facts.statements:
            value = self._facts.resolve(statement.value)
            if isinstance(value, Ternary):
                for branch, holds in ((value.then, False), (value.otherwise, True)):
                    stop = self._facts.resolve(branch)
                    if isinstance(stop, Call) and stop.function == "stop":
                        found.append((statement.end, value.condition, holds))
        return found

    def _assured(self, condition: Expression, holds: bool, depth: int = 0) -> Iterator[Assured]:
        """What a condition assures that holds, or does not. `depth`: of alternatives in alternatives."""
        pending = [(condition, holds)]
        for _ in range(_MOST_CONDITIONS):
            if not pending:
                return
            node, holds = pending.pop()
            node = self._facts.resolve(node)
            match node:
                case Unary(operator="!", operand=operand):
                    pending.append((operand, not holds))
                case Logic() if (node.operator == "&&") == holds or len(node.operands) == 1:
                    pending.extend((operand, holds) for operand in node.operands)
                case Logic() if depth < _MOST_DEPTH and len(node.operands) <= _MOST_ALTERNATIVES:
                    yield from self._in_all([list(self._assured(part, holds, depth + 1)) for part in node.operands])
                case Ternary():
                    yield from self._chosen(node, holds, pending)
                case Chain(operands=(left, right), operators=(operator,)) if operator in MIRRORED:
                    if not holds:
                        operator = OPPOSITE[operator]
                    yield from self._compared(left, operator, right, pending)
                case MethodCall() if holds:
                    yield from self._at_least(node, 0.0, None)
                case _:
                    yield from self._unclear(node)

    def _in_all(self, alternatives: list[list[Assured]]) -> Iterator[Assured]:
        """One of the alternatives is so, nobody knows which: only what all of them assure is assured."""
        for assured in alternatives[0]:
            strongest = [max(alike, key=_strength, default=None) for alike in self._alike(assured, alternatives)]
            if None not in strongest:
                yield min((one for one in strongest if one is not None), key=_strength)

    def _alike(self, assured: Assured, alternatives: list[list[Assured]]) -> Iterator[list[Assured]]:
        """What each alternative assures of the same metric and window."""
        call = self.sample_call(assured)
        for alternative in alternatives:
            calls = [(other, self.sample_call(other)) for other in alternative]
            yield [
                other
                for other, guard in calls
                if call and guard and guard.metric == call.metric and self.same_window(guard, call)
            ]

    def _chosen(self, node: Ternary, holds: bool, pending: list[tuple[Expression, bool]]) -> Iterator[Assured]:
        """`p >= 70 ? 1 : 0` as a condition is `p >= 70`."""
        then, otherwise = self._facts.constant(node.then), self._facts.constant(node.otherwise)
        if then is None or otherwise is None or bool(then) == bool(otherwise):
            yield from self._unclear(node)
        else:
            pending.append((node.condition, holds == bool(then)))

    def _compared(
        self, left: Expression, operator: str, right: Expression, pending: list[tuple[Expression, bool]]
    ) -> Iterator[Assured]:
        if self._facts.constant(left) is not None:
            left, operator, right = right, MIRRORED[operator], left
        value = self._facts.constant(right)
        subject = self._facts.resolve(left)
        if value is not None and isinstance(subject, Chain | Logic | Ternary | Unary) and value in (0.0, 1.0):
            # `enough == 1`, `enough > 0`, `enough != 0`: the truth of `enough`, which is 1 or 0.
            true, false = COMPARE[operator](1.0, value), COMPARE[operator](0.0, value)
            if true != false and self._is_truth(subject):
                pending.append((subject, true))
                return
        if operator in (">", ">=", "=="):
            literal = right if isinstance(right, Number) else None
            for call in self._all_of(subject):
                yield from self._at_least(call, value, literal)
        elif operator == "!=" and value == 0:
            for call in self._all_of(subject):
                yield from self._at_least(call, 0.0, None)
        if value is None or not list(self._all_of(subject)):
            yield from self._unclear(left)
            yield from self._unclear(right)

    def _is_truth(self, node: Expression) -> bool:
        match node:
            case Chain(operators=operators):
                return operators[-1] in MIRRORED
            case Ternary():
                return {self._facts.constant(node.then), self._facts.constant(node.otherwise)} == {0.0, 1.0}
            case Unary(operator=operator):
                return operator == "!"
            case _:
                return isinstance(node, Logic)

    def _all_of(self, node: Expression) -> Iterator[MethodCall]:
        """The calls that all reach a value which `node` reaches: itself, or the arguments of min."""
        match node:
            case MethodCall():
                yield node
            case Call(function="min", arguments=arguments):
                for argument in arguments:
                    resolved = self._facts.resolve(argument)
                    if isinstance(resolved, MethodCall):
                        yield resolved

    def _at_least(self, call: MethodCall, value: float | None, literal: Number | None) -> Iterator[Assured]:
        if call.method == "Count":
            yield Assured(call, None, count=value)
        elif id(call) in self._percent_calls:
            yield Assured(call, value, literal)

    def _unclear(self, node: Expression) -> Iterator[Assured]:
        """Calls in a condition that is too clever for this module: it may well assure what is needed."""
        pending = [node]
        for _ in range(_MOST_CONDITIONS):
            if not pending:
                return
            part = self._facts.resolve(pending.pop())
            if id(part) in self._percent_calls and isinstance(part, MethodCall):
                yield Assured(part, None)
            else:
                pending.extend(children(part))


def _strength(assured: Assured) -> float:
    return -1.0 if assured.percent is None else assured.percent


def proves(guard: SampleCall, percent: float, call: SampleCall, needed: float) -> bool:
    """Does `percent` of the guard's window put `needed` percent into the call's window, wherever the gaps are?"""
    if None in (guard.far, guard.near, call.far, call.near):
        return False
    guard_far, guard_near, far, near = (float(edge or 0.0) for edge in (guard.far, guard.near, call.far, call.near))
    if far > guard_far or near < guard_near:
        return False
    possible, wanted = expected(guard_far - guard_near), expected(far - near)
    return wanted - possible * (1 - percent / 100) >= wanted * needed / 100


def expected(length: float) -> int:
    """Samples in a window of so many seconds."""
    return max(1, int(length // DEFAULT_PERIOD))
