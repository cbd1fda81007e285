"""Cron expressions on the clock of a time zone, as instants. Pure.

What a line of five fields means is cronsim's; what becomes of it when the clocks are changed is decided here, as
Debian's cron does it:

- A line of fixed times (neither minute nor hour begins with `*`) runs once for each of them. A time that is left out
  when the clocks go forward comes at the first moment after the gap; one that comes twice when they go back counts the
  first time.
- Any other line runs whenever the clock of the zone matches it: every quarter of an hour of real time, for example,
  also in the hour that comes twice; not in the one that is left out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim

from pools import ScheduleOptions

HOUR, DAY = 3600.0, 86400.0
#: How far back a run is looked for, in steps: the more often a line runs, the sooner one is found.
_BACK = (HOUR, 25 * HOUR, 32 * DAY, 370 * DAY, 9 * 366 * DAY)
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Cron:
    def __init__(self, line: str, zone: str) -> None:
        """Both are valid, see `pools.schedule_options`."""
        self._line = line
        self._zone = ZoneInfo(zone)
        minute, hour = line.split()[:2]
        self._fixed = not minute.startswith("*") and not hour.startswith("*")

    def after(self, instant: float) -> float | None:
        """The first run after the instant; None if none will come in 50 years."""
        try:
            start = datetime.fromtimestamp(instant, UTC).replace(microsecond=0)
            return (self._fixed_after(start) if self._fixed else self._matching_after(start)).timestamp()
        except (StopIteration, OverflowError, ValueError):  # the last two: beyond the year 9999
            return None

    def first(self, instant: float) -> float | None:
        """The first run at the instant or after it."""
        return self.after(instant - 0.001)

    def last(self, start: float, now: float) -> float | None:
        """The last run from `start` until `now`, both counted in."""
        before = start - 0.001
        for back in _BACK:
            found, run = None, self.after(max(before, now - back))
            while run is not None and run <= now:
                found, run = run, self.after(run)
            if found is not None:
                return found
            if now - back <= before:
                return None
        return self.first(start)

    def _fixed_after(self, start: datetime) -> datetime:
        for local in CronSim(self._line, self._local(start)):
            run = local.replace(tzinfo=self._zone)
            while _left_out(run):
                run += _MINUTE  # a time of the wall clock
            found = run.astimezone(UTC)
            if found > start:  # in the hour that comes twice, the first time may be over
                return found
        raise StopIteration

    def _matching_after(self, start: datetime) -> datetime:
        local, offset = self._local(start), self._offset(start)
        while True:
            found = (next(CronSim(self._line, local)) - offset).replace(tzinfo=UTC)
            change = self._change(start, found, offset)
            if change is None:
                return found
            # the clocks are changed before that: from there on, by the new time
            start, offset = change, self._offset(change)
            local = self._local(change) - _SECOND

    def _local(self, instant: datetime) -> datetime:
        return instant.astimezone(self._zone).replace(tzinfo=None)

    def _offset(self, instant: datetime) -> timedelta:
        offset = instant.astimezone(self._zone).utcoffset()
        assert offset is not None
        return offset

    def _change(self, start: datetime, end: datetime, offset: timedelta) -> datetime | None:
        """The first moment after `start`, until `end`, at which the zone's offset is another one."""
        low = start
        while low < end:
            high = min(low + timedelta(days=1), end)
            if self._offset(high) == offset:
                low = high
                continue
            while high - low > _SECOND:
                middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
                low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
            return high
        return None


def _left_out(time: datetime) -> bool:
    """Does the wall clock never show this time?"""
    return time.replace(tzinfo=None) != time.astimezone(UTC).astimezone(time.tzinfo).replace(tzinfo=None)


@lru_cache(maxsize=1024)
def cron_of(options: ScheduleOptions) -> Cron:
    """Of options that have one."""
    assert options.cron is not None
    return Cron(options.cron, options.time_zone)
