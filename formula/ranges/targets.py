"""How large and how small the targets of a formula can get, proved where it can be proved.

A bound, and that something never happens, come from interval analysis; that something can happen comes from a trial run
that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor
from typing import Literal

from ..checker import CheckedProgram, check_program
from ..parser import parse
from ..source import Source
from .analysis import Ranges, analyse
from .numbering import Numbering, number_program
from .trial import MOMENTS, Situation, Trials
from .value_range import BOUNDLESS, Range
from .world import ANY_WORLD, EMPTY_POOL, FILLED_IN, TARGET_NAMES, World, kind_up_to, pool_up_to

Bound = Literal["proved", "none", "unknown"]
#: No pool is taken to start with more nodes than this when it is asked how far a formula makes it grow.
_START = 1000.0
#: Nor is a larger one a bound.
_LARGEST = 1e6


@dataclass(frozen=True, slots=True)
class TargetRange:
    """What one evaluation can make of a target, in nodes: fractions cut off, negative targets taken as zero.

    `lower`, `upper`: it is never set to less or more; `upper` is None without a proof. `bound`: "proved" if `upper` is
    a bound, or if a pool of at most `settles_at` nodes never grows over that; "none" if the formula has no bound;
    "unknown" if that hangs on numbers that a template leaves open. `can_be_zero`: can an evaluation set it to zero?
    `can_leave_zero`: can it set it to one or more in a pool that has no nodes, where nothing runs? Three answers: yes
    and no are proved, None is unknown. `computed`: the target before anything is cut off. `constant`: it is the same in
    every evaluation. `kept`: an evaluation may also end (by stop()) without setting it.
    """

    name: str
    lower: int
    upper: int | None
    bound: Bound
    settles_at: int | None
    can_be_zero: bool | None
    can_leave_zero: bool | None
    computed: Range
    constant: float | None
    kept: bool


def target_ranges(formula: str | CheckedProgram, unknown: frozenset[int] = frozenset()) -> dict[str, TargetRange]:
    """The ranges of the targets that a formula assigns, by their full names; none if the formula has errors.

    `unknown`: the offsets of numbers that stand for something else, such as the placeholders of a template. Never
    raises. Samples, node counts and targets before the evaluation are taken to be whole and not negative where they
    are counts, percentages to be at most 100, the clock to be between the years 1970 and 9999.
    """
    checked = check_program(parse(Source(formula))) if isinstance(formula, str) else formula
    if any(found.is_error for found in checked.diagnostics):
        return {}
    return ranges_of_targets(checked, number_program(checked, unknown), Trials(checked))


def ranges_of_targets(
    checked: CheckedProgram, numbering: Numbering, trials: Trials, anywhere: Ranges | None = None
) -> dict[str, TargetRange]:
    """The same for a program that was analysed before: `anywhere` are its ranges for any pool."""
    anywhere = anywhere or analyse(checked, numbering, ANY_WORLD)
    if not anywhere.targets:
        return {}
    at_zero = analyse(checked, numbering, EMPTY_POOL)
    growth = _Growth(checked, numbering)
    return {
        name: _target_range(name, anywhere, at_zero, growth, None if numbering.unknown else trials)
        for name in sorted(anywhere.targets)
    }


def _target_range(
    name: str, anywhere: Ranges, at_zero: Ranges, growth: _Growth, trials: Trials | None
) -> TargetRange:
    computed, from_zero = anywhere.targets[name], at_zero.targets.get(name)
    kept = name in anywhere.kept
    # A target that can only be NaN is never set.
    never = computed.low > computed.high
    upper = 0 if never else None if computed.high > BOUNDLESS or kept else floor(max(0.0, computed.high))
    bound, settles_at = ("proved", upper) if upper is not None else growth.bound(name)
    can_be_zero: bool | None = False if computed.low >= 1 and not kept else None
    can_leave_zero: bool | None = False if from_zero is None or from_zero.high < 1 else None
    if trials is not None:
        if can_be_zero is None and any(value < 1 for _, value in trials.of(name, _idle())):
            can_be_zero = True
        if can_leave_zero is None and any(value >= 1 for _, value in trials.of(name, _starting())):
            can_leave_zero = True
    return TargetRange(
        name=name,
        lower=0 if kept or never or computed.low < 1 else floor(min(computed.low, BOUNDLESS)),
        upper=upper,
        bound=bound,
        settles_at=settles_at,
        can_be_zero=can_be_zero,
        can_leave_zero=can_leave_zero,
        computed=computed,
        constant=None if kept else computed.constant,
        kept=kept,
    )


class _Growth:
    """Bounds that hold from one evaluation to the next: a target that reads its former self has no other."""

    def __init__(self, checked: CheckedProgram, numbering: Numbering) -> None:
        self._checked = checked
        self._numbering = numbering

    def bound(self, name: str) -> tuple[Bound, int | None]:
        settles_at = self._settles_at([name], lambda most: kind_up_to(name, most))
        if settles_at is None:
            settles_at = self._settles_at(list(TARGET_NAMES), pool_up_to)
        if settles_at is not None:
            return "proved", settles_at
        if self._numbering.unknown and self._highest([name], FILLED_IN) <= BOUNDLESS:
            return "unknown", None
        return "none", None

    def _settles_at(self, names: list[str], world: Callable[[float], World]) -> int | None:
        """How large the targets can become in a pool that starts within that, if they do not grow over it."""
        most = _START
        while most <= _LARGEST:
            highest = self._highest(names, world(most))
            if highest < most + 1:
                return int(most)
            # `n / 2 + 600` grows over a thousand, and ends at 1200.
            most = max(10 * most, float(floor(min(highest, BOUNDLESS))))
        return None

    def _highest(self, names: list[str], world: World) -> float:
        targets = analyse(self._checked, self._numbering, world).targets
        return max((targets[name].high for name in names if name in targets), default=0.0)


def _idle() -> Iterator[Situation]:
    for now in MOMENTS:
        for nodes in (0, 1, 3):
            yield Situation(dedicated=nodes, low_priority=nodes, now=now)


def _starting() -> Iterator[Situation]:
    for now in MOMENTS:
        for waiting in (1, 100, 10_000):
            yield Situation(waiting=waiting, now=now)
        yield Situation(now=now, young=True)
