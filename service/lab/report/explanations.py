"""Why each autoscale run decided what it did, statement by statement, told from the samples that were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from formula import PoolValues, Samples, TimeSeries
from formula.explain import SampleView, StatementTrace, Trace, observed_formula, short_value, trace

from ..outcome import About, AutoscaleRuns, RecordedSamples, Run


class Line(msgspec.Struct, array_like=True):
    """A statement of the formula, of every run the same."""

    line: int
    text: str


class Seen(msgspec.Struct, array_like=True):
    """What one call saw of a metric: the recorded samples values[first:stop], None for those that were lost, and then
    `late` ones that were not there yet; `present` of `possible` were there, and `wanted` percent were asked for, -1 if
    none were. `whole`: the call looked at the whole history."""

    metric: str
    first: int
    stop: int
    late: int
    present: int
    possible: int
    percent: int
    wanted: float
    whole: bool


class Told(msgspec.Struct, array_like=True):
    """A statement in one run. `because`: the branches that were taken, and what was not computed."""

    outcome: str
    value: str
    computed: str
    because: list[str]
    samples: list[Seen]


class Explanation(msgspec.Struct, array_like=True):
    """`run`: its number. Not `alike`: told again, the formula decided something else, as one that draws random numbers
    may."""

    run: int
    alike: bool
    statements: list[Told]
    error: str
    warnings: list[str]


def chosen_runs(run: Run, scenario: About, most: int) -> Sequence[int]:
    """The numbers of at most `most` runs that are explained: all of them if they are so few, else those that changed
    the target or failed, then the others, evenly spread."""
    made = run.autoscale
    count = len(made.times)
    if count <= most:
        return range(count)
    targets = list(zip(made.dedicated, made.low_priority, strict=True))
    before = [scenario.initial_targets, *targets]
    telling = [number for number in range(count) if targets[number] != before[number] or number in made.errors]
    chosen = set(_spread(telling, most))
    rest = [number for number in range(count) if number not in chosen]
    return sorted(chosen.union(_spread(rest, most - len(chosen))))


def _spread(numbers: Sequence[int], most: int) -> Sequence[int]:
    if len(numbers) <= most:
        return numbers
    return [numbers[index * len(numbers) // most] for index in range(most)]


def formula_lines(text: str) -> list[Line]:
    """The statements of a formula. Raises FormulaError for a syntax error."""
    checked = observed_formula(text).checked
    statements = [item.statement for item in checked.statements]
    return [
        Line(checked.source.position(each.start)[0], checked.source.text[each.start : each.end]) for each in statements
    ]


def explanations(run: Run, scenario: About, numbers: Sequence[int]) -> Iterator[Explanation]:
    """Of the runs with these numbers (rising). Raises FormulaError for a syntax error."""
    visible = _Visible(run.samples, scenario.start)
    for number in numbers:
        now = scenario.start + run.autoscale.times[number]
        pool = _pool(run.autoscale, number, scenario)
        told = trace(run.text, Samples(run.samples.period, visible.at(now), pool), now, Random(0))
        yield Explanation(
            number,
            _alike(run.autoscale, number, told),
            [_told(statement, visible) for statement in told.statements],
            "" if told.evaluation.error is None else str(told.evaluation.error),
            [str(warning) for warning in told.evaluation.warnings],
        )


class _Visible:
    """The recorded samples, as they become visible and are forgotten."""

    def __init__(self, recorded: RecordedSamples, epoch: float) -> None:
        self._recorded, self._start = recorded, epoch + recorded.start
        self._series = {name: TimeSeries() for name in recorded.values}
        self.taken = 0

    def at(self, now: float) -> dict[str, TimeSeries]:
        """At a moment that is not before the last one asked for; the series go on."""
        recorded = self._recorded
        stop = max(self.taken, int((now - recorded.delay - self._start) // recorded.period) + 1)
        for name, values in recorded.values.items():
            series = self._series[name]
            for number, value in enumerate(values[self.taken : stop], self.taken):
                if value is not None:
                    series.append(self._start + number * recorded.period, value)
            series.trim(now - recorded.retention)
        self.taken = stop
        return self._series

    def number(self, time: float) -> int:
        """Of the sample that was taken then."""
        return round((time - self._start) / self._recorded.period)


def _pool(made: AutoscaleRuns, number: int, scenario: About) -> PoolValues:
    """The pool before a run, as the formula could read it."""
    before = (made.dedicated[number - 1], made.low_priority[number - 1]) if number else scenario.initial_targets
    return PoolValues(
        target_dedicated=before[0],
        target_low_priority=before[1],
        current_dedicated=made.current_dedicated[number],
        current_low_priority=made.current_low_priority[number],
        preempted=made.preempted[number],
        usable=made.usable[number],
        task_slots_per_node=scenario.task_slots_per_node,
    )


def _alike(made: AutoscaleRuns, number: int, told: Trace) -> bool:
    if told.evaluation.error is not None or number in made.errors:
        return (told.evaluation.error is None) == (number not in made.errors)
    decided = (told.evaluation.dedicated, told.evaluation.low_priority)
    return decided == (made.dedicated[number], made.low_priority[number])


def _told(statement: StatementTrace, visible: _Visible) -> Told:
    return Told(
        "" if statement.outcome == "done" else statement.outcome,
        "" if statement.value is None else short_value(statement.value),
        statement.computed,
        [str(each) for each in (*statement.branches, *statement.shortcuts)],
        [_seen(view, visible) for view in statement.samples],
    )


def _seen(view: SampleView, visible: _Visible) -> Seen:
    first, stop = 0, 0
    if view.samples:
        first, stop = visible.number(view.samples[0][0]), visible.number(view.samples[-1][0]) + 1
    there = max(first, min(stop, visible.taken))
    whole = view.node.method in ("Count", "HistoryBeginTime")
    wanted = -1.0 if view.wanted is None else view.wanted
    return Seen(view.metric, first, there, stop - there, view.present, view.possible, int(view.percent), wanted, whole)
