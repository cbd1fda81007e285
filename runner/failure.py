"""Whether an execution failed, and why, in the Batch REST API's words. Pure."""

from __future__ import annotations

from pools import FailureInfo

from .events import Outcome
from .model import Ending


def failure_of(report: Outcome, ending: Ending | None) -> FailureInfo | None:
    """None if it succeeded. `ending`: what the node had been asked for."""
    if report.error is not None:
        return FailureInfo("usererror", report.error[0], report.error[1])
    if report.killed and ending is Ending.TERMINATE:
        return FailureInfo("usererror", "TaskEnded", "the task was ended on request")
    if report.timed_out:
        return FailureInfo("usererror", "TaskEnded", "the task ran longer than its maxWallClockTime")
    if report.exit_code != 0:
        return FailureInfo("usererror", "FailureExitCode", f"the task exited with code {report.exit_code}")
    return None
