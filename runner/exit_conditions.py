"""What the end of a task means for its job and for the tasks that depend on it. Pure.

Source of the rules: Batch REST API, exitConditions.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pools import FailureInfo

from .failure import UPLOAD
from .task_spec import ExitConditions, ExitOptions

JobAction = Literal["none", "disable", "terminate"]

#: Failures that are neither the command's nor of what comes before and after it; they count as `default`.
_AROUND = frozenset(("FailureExitCode", "TaskEnded", "ExecutionLost"))


class Consequence(NamedTuple):
    job_action: JobAction
    #: may tasks start that depend on it?
    satisfies: bool


def consequence(
    conditions: ExitConditions | None, exit_code: int | None, failure: FailureInfo | None
) -> Consequence:
    """Of a task that will not be tried again. `failure` None: it succeeded.

    A code that is named goes before all else; a range, the first that holds the code, before what happened around the
    command. Exit code 0 is never covered by `default`.
    """
    options = _options(conditions, exit_code, failure) if conditions is not None else None
    action = options.job_action if options is not None else None
    dependency = options.dependency_action if options is not None else None
    return Consequence(
        action or ("none" if failure is None else "terminate"),
        failure is None if dependency is None else dependency == "satisfy",
    )


def allows(conditions: ExitConditions | None, exit_code: int | None, failure: FailureInfo | None) -> bool:
    """Is that failure as it was planned? The command's exit code is named, by itself or in a range, with `jobAction:
    none` and `dependencyAction: satisfy`."""
    if conditions is None or exit_code is None or failure is None or failure.code != "FailureExitCode":
        return False
    options = _named(conditions, exit_code)
    return options is not None and (options.job_action, options.dependency_action) == ("none", "satisfy")


def _named(conditions: ExitConditions, exit_code: int) -> ExitOptions | None:
    for mapping in conditions.exit_codes:
        if mapping.code == exit_code:
            return mapping.exit_options
    for spread in conditions.exit_code_ranges:
        if spread.start <= exit_code <= spread.end:
            return spread.exit_options
    return None


def _options(
    conditions: ExitConditions, exit_code: int | None, failure: FailureInfo | None
) -> ExitOptions | None:
    named = _named(conditions, exit_code) if exit_code is not None else None
    if named is not None or failure is None:
        return named
    special: ExitOptions | None = None
    if failure.code.startswith(UPLOAD):
        special = conditions.file_upload_error
    elif failure.code not in _AROUND:
        special = conditions.pre_processing_error
    return special if special is not None else conditions.default
