"""Metadata items that mean something here (provider, budget, ...), and those that nearly do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pools import (
    JOB_OPTIONS,
    POOL_OPTIONS,
    SCHEDULE_OPTIONS,
    MetadataItem,
    OptionError,
    job_options,
    pool_options,
    schedule_options,
)

from .cursor import Cursor
from .decoding import nearest
from .problems import Problems

#: Options that do nothing without another one.
_NEEDS = {
    "budgetAction": ("budget",),
    "fallbackFor": ("fallbackAfter", "fallbackAfterFailures"),
    "timeZone": ("cron",),
}


def check_pool_metadata(pool: Cursor, problems: Problems) -> None:
    _check(pool, POOL_OPTIONS, pool_options, problems)


def check_job_metadata(job: Cursor, problems: Problems) -> None:
    _check(job, JOB_OPTIONS, job_options, problems)


def check_schedule_metadata(schedule: Cursor, problems: Problems) -> None:
    """That of the schedule itself; its jobs have their own."""
    _check(schedule, SCHEDULE_OPTIONS, schedule_options, problems)
    for item in schedule.each("metadata"):
        if item.text("name") in JOB_OPTIONS:
            text = f"{item.text('name')} is for the jobs: it belongs into the metadata of jobSpecification"
            problems.warn(item.place, f"{item.path}.name", text)


def option(owner: Cursor, name: str) -> Cursor | None:
    """The value of the metadata item of that name."""
    found = (item.get("value") for item in owner.each("metadata") if item.text("name") == name)
    return next((value for value in found if value is not None), None)


def _check(
    owner: Cursor, known: Sequence[str], read: Callable[[list[MetadataItem]], object], problems: Problems
) -> None:
    seen: dict[str, Cursor] = {}
    for item in owner.each("metadata"):
        name, value = item.text("name"), item.get("value") or item
        if name is None:
            continue
        if name not in known:
            near = nearest(name, known)
            if near is not None:
                text = f"{name!r} means nothing here; did you mean {near}?"
                problems.warn(item.place, f"{item.path}.name", text)
            continue
        first = seen.setdefault(name, item)
        if first is not item:
            text = f"{name} stands here a second time (first in line {first.place.line})"
            problems.error(item.place, f"{item.path}.name", text)
            continue
        try:
            read([MetadataItem(name=name, value=item.text("value") or "")])
        except OptionError as exc:
            problems.error(value.place, value.path, str(exc))
    for name, others in _NEEDS.items():
        if name in seen and not any(other in seen for other in others):
            text = f"{name} does nothing without {' or '.join(others)}"
            problems.warn(seen[name].place, f"{seen[name].path}.name", text)
