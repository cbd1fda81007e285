"""All runs at once, statement by statement, with arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checker import CheckedProgram
from ..compiler import Program
from ..syntax import Assignment, Unparsed
from ..variables import DEALLOCATION_OPTION, DEFAULT_OPTION, PoolField, assigned_target
from .array_expressions import ArrayExpressions
from .course import RECORDED_AS, Course
from .decisions import DECIDED, OPTION_NUMBERS, Decisions, Targets, whole_numbers
from .recording import Floats
from .rows import Failures, Flags, Rows, Unsupported, numbers, put, take


def decide_with_arrays(checked: CheckedProgram, program: Program, course: Course) -> tuple[Decisions, Failures]:
    """What each run decides, and which failed and in what way; the texts of errors are left to the caller.

    The formula must not read what it decided before. Raises Unsupported for what only the loop can do.
    """
    if program.uses_rand:
        raise Unsupported("rand")
    variables: dict[str, Any] = {}
    failures = Failures(len(course))
    expressions = ArrayExpressions(checked, course, variables, failures)
    with np.errstate(all="ignore"):
        for number, item in enumerate(checked.statements):
            rows = failures.without(None)
            if rows is not None and not len(rows):
                break
            statement = item.statement
            if item.errors or isinstance(statement, Unparsed):
                failures.record(rows, True, ("refused", number))
                break
            value = expressions.value(statement.value, rows)
            if isinstance(statement, Assignment):
                _assign(variables, statement.name, value, rows, failures)
        return _decisions(variables, program, course, failures), failures


def _assign(variables: dict[str, Any], name: str, value: Any, rows: Rows, failures: Failures) -> None:
    if name == DEALLOCATION_OPTION:
        # A run that fails keeps the option that it had set before.
        good = failures.without(rows)
        if good is None:
            variables[name] = value
        else:
            at = good if rows is None else np.flatnonzero(failures.site[rows] == 0)
            before = variables.get(name, OPTION_NUMBERS[DEFAULT_OPTION])
            variables[name] = put(take(value, at), good, before, failures.count)
    elif rows is None or not isinstance(value, (np.ndarray, tuple)):
        variables[name] = value
    else:
        variables[name] = put(value, rows, None, failures.count)


def _decisions(variables: dict[str, Any], program: Program, course: Course, failures: Failures) -> Decisions:
    final = {step.name: variables.get(step.name, np.nan) for step in program.results}
    new: list[Floats | None] = []
    for field in DECIDED:
        name = assigned_target(final, RECORDED_AS[field])
        if name is None:
            new.append(None)
            continue
        value: Floats = np.broadcast_to(numbers(final[name]), len(course))
        failures.record(None, ~np.isfinite(value), ("target", field), value)
        new.append(np.maximum(np.trunc(value), 0.0))
    good = failures.site == 0
    dedicated, low_priority = (
        _targets(course, field, value, good) for field, value in zip(DECIDED, new, strict=True)
    )
    option = np.broadcast_to(
        np.asarray(variables.get(DEALLOCATION_OPTION, OPTION_NUMBERS[DEFAULT_OPTION])), len(course)
    ).astype(np.int64)
    return Decisions(dedicated, low_priority, option, np.full(len(course), -1))


def _targets(course: Course, field: PoolField, new: Floats | None, good: Flags) -> Targets:
    """A run that fails, or does not set the target, leaves it as the pool has it."""
    before = np.trunc(course.pool_values(field))
    if new is None:
        new = np.maximum(before, 0.0)
    if good.all():
        return whole_numbers(new)
    if course.is_recorded(field):
        return whole_numbers(np.where(good, new, before))
    last = np.maximum.accumulate(np.where(good, np.arange(len(course)), -1))
    return whole_numbers(np.where(last >= 0, new[last], before))
