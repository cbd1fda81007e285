"""A formula run again and again over a recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ..evaluation import Evaluation, EvaluationError
from ..formula import Formula, compile_formula
from ..samples import Samples
from ..variables import OPTIONS
from .course import Course
from .decisions import Decisions, Targets, left_before
from .history import History
from .recording import Floats, Indices, Recording
from .rows import Failures, Unsupported
from .with_arrays import decide_with_arrays
from .with_loop import decide_with_loop

#: Seconds between two runs, if nobody says: the shortest interval that the service allows.
EVERY = 300.0
_MOST_RUNS = 20_000_000
_HOUR = 3600.0


@dataclass(frozen=True, eq=False)
class Replay:
    """What a formula would have decided.

    Arrays with one item for each run: `times` (seconds since the epoch, UTC), `dedicated` and `low_priority` (targets;
    those of the pool where the run failed), `error` (number of its error in `errors`, -1 without one). A decision
    holds until the next run, the last one `every` seconds.
    """

    formula: Formula
    course: Course
    every: float
    dedicated: Targets
    low_priority: Targets
    option: Indices
    error: Indices
    errors: tuple[EvaluationError, ...]

    def __len__(self) -> int:
        return len(self.course)

    @property
    def times(self) -> Floats:
        return self.course.times

    @cached_property
    def node_deallocation_option(self) -> NDArray[np.str_]:
        """The option of each run, as a word."""
        return np.array(list(OPTIONS))[self.option]

    def evaluation(self, run: int) -> Evaluation:
        """One run once more, with all its variables."""
        if not 0 <= run < len(self):
            raise IndexError(f"run {run}: there are {len(self)} runs")
        program = self.formula._program
        history = History(self.course, program)
        first = 0 if self.course.own_series(program) else run
        samples = Samples()
        for number in range(first, run + 1):
            samples = history.samples(number, *left_before(self.dedicated, self.low_priority, number))
        return self.formula.evaluate(samples, float(self.times[run]))

    @property
    def failures(self) -> int:
        """How many runs failed."""
        return int((self.error >= 0).sum())

    def node_hours(self) -> tuple[float, float]:
        """Of dedicated and low-priority nodes, if the pool were always as large as its targets."""
        hours = self.every / _HOUR
        dedicated, low_priority = (np.sum(targets, dtype=np.float64) for targets in (self.dedicated, self.low_priority))
        return float(dedicated) * hours, float(low_priority) * hours

    @cached_property
    def nodes(self) -> Targets:
        """Both targets together."""
        return self.dedicated + self.low_priority

    def resizes(self) -> int:
        """How often a run changed a target that the run before had left."""
        changed = (np.diff(self.dedicated) != 0) | (np.diff(self.low_priority) != 0)
        return int(changed.sum())

    def hours_at_zero(self) -> float:
        """How long both targets were zero."""
        return int((self.nodes == 0).sum()) * self.every / _HOUR


def replay(
    formula: Formula | str,
    samples: Samples | Recording,
    start: float | None = None,
    end: float | None = None,
    every: float = EVERY,
    delay: float = 0.0,
) -> Replay:
    """Run a formula every `every` seconds from `start` to `end`, equal to that many calls of `Formula.evaluate`.

    A run sees the samples up to its own time less `delay` seconds (the service shows a sample about a minute after it
    was taken). Default: from the first time at which every series has a sample, to the last sample. The pool's values
    are those that the recording has at that time. Of those that it does not have, targets are what the run before
    decided, and the pool follows its targets at once; other values stay as `samples.pool` has them.

    Raises FormulaError for a syntax error; ValueError for times that give no run.
    """
    compiled = compile_formula(formula) if isinstance(formula, str) else formula
    if not (isfinite(delay) and delay >= 0):
        raise ValueError(f"the delay must not be negative, as {delay:g} seconds are")
    recording = samples if isinstance(samples, Recording) else Recording.of(samples)
    course = Course(recording, _run_times(samples, start, end, every), delay)
    program = compiled._program
    if course.reads_own_output(program):
        decided = decide_with_loop(compiled, course)
    else:
        try:
            decided, failures = decide_with_arrays(compiled._checked, program, course)
        except Unsupported:
            decided = decide_with_loop(compiled, course)
        else:
            _name_errors(compiled, course, decided, failures)
    errors = tuple(decided.errors)
    return Replay(
        compiled, course, every, decided.dedicated, decided.low_priority, decided.option, decided.error, errors
    )


def _run_times(samples: Samples | Recording, start: float | None, end: float | None, every: float) -> Floats:
    if not (isfinite(every) and every > 0):
        raise ValueError(f"the time between two runs must be positive, not {every:g} seconds")
    if start is None or end is None:
        filled = [series for series in samples.series.values() if len(series)]
        if not filled:
            raise ValueError("there are no samples; say when the first and the last run are")
        start = max(float(series.times[0]) for series in filled) if start is None else start
        end = max(float(series.times[-1]) for series in filled) if end is None else end
    if not (isfinite(start) and isfinite(end)):
        raise ValueError("the first and the last run must be finite times")
    if not start <= end:
        raise ValueError("the first run must not be later than the last one")
    steps = (end - start) / every + 1e-9
    if steps >= _MOST_RUNS:
        raise ValueError(f"{steps:.0f} runs are too many; make the time between two runs longer")
    return start + every * np.arange(int(steps) + 1, dtype=np.float64)


def _name_errors(formula: Formula, course: Course, decided: Decisions, failures: Failures) -> None:
    """The error of every kind of failure is that of its first run."""
    kinds = sorted(failures.kinds(), key=lambda runs: int(runs.min()))
    if not kinds:
        return
    history = History(course, formula._program)
    known: dict[EvaluationError, int] = {}
    for runs in kinds:
        run = int(runs.min())
        before = left_before(decided.dedicated, decided.low_priority, run)
        error = formula.evaluate(history.samples(run, *before), float(course.times[run])).error
        if error is None:
            raise AssertionError(f"run {run} of {formula!r} does not fail in the same way twice")
        decided.error[runs] = known.setdefault(error, len(known))
    decided.errors.extend(known)
