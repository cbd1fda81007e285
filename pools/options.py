"""What a pool or a job asks for beyond Azure Batch, by `metadata`: the official clients pass that on untouched.

Every other metadata item is its user's own and means nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from .spec import MetadataItem


class BudgetAction(StrEnum):
    """What happens when a budget is used up. From 80 % of it on there is a warning in any case."""

    WARN = "warn"  # say so, and go on
    STOP = "stop"  # no further node is created (pool), no further task is started (job)
    DRAIN = "drain"  # stop; what runs may end, then the nodes leave (pool); the job is terminated (job)


class OptionError(ValueError):
    """A metadata item that is one of ours has a value that cannot be understood. Names the item and the cure."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"metadata {name!r} is {value!r}; it must be {wanted}")
        self.name = name


class PoolOptions(msgspec.Struct, frozen=True, kw_only=True):
    #: the provider that nodes come from; None: the settings' default
    provider: str | None = None
    #: most that a low-priority node may cost per hour
    max_price: float | None = None
    #: dedicated nodes take the place of low-priority ones after so many failed tries in a row ...
    fallback_after_failures: int | None = None
    #: ... or after so many seconds in which low-priority nodes were missing
    fallback_after: float | None = None
    #: low-priority nodes are tried again after so many seconds on dedicated ones
    fallback_for: float = 1800.0
    #: most that the pool may cost in all, in the currency of the prices
    budget: float | None = None
    budget_action: BudgetAction = BudgetAction.STOP


class JobOptions(msgspec.Struct, frozen=True, kw_only=True):
    budget: float | None = None
    budget_action: BudgetAction = BudgetAction.STOP


class MissedRuns(StrEnum):
    """What becomes of a run that came due while no controller looked (it was off, or its machine slept)."""

    SKIP = "skip"  # nothing; the next one comes at its time
    ONCE = "once"  # one job for all of them, at once


class Overlap(StrEnum):
    """What becomes of a run that comes due while the schedule's job is not completed."""

    SKIP = "skip"  # nothing; the next one comes at its time
    QUEUE = "queue"  # its job is made when that job is completed; at most one run waits


class ScheduleOptions(msgspec.Struct, frozen=True, kw_only=True):
    #: five fields, as crontab(5) has them
    cron: str | None = None
    #: IANA name of the zone whose clock `cron` is about
    time_zone: str = "UTC"
    #: None: `once` with an interval, as the service does it; `skip` with `cron`
    missed_runs: MissedRuns | None = None
    overlap: Overlap = Overlap.QUEUE


def _amount(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e12:
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1_000_000:
        raise ValueError(text)
    return int(text)


def _seconds(text: str) -> float:
    seconds = msgspec.convert(text, timedelta).total_seconds()
    if seconds <= 0:
        raise ValueError(text)
    return seconds


def _name(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _cron(text: str) -> str:
    """What cronsim lets in that crontab(5) has: five fields, and a day that will come."""
    from cronsim import CronSim, CronSimError  # few schedules have one

    if len(text.split()) != 5 or not text.isascii():
        raise ValueError(text)
    try:
        next(CronSim(text, _A_LEAP_YEAR))
    except (CronSimError, StopIteration):
        raise ValueError(text) from None
    return text


def _zone(text: str) -> str:
    from zoneinfo import ZoneInfo

    if not text or text.startswith((".", "/")):
        raise ValueError(text)
    try:
        ZoneInfo(text)
    except (LookupError, OSError):
        raise ValueError(text) from None
    return text


_A_LEAP_YEAR = datetime(2024, 1, 1)  # noqa: DTZ001 - of a wall clock, wherever it hangs

_Reader = tuple[str, Callable[[str], Any], str]
_BUDGET: dict[str, _Reader] = {
    "budget": ("budget", _amount, "an amount above 0, such as 12.50"),
    "budgetAction": ("budget_action", BudgetAction, "warn, stop or drain"),
}
_POOL: dict[str, _Reader] = {
    "provider": ("provider", _name, "the name of a provider of the settings"),
    "maxPrice": ("max_price", _amount, "a price per hour above 0, such as 0.05"),
    "fallbackAfterFailures": ("fallback_after_failures", _count, "a whole number, at least 1"),
    "fallbackAfter": ("fallback_after", _seconds, "a duration such as PT10M"),
    "fallbackFor": ("fallback_for", _seconds, "a duration such as PT30M"),
    **_BUDGET,
}
_SCHEDULE: dict[str, _Reader] = {
    "cron": ("cron", _cron, "five cron fields that meet some day, such as '30 6 * * MON-FRI'"),
    "timeZone": ("time_zone", _zone, "a time zone of the IANA, such as Europe/Berlin"),
    "missedRuns": ("missed_runs", MissedRuns, "skip or once"),
    "overlap": ("overlap", Overlap, "skip or queue"),
}

#: Names of the metadata items that mean something here.
POOL_OPTIONS = tuple(_POOL)
JOB_OPTIONS = tuple(_BUDGET)
SCHEDULE_OPTIONS = tuple(_SCHEDULE)
#: Those of them that may change while the pool is there.
POOL_CHANGES = tuple(name for name in _POOL if name != "provider")


def pool_options(metadata: Iterable[MetadataItem]) -> PoolOptions:
    """What the metadata of a pool asks for. Raises OptionError."""
    return PoolOptions(**_read(metadata, _POOL))


@lru_cache(maxsize=1024)
def options_of(metadata: tuple[MetadataItem, ...]) -> PoolOptions:
    """The same for a pool that was let in: what an earlier version has let in and cannot be understood counts for
    nothing."""
    try:
        return pool_options(metadata)
    except OptionError:
        return PoolOptions()


def job_options(metadata: Iterable[MetadataItem]) -> JobOptions:
    """What the metadata of a job asks for. Raises OptionError."""
    return JobOptions(**_read(metadata, _BUDGET))


@lru_cache(maxsize=1024)
def options_of_job(metadata: tuple[MetadataItem, ...]) -> JobOptions:
    """The same for a job that was let in, see `options_of`."""
    try:
        return job_options(metadata)
    except OptionError:
        return JobOptions()


def schedule_options(metadata: Iterable[MetadataItem]) -> ScheduleOptions:
    """What the metadata of a job schedule asks for. Raises OptionError."""
    return ScheduleOptions(**_read(metadata, _SCHEDULE))


@lru_cache(maxsize=1024)
def options_of_schedule(metadata: tuple[MetadataItem, ...]) -> ScheduleOptions:
    """The same for a job schedule that was let in, see `options_of`."""
    try:
        return schedule_options(metadata)
    except OptionError:
        return ScheduleOptions()


def _read(metadata: Iterable[MetadataItem], known: dict[str, _Reader]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in metadata:
        if item.name in known:
            field, read, wanted = known[item.name]
            try:
                found[field] = read(item.value)
            except (ValueError, OverflowError):
                raise OptionError(item.name, item.value, wanted) from None
    return found
