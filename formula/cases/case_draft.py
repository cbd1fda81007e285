"""A case while it is read: set-up that is shared or its own, and the steps."""

from __future__ import annotations

import copy
from dataclasses import replace
from math import inf
from pathlib import Path

from ..embedded import FormulaText
from ..samples import DEFAULT_PERIOD, Samples
from ..samples_csv import SampleTable
from ..samples_files import parse_samples
from ..samples_json import samples_from_json
from ..spelling import did_you_mean
from ..timestamps import parse_time
from .case import Case, Step
from .durations import parse_duration
from .expectations import DiagnosticExpectation, read_expectation
from .formula_source import formula_of_file, inline_formula
from .placeholders import fill_placeholders, read_given
from .series_notation import read_series
from .set_up_notation import POOL_NAMES, read_metric, read_moment, read_pool, read_times

#: When cases play that name no time: a Monday at noon.
DEFAULT_NOW = parse_time("2026-01-05T12:00:00Z")

_WORDS = ("case", "formula", "now", "period", "seed", "pool", "given", "samples", "at", "expect")


class DraftError(ValueError):
    """What is wrong with a whole case; `line` is where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class CaseDraft:
    def __init__(self, file: str, text: str, folder: Path) -> None:
        self._file = file
        self._text = text
        self._folder = folder
        self._line = 0
        self._name: str | None = None
        self._formula: FormulaText | None = None
        self._now: float | None = None
        self._period: float | None = None
        self._seed: int | None = None
        self._samples: tuple[int, str] | None = None
        self._pool: dict[str, float] = {}
        self._given: dict[str, str] = {}
        self._series: dict[str, tuple[int, str]] = {}
        #: Steps with their times as written.
        self._steps: list[tuple[str, Step]] = []
        self._findings: list[DiagnosticExpectation] = []

    def begin_case(self, line: int, name: str) -> CaseDraft:
        """A case that begins with what this draft has set up."""
        draft = copy.copy(self)
        draft._pool, draft._series, draft._given = dict(self._pool), dict(self._series), dict(self._given)
        draft._steps, draft._findings = [], []
        draft._line, draft._name = line, name
        if not name:
            raise ValueError("the case needs a name: `case a busy pool grows`")
        return draft

    def set_block(self, line: int, last: int) -> None:
        """The formula in the lines below `line`."""
        if last == line:
            raise ValueError("write the formula's lines below, indented deeper, or its file: `formula pool.formula`")
        self._before_steps("formula")
        self._formula = inline_formula(self._file, self._text, line + 1, last)

    def set(self, line: int, word: str, rest: str) -> None:
        """One line. Raises ValueError with the cure."""
        match word:
            case "expect":
                self._expect(line, rest)
            case "at":
                self._in_case("at")
                self._steps.append((rest, Step(line, ())))
            case "pool":
                (self._steps[-1][1].pool if self._steps else self._pool).update(read_pool(rest))
            case _ if word in _WORDS or word.startswith("$"):
                self._before_steps(word)
                self._set_up(line, word, rest)
            case _:
                known = f"known are {', '.join(_WORDS)}, and metrics, as in `$PendingTasks 4x10`"
                hint = did_you_mean(word, _WORDS) or known
                raise ValueError(f"a line cannot begin with {word!r}; {hint}")

    def _set_up(self, line: int, word: str, rest: str) -> None:
        match word:
            case "formula":
                self._formula = formula_of_file(rest, self._folder)
            case "now":
                self._now = read_moment(rest)
            case "period":
                self._period = parse_duration(rest)
                if self._period <= 0:
                    raise ValueError("the period must be longer than nothing")
            case "seed":
                if not (rest.isascii() and rest.isdigit()):
                    raise ValueError(f"the seed is a whole number, not {rest!r}")
                self._seed = int(rest)
            case "given":
                name, number = read_given(rest)
                self._given[name] = number
            case "samples":
                self._samples = (line, rest)
            case _:
                name = read_metric(word)
                before, _ = self._series.get(name, (0, ""))
                if before > self._line:
                    raise ValueError(f"{name} has samples in line {before} already; write all of them in one line")
                self._series[name] = (line, rest)

    def _expect(self, line: int, rest: str) -> None:
        self._in_case("expect")
        expectation = read_expectation(rest, line)
        if isinstance(expectation, DiagnosticExpectation):
            self._findings.append(expectation)
            return
        if not self._steps:
            self._steps.append(("+0", Step(line, ())))
        self._steps[-1][1].expectations.append(expectation)

    def _in_case(self, word: str) -> None:
        if self._name is None:
            raise ValueError(f"`{word}` belongs to a case; write `case` and its name above it")

    def _before_steps(self, word: str) -> None:
        if self._steps:
            message = f"{word}: must stand before the first `at` and `expect` of its case"
            if word.startswith("$"):
                message += "; samples of later stand behind `|` in the line of their series"
            raise ValueError(message)

    def complete(self) -> Case:
        """Raises DraftError."""
        if self._formula is None:
            raise DraftError(self._line, "the case has no formula; write `formula` and a file, or its lines below it")
        if not self._findings and not any(step.expectations for _, step in self._steps):
            raise DraftError(self._line, "the case expects nothing; write `expect $TargetDedicatedNodes == 3`")
        formula, missing = fill_placeholders(self._formula, self._given)
        if missing:
            names = ", ".join(missing)
            raise DraftError(self._line, f"the formula has placeholders: {names}; write `given {missing[0]} 20`")
        recorded, now = self._recorded()
        now = DEFAULT_NOW if now is None else now
        steps = self._timed_steps(now)
        pool = recorded.pool if recorded else None
        period = self._period or (recorded.period if recorded else DEFAULT_PERIOD)
        series = dict(recorded.series) if recorded else {}
        for name, (line, text) in self._series.items():
            try:
                series[name] = read_series(text, now, period)
            except ValueError as reason:
                raise DraftError(line, str(reason)) from None
        given: dict[str, float] = {name: getattr(pool, name) for name in POOL_NAMES.values()} if pool else {}
        return Case(
            file=self._file,
            line=self._line,
            name=self._name or "",
            formula=formula,
            now=now,
            period=period,
            seed=self._seed,
            pool={**given, **self._pool},
            series=series,
            steps=tuple(steps),
            findings_expected=tuple(self._findings),
        )

    def _recorded(self) -> tuple[Samples | None, float | None]:
        """All samples of the file that the case names, the pool as it was at the first run, and the time of that."""
        if self._samples is None:
            return None, self._now
        line, name = self._samples
        path = self._folder / name
        try:
            found = parse_samples(str(path), path.read_bytes())
            if not isinstance(found, SampleTable):
                return samples_from_json(found, self._now)
            first, now = found.samples(self._now)
            return replace(first, series=found.samples(inf)[0].series), now
        except OSError as reason:
            raise DraftError(line, f"{path}: {reason.strerror or reason}") from None
        except ValueError as reason:
            raise DraftError(line, f"{path}: {reason}") from None

    def _timed_steps(self, now: float) -> list[Step]:
        steps: list[Step] = []
        for text, step in self._steps:
            try:
                times = read_times(text, now)
            except ValueError as reason:
                raise DraftError(step.line, str(reason)) from None
            if steps and times[0] <= steps[-1].times[-1]:
                raise DraftError(step.line, f"at {text}: is not later than the step before it")
            steps.append(Step(step.line, times, step.pool, step.expectations))
        return steps
