"""When runs are due: intervals and cron lines, on clocks that are changed."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pools import MetadataItem, OptionError, ScheduleOptions, schedule_options
from runner import Schedule
from runner.cron import Cron
from runner.recurrence import ended, first_run, latest_run, next_run
from runner.schedule_checks import times_faults

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def at(text, zone="UTC", fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def runs(line, zone, start, end):
    """Local times with their offset from `start` until `end`."""
    cron, found = Cron(line, zone), []
    instant = cron.first(at(start, zone))
    while instant is not None and instant <= at(end, zone):
        found.append(datetime.fromtimestamp(instant, ZoneInfo(zone)).strftime("%d %H:%M %z"))
        instant = cron.after(instant)
    return found


DAYLIGHT_SAVING = {
    # the clocks go forward: what is left out comes once, at the first moment after the gap
    ("30 2 * * *", BERLIN, "2026-03-28", "2026-03-31"): ["28 02:30 +0100", "29 03:00 +0200", "30 02:30 +0200"],
    ("30 2 * * *", NEW_YORK, "2026-03-07", "2026-03-10"): ["07 02:30 -0500", "08 03:00 -0400", "09 02:30 -0400"],
    ("15 2 * * *", LORD_HOWE, "2026-10-03", "2026-10-06"): ["03 02:15 +1030", "04 02:30 +1100", "05 02:15 +1100"],
    # both times of a gap are one moment, and one run
    ("0,30 2 * * *", BERLIN, "2026-03-29", "2026-03-30"): ["29 03:00 +0200"],
    # a time of its own at the end of the gap is the same moment
    ("0 2-3 * * *", BERLIN, "2026-03-29", "2026-03-30"): ["29 03:00 +0200"],
    # the clocks go back: what comes twice counts the first time
    ("30 2 * * *", BERLIN, "2026-10-24", "2026-10-27"): ["24 02:30 +0200", "25 02:30 +0200", "26 02:30 +0100"],
    ("30 1 * * *", NEW_YORK, "2026-10-31", "2026-11-03"): ["31 01:30 -0400", "01 01:30 -0400", "02 01:30 -0500"],
    ("45 1 * * *", LORD_HOWE, "2026-04-04", "2026-04-07"): ["04 01:45 +1100", "05 01:45 +1100", "06 01:45 +1030"],
    ("0 3 * * *", BERLIN, "2026-10-25", "2026-10-26"): ["25 03:00 +0100"],
    # a line with a star follows the clock: also through the hour that comes twice, not through the one left out
    ("*/30 2 * * *", BERLIN, "2026-10-25", "2026-10-26"): [
        *("25 02:00 +0200", "25 02:30 +0200", "25 02:00 +0100", "25 02:30 +0100")
    ],
    ("*/30 2 * * *", BERLIN, "2026-03-29", "2026-03-30"): [],
    ("0 * * * *", BERLIN, "2026-03-29", "2026-03-29 04:00"): [
        *("29 00:00 +0100", "29 01:00 +0100", "29 03:00 +0200", "29 04:00 +0200")
    ],
    ("*/15 3 * * *", LORD_HOWE, "2026-10-04", "2026-10-05"): [
        *("04 03:00 +1100", "04 03:15 +1100", "04 03:30 +1100", "04 03:45 +1100")
    ],
    ("*/15 1 * * *", LORD_HOWE, "2026-04-05", "2026-04-06"): [
        *("05 01:00 +1100", "05 01:15 +1100", "05 01:30 +1100", "05 01:45 +1100", "05 01:30 +1030", "05 01:45 +1030")
    ],
    # a whole day that was left out
    ("0 12 * * *", "Pacific/Apia", "2011-12-29", "2012-01-01"): ["29 12:00 -1000", "31 00:00 +1400", "31 12:00 +1400"],
}


@pytest.mark.parametrize(("line", "zone", "start", "end"), DAYLIGHT_SAVING)
def test_daylight_saving(line, zone, start, end):
    assert runs(line, zone, start, end) == DAYLIGHT_SAVING[line, zone, start, end]


def test_a_run_in_the_hour_that_comes_twice_is_not_found_again_from_its_second_half():
    cron = Cron("30 2 * * *", BERLIN)
    second = at("2026-10-25 02:10", BERLIN, fold=1)
    assert cron.after(second) == at("2026-10-26 02:30", BERLIN)


ZONES = st.sampled_from((BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu", "Africa/Casablanca"))
FIELD = {
    "minute": st.sampled_from(("*", "*/7", "0", "15", "30,45", "59")),
    "hour": st.sampled_from(("*", "*/5", "0", "1", "2", "1-3", "23")),
    "day": st.sampled_from(("*", "1", "25-31", "L")),
    "weekday": st.sampled_from(("*", "SUN", "1-5", "0#1")),
}
LINES = st.builds("{} {} {} * {}".format, FIELD["minute"], FIELD["hour"], FIELD["day"], FIELD["weekday"])
INSTANTS = st.integers(int(at("2026-01-01")), int(at("2027-12-31"))).map(float)
#: near a change of the clocks
CHANGES = st.builds(
    lambda change, seconds: change + seconds,
    st.sampled_from([at(t) for t in ("2026-03-29 01:00", "2026-10-25 01:00", "2026-03-08 07:00", "2026-11-01 06:00")]),
    st.integers(-10800, 10800).map(float),
)


@settings(max_examples=150, deadline=None)
@given(LINES, ZONES, INSTANTS | CHANGES, st.floats(0, 1))
def test_runs_do_not_hang_on_where_one_asks_from(line, zone, start, share):
    cron = Cron(line, zone)
    run = cron.after(start)
    assert run is not None
    assert run > start
    assert cron.after(start + share * (run - start) * 0.999) == run
    assert cron.first(run) == run
    assert cron.last(start, run) == run


@settings(max_examples=60, deadline=None)
@given(LINES, ZONES, INSTANTS | CHANGES)
def test_a_line_with_a_star_runs_whenever_the_clock_matches(line, zone, start):
    minute, hour = line.split()[:2]
    if not (minute.startswith("*") or hour.startswith("*")):
        return
    cron, plain = Cron(line, zone), Cron(line, "UTC")
    moment = (start // 60) * 60
    for _ in range(600):
        moment += 60
        local = datetime.fromtimestamp(moment, ZoneInfo(zone)).replace(tzinfo=UTC).timestamp()
        assert (cron.first(moment) == moment) == (plain.first(local) == local)


@settings(max_examples=60, deadline=None)
@given(LINES, ZONES, INSTANTS, st.integers(0, 40 * 86400))
def test_the_last_run_is_the_last(line, zone, start, seconds):
    cron, now = Cron(line, zone), start + seconds
    last = cron.last(start, now)
    if last is None:
        assert cron.first(start) > now
    else:
        following = cron.after(last)
        assert following is not None
        assert start <= last <= now < following
        assert cron.first(last) == last


def test_the_last_of_many_runs_is_found_at_once():
    counted = 0

    class Counting(Cron):
        def after(self, instant):
            nonlocal counted
            counted += 1
            return super().after(instant)

    assert Counting("* * * * *", BERLIN).last(0.0, at("2026-05-05 12:00:30")) == at("2026-05-05 12:00")
    assert counted < 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("cron", line) for line in ("", "* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "a b c d e", "@daily")),
        *(("cron", line) for line in ("0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 *", "0 0 * 2 MON#9", "* * * * ٣")),
        *(("timeZone", zone) for zone in ("", "Europe", "Berlin", "Europe/Atlantis", "/etc/localtime", "../x", "a\0b")),
        ("missedRuns", "all"),
        ("overlap", "allow"),
    ],
)
def test_options_that_cannot_be(name, value):
    with pytest.raises(OptionError, match=name):
        schedule_options([MetadataItem(name=name, value=value)])


@pytest.mark.parametrize(
    "line", ["0 0 29 2 *", "30 6 * * MON-FRI", "0 0 L * *", "0 0 31 * *", "0 0 30 2 MON", "5/10 * * * 7"]
)
def test_options_that_can(line):
    assert schedule_options([MetadataItem(name="cron", value=line)]).cron == line


# -- schedules

EVERY_HOUR = Schedule(recurrence_interval=timedelta(hours=1))
DAILY = ScheduleOptions(cron="0 6 * * *", time_zone=BERLIN)


def test_a_cron_schedule_begins_at_its_first_time():
    now = at("2026-07-01 10:00", BERLIN)
    assert first_run(Schedule(), now, DAILY) == at("2026-07-02 06:00", BERLIN)
    until = Schedule(do_not_run_until=datetime(2026, 8, 1, 4, tzinfo=UTC))
    assert first_run(until, now, DAILY) == at("2026-08-01 06:00", BERLIN)  # which is 4:00 UTC
    over = Schedule(do_not_run_after=datetime(2026, 7, 2, 3, 59, tzinfo=UTC))
    assert first_run(over, now, DAILY) is None


SCHEDULES = st.tuples(st.just(EVERY_HOUR), st.just(ScheduleOptions())) | st.builds(
    lambda line, zone: (Schedule(), ScheduleOptions(cron=line, time_zone=zone)), LINES, ZONES
)


@settings(max_examples=80, deadline=None)
@given(SCHEDULES, INSTANTS, st.lists(st.integers(0, 100_000), min_size=1, max_size=8))
def test_runs_follow_each_other_and_none_is_passed_over(schedule, start, delays):
    times, options = schedule
    due = first_run(times, start, options)
    chosen, now = [], start
    for delay in delays:
        assert due is not None
        now = due + delay
        latest = latest_run(times, due, now, options)
        following = next_run(times, latest, now, options)
        assert following is not None
        assert due <= latest <= now < following
        # nothing between the latest and the next: the grid has no holes
        assert next_run(times, latest, latest, options) == following
        chosen.append(latest)
        due = following
    assert all(one < other for one, other in pairwise(chosen))


def test_the_end():
    end = Schedule(do_not_run_after=datetime(2026, 1, 1, tzinfo=UTC), recurrence_interval=timedelta(hours=1))
    assert not ended(end, at("2026-01-01"))
    assert ended(end, at("2026-01-01") + 1)
    assert next_run(end, at("2025-12-31 23:00"), at("2025-12-31 23:00")) == at("2026-01-01")
    assert next_run(end, at("2026-01-01"), at("2026-01-01")) is None


END = at("9999-12-31T23:59:59")


def test_nothing_is_due_after_the_last_year():
    """Whatever a record says that was let in once."""
    yearly, far = Schedule(recurrence_interval=timedelta(days=366)), timezone(timedelta(hours=-14))
    assert next_run(yearly, END - 86400, END - 86400) is None
    assert next_run(Schedule(recurrence_interval=timedelta(days=10**7)), 0.0, 0.0) is None
    late = Schedule(do_not_run_until=datetime(9999, 12, 31, 23, tzinfo=far))
    assert first_run(late, 0.0) is None
    assert first_run(late, 0.0, ScheduleOptions(cron="0 6 * * *")) is None
    assert first_run(Schedule(do_not_run_until=datetime.max), 0.0) is not None


@pytest.mark.parametrize(
    ("times", "name"),
    [
        (Schedule(recurrence_interval=Schedule.LONGEST_INTERVAL + timedelta(seconds=1)), "recurrenceInterval"),
        (Schedule(do_not_run_until=datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))), "doNotRunUntil"),
        (Schedule(do_not_run_after=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))), "doNotRunAfter"),
        (Schedule(recurrence_interval=Schedule.LONGEST_INTERVAL, do_not_run_after=datetime.max), None),
    ],
)
def test_times_that_lead_out_of_the_years(times, name):
    assert list(times_faults(times, 60.0)) == ([name] if name is not None else [])
