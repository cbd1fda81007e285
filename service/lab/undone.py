"""Why a formula leaves tasks undone, as far as it is its own fault; for people."""

from __future__ import annotations

from formula.lint import lint


def first_failure(number: int, error: str) -> str:
    """`number`: of the run, from 0."""
    return f"run {number + 1}: {error}"


def failed_runs(failed: int, runs: int, first: str) -> str:
    """So many of the autoscale runs failed, one at least; `first`: as `first_failure` tells it."""
    return f"{failed:,} of {runs:,} autoscale runs failed; {first}"


def went_no_further(unfinished: int) -> str:
    """So many tasks, one at least, were given up by the simulation."""
    tasks = "a task" if unfinished == 1 else f"{unfinished:,} tasks"
    return f"{tasks} did not end: for a day or more nothing became of any, and none was at a node"


def without_target(text: str) -> str | None:
    """Of a formula that sets no target what `ebbtide formula check` finds about that, and the cure; else None."""
    found = next((each for each in lint(text) if each.code == "F501"), None)
    return None if found is None else f"{found.code}: {found.message}; {found.hint}"
