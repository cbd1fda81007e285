"""What must hold of a job's preparation and release task in a workload file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta

from runner import RELEASE_LIMIT

from .command_checks import check_command
from .cursor import Cursor
from .iso8601 import format_duration
from .problems import Problems

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_KINDS = {"jobPreparationTask": "jobpreparation", "jobReleaseTask": "jobrelease"}


def check_preparation_and_release(
    job: Cursor, tasks: Iterable[Cursor], constraints: Callable[[Cursor], None], problems: Problems
) -> None:
    """`tasks`: all others of the job; `constraints` checks those of whatever it is given."""
    present = {name: task for name in _KINDS if (task := job.get(name)) is not None}
    if not present:
        return
    owners = {(task.text("id") or "").lower(): task for task in tasks}
    for name, task in present.items():
        check_command(task, problems)
        constraints(task)
        own = task.text("id") or _KINDS[name]
        if not _ID.fullmatch(own):
            _error(task, "id", f"may hold 1 to 64 letters, digits, `-` and `_`, not {own[:80]!r}", problems)
        other = owners.setdefault(own.lower(), task)
        if other is not task:
            text = f"{own!r} is the id of another task of the job, line {other.place.line}; give either another one"
            _error(task, "id", text, problems)
    release = present.get("jobReleaseTask")
    if release is None:
        return
    if "jobPreparationTask" not in present:
        text = "needs a jobPreparationTask: it runs on the nodes where that one ran; one that does nothing will do"
        problems.error(release.place, release.path, text)
    limit = release.duration("maxWallClockTime")
    if limit is not None and not timedelta() < limit <= RELEASE_LIMIT:
        text = f"must be longer than nothing and at most {format_duration(RELEASE_LIMIT)}"
        _error(release, "maxWallClockTime", text, problems)
    if release.duration("retentionTime") == timedelta():
        _error(release, "retentionTime", "must be longer than nothing", problems)


def _error(task: Cursor, name: str, text: str, problems: Problems) -> None:
    value = task.get(name) or task
    problems.error(value.place, value.path, text)
