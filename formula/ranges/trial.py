"""Running a formula on made-up histories: what is seen to happen needs no proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from random import Random
from typing import cast

from ..checker import CheckedProgram
from ..compiler import compile_program
from ..faults import Fault, Refused, Stopped
from ..samples import DEFAULT_PERIOD, PoolValues, Samples, TimeSeries
from ..syntax import Assignment, Call, Chain, Expression, MethodCall, Name, Unparsed, children, postorder
from ..timestamps import parse_time
from ..value_types import NOTHING, VECTOR
from ..variables import TARGETS, assigned_target

# A Wednesday at noon and at night, and a Sunday; and a day far from all dates that are written in formulas.
_MOMENTS = ("2026-06-17T12:00:10Z", "2026-06-17T03:00:10Z", "2026-06-21T12:00:10Z", "2046-06-20T12:00:10Z")
MOMENTS: tuple[float, ...] = tuple(parse_time(text) for text in _MOMENTS)
_HISTORY = 6 * 3600.0
_SAMPLES = int(_HISTORY / DEFAULT_PERIOD)
_NONE = TimeSeries()
# A text of 8 KB can compute with millions of elements. One that does is not tried, so that linting stays fast.
_MOST_ELEMENTS = 50_000


@dataclass(frozen=True, slots=True)
class Situation:
    """A pool that has been the same for six hours, or one without any samples (`young`).

    `waiting`, `running`: tasks, which came `since` seconds ago. `dedicated`, `low_priority`: nodes, which are the
    targets too.
    """

    waiting: int = 0
    running: int = 0
    dedicated: int = 0
    low_priority: int = 0
    slots: int = 1
    cpu: float = 0.0
    young: bool = False
    since: float = inf
    now: float = MOMENTS[0]

    @property
    def pool(self) -> PoolValues:
        nodes = self.dedicated + self.low_priority
        return PoolValues(
            self.dedicated, self.low_priority, self.dedicated, self.low_priority, 0, nodes, self.slots
        )

    def series(self, metric: str) -> TimeSeries:
        nodes = self.dedicated + self.low_priority
        values = {
            "$ActiveTasks": self.waiting,
            "$RunningTasks": self.running,
            "$PendingTasks": self.waiting + self.running,
            "$CurrentDedicatedNodes": self.dedicated,
            "$CurrentLowPriorityNodes": self.low_priority,
            "$UsableNodeCount": nodes,
            "$SampleNodeCount": nodes,
            "$TaskSlotsPerNode": self.slots,
            "$CPUPercent": self.cpu,
        }
        since = self.since if metric in ("$ActiveTasks", "$RunningTasks", "$PendingTasks") else inf
        return _NONE if self.young else _step(float(values.get(metric, 0)), since, self.now)


@lru_cache(maxsize=256)
def _step(value: float, since: float, now: float) -> TimeSeries:
    """A sample every 30 seconds, zero up to `since` seconds ago."""
    ages = [5.0 + DEFAULT_PERIOD * (_SAMPLES - 1 - index) for index in range(_SAMPLES)]
    return TimeSeries((now - age, value if age < since else 0.0) for age in ages)


@dataclass
class Trials:
    """A program without errors, ready to be tried; one that would take long never gives a result."""

    checked: CheckedProgram
    _seen: dict[Situation, dict[str, float] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._program = compile_program(self.checked) if _elements(self.checked) <= _MOST_ELEMENTS else None

    def targets(self, situation: Situation) -> dict[str, float] | None:
        """The targets as computed, fractions and all, by their full names; None if the evaluation fails or stops."""
        if situation not in self._seen:
            self._seen[situation] = self._run(situation)
        return self._seen[situation]

    def of(self, target: str, situations: Iterable[Situation]) -> list[tuple[Situation, float]]:
        """What the target is in every situation in which it is assigned."""
        found = []
        for situation in situations:
            value = (self.targets(situation) or {}).get(target)
            if value is not None:
                found.append((situation, value))
        return found

    def _run(self, situation: Situation) -> dict[str, float] | None:
        program = self._program
        if program is None:
            return None
        series = {name: situation.series(name) for name in program.series}
        samples = Samples(DEFAULT_PERIOD, series, situation.pool)
        try:
            values = program.run(situation.now, DEFAULT_PERIOD, Random(0).random, *program.arguments(samples))
        except (Fault, Refused, Stopped, ArithmeticError):
            return None
        by_name = {step.name: value for step, value in zip(program.results, values, strict=True)}
        targets = {}
        for full_name in {target.full_name for target in TARGETS.values()}:
            name = assigned_target(by_name, full_name)
            if name is not None:
                targets[full_name] = float(cast(float, by_name[name]))
        # An infinite target fails as NaN does, but nothing more can be said of it.
        return None if inf in map(abs, targets.values()) else targets


def _elements(checked: CheckedProgram) -> int:
    """How many elements of vectors a run computes at most."""
    variables: dict[str, int] = {}
    total = 0
    for item in checked.statements:
        lengths: dict[int, int] = {}
        for node in postorder(item.statement.value) if not isinstance(item.statement, Unparsed) else ():
            length = _length(node, lengths, variables)
            lengths[id(node)] = length if checked.types.get(id(node), NOTHING) & VECTOR else 1
            # A chain makes a vector at each of its operators.
            total += length * (len(node.operators) if isinstance(node, Chain) else 1)
            if total > _MOST_ELEMENTS:
                return total
        if isinstance(item.statement, Assignment):
            variables[item.statement.name] = lengths[id(item.statement.value)]
    return total


def _length(node: Expression, lengths: Mapping[int, int], variables: Mapping[str, int]) -> int:
    if isinstance(node, MethodCall):
        return _SAMPLES if node.method == "GetSample" else 1
    if isinstance(node, Name):
        return variables.get(node.name, 1)
    parts = [lengths[id(part)] for part in children(node)]
    return sum(parts) if isinstance(node, Call) else max(parts, default=1)
