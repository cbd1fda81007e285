"""Writing what formulas decide into a case file, in place of what it expected."""

from __future__ import annotations

from collections.abc import Iterable

from .case import CaseFile
from .expectations import Mismatch, ResultsExpectation, ValueExpectation
from .running import CaseResult


def updated(file: CaseFile, results: Iterable[CaseResult]) -> tuple[str, int]:
    """The text of the file with the values that came out, and how many expectations changed.

    Only `NAME == VALUE` and `results` can be mended so, and only where every run of a step gave the same.
    """
    found: dict[int, set[tuple[str, str] | None]] = {}
    for result in results:
        for failure in result.failures:
            found.setdefault(failure.mismatch.line, set()).add(_replacement(result, failure.mismatch))
    lines = file.text.splitlines(keepends=True)
    changed = 0
    for number, replacements in found.items():
        replacement = replacements.pop()
        if replacement is None or replacements:
            continue
        before, after = replacement
        lines[number - 1] = lines[number - 1].replace(before, after, 1)
        changed += 1
    return "".join(lines), changed


def _replacement(result: CaseResult, mismatch: Mismatch) -> tuple[str, str] | None:
    """What stands behind `expect`, and what should; None if nobody can say, or not every run of the step failed so."""
    failed = sum(failure.mismatch.line == mismatch.line for failure in result.failures)
    for step in result.case.steps:
        for expected in step.expectations:
            if expected.line != mismatch.line or mismatch.cure is None or failed < len(step.times):
                continue
            text = expected.text
            if isinstance(expected, ValueExpectation):
                place = text.index(expected.value_text, len(expected.name))
                return text, text[:place] + mismatch.cure + text[place + len(expected.value_text) :]
            if isinstance(expected, ResultsExpectation):
                return text, f"results {mismatch.cure}"
    return None
