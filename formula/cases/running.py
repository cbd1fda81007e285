"""Running a case."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from ..diagnostics import FormulaError
from ..embedded import FormulaText
from ..evaluation import Evaluation
from ..explain import Coverage, Observation, annotated, observed_formula
from ..lint import lint
from ..samples import PoolValues, Samples, TimeSeries
from ..syntax import Assignment
from .case import Case, Step
from .expectations import ErrorExpectation, Mismatch


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that a run did not meet. `time`: of the run, None for one of the formula's text."""

    mismatch: Mismatch
    time: float | None = None


@dataclass(frozen=True)
class CaseResult:
    """`coverage`: what the case met of its formula, None if that has a syntax error."""

    case: Case
    failures: tuple[Failure, ...]
    coverage: Coverage | None = field(default=None, compare=False)

    @property
    def passed(self) -> bool:
        return not self.failures


def run_case(case: Case) -> CaseResult:
    """Never raises: what goes wrong is a failure."""
    text = case.formula.text
    failures: list[Failure] = []
    if case.findings_expected:
        findings = lint(text, now=case.now)
        judged = (expected.judge_findings(findings) for expected in case.findings_expected)
        failures += [Failure(mismatch) for mismatch in judged if mismatch is not None]
    if not case.steps:
        return CaseResult(case, tuple(failures))
    try:
        formula = observed_formula(text)
    except FormulaError as refused:
        failures.append(Failure(_syntax_error(case, refused)))
        return CaseResult(case, tuple(failures))
    coverage = Coverage(text)
    pool = PoolValues(**case.pool)
    visible = _Visible(case.series)
    rng = None if case.seed is None else Random(case.seed)
    for step in case.steps:
        pool = replace(pool, **step.pool)
        for time in step.times:
            visible.until(time)
            observation = formula.observe(Samples(case.period, visible.series, pool), time, rng)
            coverage.add(observation)
            failures += (Failure(mismatch, time) for mismatch in _judge(step, observation))
            pool = _later(pool, observation.evaluation)
    return CaseResult(case, tuple(failures), coverage)


class _Visible:
    """The samples that are there at a time that only moves on: a series grows, and is never copied."""

    def __init__(self, series: Mapping[str, TimeSeries]) -> None:
        self._whole = series
        self.series = {name: TimeSeries() for name in series}

    def until(self, time: float) -> None:
        for name, whole in self._whole.items():
            seen = self.series[name]
            for index in range(len(seen), bisect_right(whole.times, time)):
                seen.append(whole.times[index], whole.values[index])


def _later(pool: PoolValues, evaluation: Evaluation) -> PoolValues:
    """The pool at the next run: it has reached what was decided."""
    if evaluation.error is not None:
        return pool
    dedicated, low_priority = float(evaluation.dedicated), float(evaluation.low_priority)
    return replace(
        pool,
        target_dedicated=dedicated,
        target_low_priority=low_priority,
        current_dedicated=dedicated,
        current_low_priority=low_priority,
        usable=dedicated + low_priority,
    )


def _judge(step: Step, observation: Observation) -> Iterator[Mismatch]:
    evaluation = observation.evaluation
    fails = any(isinstance(expected, ErrorExpectation) for expected in step.expectations)
    if evaluation.error is not None and step.expectations and not fails:
        # Whatever else is wrong follows from this.
        line = step.expectations[0].line
        yield Mismatch(line, "no error", ("no error",), (str(evaluation.error),))
        return
    for expected in step.expectations:
        mismatch = expected.judge(evaluation)
        if mismatch is not None:
            yield replace(mismatch, notes=(*mismatch.notes, *_origin(observation, mismatch.name)))


def _origin(observation: Observation, name: str | None) -> tuple[str, ...]:
    """Where a variable got its value, with the values that this was computed from."""
    for item in reversed(observation.checked.statements[: observation.completed]):
        statement = item.statement
        if isinstance(statement, Assignment) and statement.name == name:
            return (f"{name} = {annotated(observation, statement.value)}",)
    return ()


def _syntax_error(case: Case, refused: FormulaError) -> Mismatch:
    actual = [rendered(case.formula, found.start, found.code, found.message) for found in refused.diagnostics]
    return Mismatch(case.steps[0].line, "a formula", ("no syntax error",), tuple(actual))


def rendered(formula: FormulaText, offset: int, code: str, message: str) -> str:
    """A finding in one line, with its place in the document of the formula."""
    line, column = formula.position(offset)
    return f"{formula.file}:{line}:{column}: {code}: {message}"
