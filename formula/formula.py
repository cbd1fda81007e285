"""A compiled formula, and running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random

from .checker import CheckedProgram, check_program
from .compiler import Assigned, Program, compile_program, is_user_variable
from .diagnostics import Diagnostic, FormulaError
from .evaluation import (
    EVALUATION_ERROR,
    INSUFFICIENT_DATA,
    Evaluation,
    EvaluationError,
    format_value,
    results_text,
)
from .faults import Fault, InsufficientData, Refused, Stopped
from .parser import parse
from .samples import PoolValues, Samples
from .source import Source
from .value_types import NOTHING, Value, marked
from .variables import DEALLOCATION_OPTION, DEFAULT_OPTION, assigned_target
from .vectors import DIVISION_BY_ZERO

_DEDICATED = "$TargetDedicatedNodes"
_LOW_PRIORITY = "$TargetLowPriorityNodes"
_OLD_DEDICATED = "$TargetDedicated"
_MESSAGES = {
    INSUFFICIENT_DATA: "Autoscale evaluation failed due to insufficient sample data",
    EVALUATION_ERROR: "Autoscale evaluation failed due to an error in the formula",
}


class Formula:
    """A formula that parsed. Immutable; made by `compile_formula`, which caches it by its text.

    `diagnostics`: the errors and warnings of the checker. A formula with errors runs up to the first
    statement that has one, and its evaluation reports that.
    """

    def __init__(self, checked: CheckedProgram, program: Program) -> None:
        self.text = checked.source.text
        self.diagnostics = checked.diagnostics
        self._checked = checked
        self._program = program
        self._own = [step.name for step in program.results if is_user_variable(step.name)]
        written = {item.name for item in program.assigned if item} - {DEALLOCATION_OPTION}
        targets = {name for name in written if not is_user_variable(name)}
        # A formula of the time before low-priority nodes is answered as it was then.
        self._old_style = targets == {_OLD_DEDICATED}

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The series that it reads, with their `$`."""
        return self._program.series

    @property
    def pool_values(self) -> tuple[str, ...]:
        """What it reads of the pool as it is, as `PoolValues` calls it."""
        return self._program.pool_fields

    @property
    def draws(self) -> bool:
        """Does it call rand()?"""
        return self._program.uses_rand

    def evaluate(self, samples: Samples, now: float, rng: Random | None = None) -> Evaluation:
        """Run the formula at `now` (seconds since the epoch, UTC).

        Never raises for what a formula does: see `Evaluation.error`. `rng` feeds rand(); without one it is
        seeded from `now`, so that the same inputs give the same outcome.
        """
        program = self._program
        pool = samples.pool
        try:
            values = program.run(now, samples.period, self._draw(now, rng), *program.arguments(samples))
        except Stopped as stop:
            values_by_name, _ = self._values_at(stop)
            return self._succeed(now, pool, values_by_name)
        except (Fault, Refused, ArithmeticError) as failure:
            return self._fail(now, pool, failure)
        final = {
            step.name: marked(value, step.types) for step, value in zip(program.results, values, strict=True)
        }
        return self._succeed(now, pool, final)

    def _draw(self, now: float, rng: Random | None) -> Callable[[], float] | None:
        if not self._program.uses_rand:
            return None
        return (rng or Random(now)).random

    def _succeed(self, now: float, pool: PoolValues, values: Mapping[str, Value]) -> Evaluation:
        warnings: list[str] = []
        targets: dict[str, int] = {}
        for full_name, current in (
            (_DEDICATED, pool.target_dedicated),
            (_LOW_PRIORITY, pool.target_low_priority),
        ):
            name = assigned_target(values, full_name)
            value = current if name is None else values[name]
            # Infinities and NaN must not reach the pool; a fraction of a node is cut off.
            try:
                target = int(value)  # type: ignore[arg-type]  # the checker lets only numbers through
            except (ValueError, OverflowError):
                return self._bad_target(now, pool, values, name or full_name, value)
            if target < 0:
                warnings.append(f"{name or full_name} was {target}, which is taken as 0")
                target = 0
            targets[full_name] = target
        return self._evaluation(now, targets, values, None, tuple(warnings))

    def _evaluation(
        self,
        now: float,
        targets: Mapping[str, int],
        values: Mapping[str, Value],
        error: EvaluationError | None,
        warnings: tuple[str, ...] = (),
    ) -> Evaluation:
        option = str(values.get(DEALLOCATION_OPTION, DEFAULT_OPTION))
        variables = {name: values[name] for name in self._own if name in values}
        shown = list(targets.items())
        if self._old_style:
            shown = [(_OLD_DEDICATED, targets[_DEDICATED])]
        return Evaluation(
            timestamp=now,
            dedicated=targets[_DEDICATED],
            low_priority=targets[_LOW_PRIORITY],
            node_deallocation_option=option,
            variables=variables,
            results=results_text(shown, option, variables),
            error=error,
            warnings=warnings,
        )

    def _fail(self, now: float, pool: PoolValues, failure: Exception) -> Evaluation:
        values, index = self._values_at(failure)
        item = self._checked.statements[index]
        code, at = EVALUATION_ERROR, item.statement.start
        match failure:
            case InsufficientData(at=place):
                code, at = INSUFFICIENT_DATA, place if place is not None else at
                metric = self._program.metrics.get(at, "")
                text = f"Insufficient data from data set: {metric} {failure.message}"
            case Fault():
                at = failure.at if failure.at is not None else at
                text = failure.message
            case Refused():
                first = item.errors[0]
                at = first.start
                text = f"{first.message} ({first.hint})" if first.hint else first.message
            case ZeroDivisionError(__traceback__=traceback):
                place = self._program.generated.place(traceback) if traceback else None
                at = at if place is None else place
                text = DIVISION_BY_ZERO
            case _:
                text = "a number is out of range"
        return self._evaluation(now, _current(pool), values, self._error(code, at, text))

    def _bad_target(
        self, now: float, pool: PoolValues, values: Mapping[str, Value], name: str, value: Value
    ) -> Evaluation:
        at = 0
        for item, step in zip(self._checked.statements, self._program.assigned, strict=False):
            if step is not None and step.name == name:
                at = item.statement.start
        error = self._error(
            EVALUATION_ERROR, at, f"{name} is {format_value(value)}, which is no number of nodes"
        )
        return self._evaluation(now, _current(pool), values, error)

    def _error(self, code: str, at: int, text: str) -> EvaluationError:
        line, column = self._checked.source.position(at)
        return EvaluationError(code, _MESSAGES[code], (("Message", f"Line {line}, Col {column}: {text}"),))

    def _values_at(self, failure: Exception) -> tuple[dict[str, Value], int]:
        """The values computed before the failure, and the number of the statement that failed."""
        program = self._program
        traceback = failure.__traceback__
        while traceback is not None and traceback.tb_frame.f_code is not program.code:
            traceback = traceback.tb_next
        if traceback is None:
            raise failure
        local_values = traceback.tb_frame.f_locals
        index = program.lines[traceback.tb_lineno]
        before: dict[str, Assigned] = {
            step.name: step for step in program.assigned[:index] if step is not None and step.types != NOTHING
        }
        return {name: marked(local_values[step.local], step.types) for name, step in before.items()}, index


def _current(pool: PoolValues) -> dict[str, int]:
    return {_DEDICATED: int(pool.target_dedicated), _LOW_PRIORITY: int(pool.target_low_priority)}


def checked_formula(text: str) -> CheckedProgram:
    """Raises FormulaError for a syntax error or an over-long text; other errors stand in the program."""
    parsed = parse(Source(text))
    checked = check_program(parsed)
    if any(found.is_error for found in parsed.diagnostics):
        raise FormulaError(checked.diagnostics)
    return checked


# The largest formulas take some megabytes.
@lru_cache(maxsize=256)
def compile_formula(text: str) -> Formula:
    """Compile a formula; the same text gives the same object.

    Raises FormulaError for a syntax error or an over-long text. Other errors of the checker stand in
    `Formula.diagnostics`, and make the evaluation fail as the service's does.
    """
    checked = checked_formula(text)
    return Formula(checked, compile_program(checked))


def check(text: str) -> list[Diagnostic]:
    """Everything that is wrong with a formula, in the order of the text. Never raises."""
    return list(check_program(parse(Source(text))).diagnostics)
