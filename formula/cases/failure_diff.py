"""The failures of a case for people, as a diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..timestamps import format_time
from .durations import format_duration
from .running import CaseResult

#: What a line is: of the head, of what was expected, of what came instead, or an explanation.
LineKind = Literal["head", "expected", "actual", "note"]


def failure_lines(result: CaseResult) -> Iterator[tuple[LineKind, str]]:
    """The lines of all failures of a case, each with its kind, so that a terminal can colour them."""
    case = result.case
    seen: float | None = None
    for failure in result.failures:
        mismatch = failure.mismatch
        if failure.time is not None and failure.time != seen and (failure.time != case.now or seen is not None):
            after = format_duration(failure.time - case.now)
            yield "head", f"at {format_time(failure.time)} (+{after})"
        seen = failure.time
        yield "head", f"{case.file}:{mismatch.line}: expect {mismatch.expectation}"
        for line in mismatch.expected:
            yield "expected", f"  - {line}"
        for line in mismatch.actual:
            yield "actual", f"  + {line}"
        for line in mismatch.notes:
            yield "note", f"    {line}"


def failure_text(result: CaseResult) -> str:
    """The same as one text."""
    return "\n".join(line for _, line in failure_lines(result))
