"""One run after the other: for formulas that read what they decided before, and for what arrays cannot do.

What does not depend on former decisions is computed beforehand (`reduced_program`). The compiled rest is called with
one list of arguments, in which only that changes which does from run to run. Runs that fail or stop early go through
`Formula.evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from ..compiler import Program
from ..evaluation import EvaluationError
from ..faults import Fault, Refused, Stopped
from ..formula import Formula
from ..samples import Samples, TimeSeries
from ..variables import DEALLOCATION_OPTION, DEFAULT_OPTION, PoolField, assigned_target
from .course import FOLLOWING, RECORDED_AS, Course
from .decisions import DECIDED, OPTION_NUMBERS, Decisions, whole_numbers
from .history import History
from .reduced_program import reduce_program

# In front of these arguments stand `now`, the period and the source of random numbers.
_FIRST = 3
_NO_SAMPLES = TimeSeries()
# Which of the two targets a value of the pool follows.
_FOLLOWS: dict[PoolField, int] = {
    "target_dedicated": 0,
    "target_low_priority": 1,
    "current_dedicated": 0,
    "current_low_priority": 1,
}


@dataclass(eq=False)
class _Arguments:
    """Of the program, at their places. `columns`: those known beforehand, by run; `following`: places of values of the
    pool, with the target that they follow. If that is not all, `everything` is looked up for each run."""

    values: list[Any]
    columns: list[tuple[int, Sequence[Any]]]
    following: list[tuple[int, int]]
    everything: bool


@dataclass(eq=False)
class _Found:
    dedicated: list[int] = field(default_factory=list)
    low_priority: list[int] = field(default_factory=list)
    option: list[int] = field(default_factory=list)
    error: list[int] = field(default_factory=list)
    errors: dict[EvaluationError, int] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[list[int], list[int]]:
        return self.dedicated, self.low_priority

    def last(self) -> tuple[int | None, int | None]:
        return (self.dedicated[-1], self.low_priority[-1]) if self.dedicated else (None, None)


def decide_with_loop(formula: Formula, course: Course) -> Decisions:
    """What each run decides."""
    found = _Found()
    _run(formula, course, found)
    return Decisions(
        whole_numbers(found.dedicated),
        whole_numbers(found.low_priority),
        np.array(found.option, dtype=np.int64),
        np.array(found.error, dtype=np.int64),
        list(found.errors),
    )


def _run(formula: Formula, course: Course, found: _Found) -> None:
    history = History(course, formula._program)
    reduced = reduce_program(formula._checked, formula._program, course)
    program = reduced.program if reduced else formula._program
    doubtful = reduced.doubtful.tolist() if reduced and reduced.doubtful.any() else None
    arguments = _arguments(program, course, history, reduced.given if reduced else [])
    end = len(arguments.values) - (len(reduced.given) if reduced else 0)
    values, columns, following = arguments.values, arguments.columns, arguments.following
    call, add = program.run, _adder(program, course, found)
    for run, now in enumerate(course.times.tolist()):
        if doubtful is not None and doubtful[run]:
            _evaluate(formula, history.samples(run, *found.last()), now, found)
            continue
        for place, column in columns:
            values[place] = column[run]
        if arguments.everything:
            values[_FIRST:end] = program.arguments(history.samples(run, *found.last()))
        elif run:
            for place, low_priority in following:
                values[place] = float(found.low_priority[-1] if low_priority else found.dedicated[-1])
        if program.uses_rand:
            values[2] = Random(now).random
        try:
            add(run, call(*values))
        except (Fault, Stopped, Refused, ArithmeticError, ValueError):
            _evaluate(formula, history.samples(run, *found.last()), now, found)


def _evaluate(formula: Formula, samples: Samples, now: float, found: _Found) -> None:
    evaluation = formula.evaluate(samples, now)
    error = evaluation.error
    found.dedicated.append(evaluation.dedicated)
    found.low_priority.append(evaluation.low_priority)
    found.option.append(OPTION_NUMBERS[evaluation.node_deallocation_option])
    found.error.append(-1 if error is None else found.errors.setdefault(error, len(found.errors)))


def _arguments(program: Program, course: Course, history: History, given: list[list[Any]]) -> _Arguments:
    columns: list[tuple[int, Sequence[Any]]] = [(0, course.times.tolist())]
    following: list[tuple[int, int]] = []
    everything = bool(history.own)
    for place, name in enumerate(program.pool_fields, _FIRST):
        if course.is_recorded(name):
            columns.append((place, course.pool_values(name).tolist()))
        elif name in _FOLLOWS:
            following.append((place, _FOLLOWS[name]))
        elif name in FOLLOWING:
            everything = True
    for place, (series, part) in enumerate(program.reads, _FIRST + len(program.pool_fields)):
        if part == "count" and series in course.recording.series:
            columns.append((place, course.visible(series).tolist()))
    pool = course.recording.pool
    first = [0.0, course.recording.period, None, *(float(getattr(pool, name)) for name in program.pool_fields)]
    first += [getattr(history.series.get(name, _NO_SAMPLES), part) for name, part in program.reads]
    columns += enumerate(given, len(first))
    first += [None] * len(given)
    return _Arguments(first, columns, following, everything)


def _adder(program: Program, course: Course, found: _Found) -> Callable[[int, tuple[Any, ...]], None]:
    """A function that adds the outcome of a run. It raises ArithmeticError or ValueError, and adds nothing, if a target
    is not finite."""
    names = {step.name: place for place, step in enumerate(program.results)}
    places = [names.get(assigned_target(names, RECORDED_AS[name]) or "", -1) for name in DECIDED]
    option_place = names.get(DEALLOCATION_OPTION, -1)
    kept = [_kept(course, name, earlier) for name, earlier in zip(DECIDED, found.targets, strict=True)]
    (keep_dedicated, keep_low_priority), (dedicated_place, low_priority_place) = kept, places
    add_dedicated, add_low_priority = found.dedicated.append, found.low_priority.append
    add_option, add_error = found.option.append, found.error.append
    default = OPTION_NUMBERS[DEFAULT_OPTION]

    def add(run: int, values: tuple[Any, ...]) -> None:
        dedicated = keep_dedicated(run) if dedicated_place < 0 else int(values[dedicated_place])
        low_priority = keep_low_priority(run) if low_priority_place < 0 else int(values[low_priority_place])
        add_dedicated(dedicated if dedicated > 0 else 0)
        add_low_priority(low_priority if low_priority > 0 else 0)
        add_option(default if option_place < 0 else OPTION_NUMBERS[values[option_place]])
        add_error(-1)

    return add


def _kept(course: Course, name: PoolField, earlier: list[int]) -> Callable[[int], int]:
    """The target of the pool, which a formula that does not assign it leaves alone."""
    if course.is_recorded(name):
        recorded = course.pool_values(name).tolist()
        return lambda run: int(recorded[run])
    given = int(getattr(course.recording.pool, name))
    return lambda run: earlier[-1] if run else given
