"""What went wrong, and what a formula decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pools import AutoScaleError, AutoScaleRun, FailureInfo, NameValue, ResizeError

from .specifications import instant, known


def failure_view(failure: FailureInfo | None) -> dict[str, Any] | None:
    """`failureInfo` of an execution, `schedulingError` of a job or a task."""
    if failure is None:
        return None
    return {
        "category": failure.category,
        "code": failure.code,
        "message": failure.message,
        "details": _pairs(failure.details),
    }


def error_view(error: AutoScaleError | ResizeError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {"code": error.code, "message": error.message, "values": _pairs(error.values)}


def autoscale_run_view(run: AutoScaleRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return known({"timestamp": instant(run.timestamp), "results": run.results, "error": error_view(run.error)})


def _pairs(values: Iterable[NameValue]) -> list[dict[str, str]]:
    return [{"name": each.name, "value": each.value} for each in values]
