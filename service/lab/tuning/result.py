"""What a search found. Times are in seconds; money is in the currency of the scenario's prices."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from .measuring import Measured

#: Of the autoscale runs so many may fail, where no more did in the formula as it is.
_FAILED = 0.01
#: So many of the front are checked and shown.
MOST_SHOWN = 12


class _Told(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what is told: camelCase in JSON."""


class WaitLimits(_Told, frozen=True, kw_only=True, omit_defaults=True):
    """What tasks may wait: the time within which so many percent have begun, and the longest; None: no matter."""

    p95: float | None = None
    p99: float | None = None
    max: float | None = None

    def items(self) -> list[tuple[str, float]]:
        named = (("p95", self.p95), ("p99", self.p99), ("max", self.max))
        return [(name, value) for name, value in named if value is not None]


class Trial(_Told, frozen=True, kw_only=True):
    """Number 0 is the formula as it is, the others are in the order in which they were proposed. `checked`: on tasks
    that the search has not seen; None if it was not."""

    number: int
    values: dict[str, float]
    searched: Measured
    checked: Measured | None = None


class Tuning(_Told, frozen=True, kw_only=True):
    """`limits`: of waiting; `as_it_is`: they are the waits of the formula as it is, on the same tasks. `best`: the
    number of the cheapest trial within the limits, if there is one. `front`: numbers of trials, the cheapest first: of
    no other trial are both cost and `wait.p95` as good. `stopped`: somebody ended it early. `checked_from`: the second
    of the trace that the check begins at; None: it is of the same scenario with `check_seed`."""

    formula: str
    scenario: str
    seed: int
    check_seed: int
    checked_from: float | None
    limits: WaitLimits
    as_it_is: bool
    best: int | None
    front: list[int]
    trials: list[Trial]
    stopped: bool

    def trial(self, number: int) -> Trial:
        return next(each for each in self.trials if each.number == number)

    def shown(self) -> list[Trial]:
        """Of the front: all, or as many as a person looks at, the best and both ends among them."""
        front = list(self.front)
        while len(front) > MOST_SHOWN:
            gaps = [self._gap(front, place) for place in range(1, len(front) - 1)]
            del front[1 + gaps.index(min(gaps))]
        return [self.trial(number) for number in front]

    def _gap(self, front: list[int], place: int) -> float:
        """How much goes with it: the share of the cost from the one before to the one after; the best stays."""
        if front[place] == self.best:
            return float("inf")
        before, after = (self.trial(front[place + step]).searched.cost for step in (-1, 1))
        return (after - before) / max(after, 1e-12)

    def limits_of_check(self) -> WaitLimits:
        """Those of the formula as it is are there what it is there."""
        checked = self.trial(0).checked
        if not self.as_it_is or checked is None:
            return self.limits
        return WaitLimits(p95=max(checked.wait.p95, self.limits.p95 or 0.0))

    def keeps(self, number: int) -> bool | None:
        """Does the trial keep the limits on tasks that the search has not seen? None: it was not checked."""
        original, trial = self.trial(0), self.trial(number)
        if trial.checked is None:
            return None
        return within(violations(trial.checked, self.limits_of_check(), original.checked))


def violations(measured: Measured, limits: WaitLimits, original: Measured | None) -> dict[str, float]:
    """By the name of each limit, how far it was passed; 0 or less: it was kept. All tasks have to end, and no more runs
    of the formula may fail than of the `original`, or one in a hundred."""
    found = {
        name: (getattr(measured.wait, name) - limit) / max(limit, 1.0) for name, limit in limits.items()
    }
    arrived = measured.tasks + measured.unfinished
    found["unfinished"] = measured.unfinished / max(1, arrived)
    share = 0.0 if original is None else original.failed_runs / max(1, original.autoscale_runs)
    found["failed"] = measured.failed_runs / max(1, measured.autoscale_runs) - max(_FAILED, share)
    return found


def within(passed: dict[str, float]) -> bool:
    return all(value <= 0 for value in passed.values())


def front_of(trials: Iterable[Trial]) -> list[int]:
    """Of those that let all tasks end."""
    done = [each for each in trials if not each.searched.unfinished]
    done.sort(key=lambda each: (each.searched.cost, each.searched.wait.p95, each.number))
    front: list[Trial] = []
    for each in done:
        if not front or each.searched.wait.p95 < front[-1].searched.wait.p95:
            front.append(each)
    assert all(a.searched.cost < b.searched.cost for a, b in pairwise(front))
    return [each.number for each in front]
