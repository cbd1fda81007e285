"""Workloads at set times."""

from datetime import UTC, datetime, timedelta

import pytest

from service.lab import recurring as recurring_runs
from service.lab.distributions import Distribution, Exponential
from service.lab.recurring import TooManyTasks, recurring
from service.lab.scenario import NO_DATE, Recurring
from service.lab.streams import stream

MINUTE = Distribution(constant=60.0)


def made(start=NO_DATE, most=1000, **spec):
    asked = Recurring(**{"duration": MINUTE, "tasks": 1, **spec})
    return recurring(asked, start, 4, stream(1, "arrivals"), most)


@pytest.mark.parametrize(
    ("every", "length", "times"),
    [
        (timedelta(hours=1), timedelta(hours=3), [0, 3600, 7200]),
        (timedelta(hours=1), timedelta(hours=3, seconds=1), [0, 3600, 7200, 10800]),
        (timedelta(hours=5), timedelta(hours=3), [0]),
        (timedelta(seconds=0.5), timedelta(seconds=2), [0, 0.5, 1, 1.5]),
    ],
)
def test_every_so_often(every, length, times):
    found = made(every=every, length=length)
    assert list(found.times) == times
    assert found.horizon == length.total_seconds()


def test_all_tasks_of_a_run_come_at_once():
    found = made(every=timedelta(hours=1), length=timedelta(hours=2), tasks=3)
    assert list(found.times) == [0, 0, 0, 3600, 3600, 3600]
    assert set(found.durations) == {60.0}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cron", "zone", "start", "days", "runs"),
    [
        ("30 6 * * *", "UTC", "2026-01-01T00:00", 2, ["2026-01-01T06:30", "2026-01-02T06:30"]),
        # at the very start is within, at the very end is not
        ("0 0 * * *", "UTC", "2026-01-01T00:00", 2, ["2026-01-01T00:00", "2026-01-02T00:00"]),
        ("0 9 * * MON", "UTC", "2024-01-01T00:00", 8, ["2024-01-01T09:00", "2024-01-08T09:00"]),
        # in Berlin the clocks go forward on 2026-03-29
        ("30 6 * * *", "Europe/Berlin", "2026-03-28T00:00", 2, ["2026-03-28T05:30", "2026-03-29T04:30"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", 365, []),
    ],
)
def test_by_cron(cron, zone, start, days, runs):
    found = made(at(start), cron=cron, time_zone=zone, length=timedelta(days=days))
    assert [at(start) + time for time in found.times] == [at(run) for run in runs]


def test_more_tasks_than_a_workload_has():
    spec = {"cron": "* * * * *", "length": timedelta(days=1), "tasks": 10}
    assert len(made(most=14400, **spec)) == 14400
    with pytest.raises(TooManyTasks, match="would be more than 14399 tasks"):
        made(most=14399, **spec)


def test_more_runs_than_are_looked_up(monkeypatch):
    monkeypatch.setattr(recurring_runs, "MOST_RUNS", 1440)
    spec = {"cron": "* * * * *", "length": timedelta(days=1)}
    assert len(made(most=10_000, **spec)) == 1440
    with pytest.raises(TooManyTasks, match="would be more than 1440 runs"):
        made(most=10_000, cron="* * * * *", length=timedelta(days=1, minutes=1))


def test_durations_and_slots_are_drawn():
    spec = {
        "every": timedelta(minutes=1), "length": timedelta(days=1),
        "duration": Distribution(exponential=Exponential(mean=30.0)),
    }  # fmt: skip
    one, other = (made(most=10_000, slots=Distribution(empirical=(1.0, 2.0)), **spec) for _ in range(2))
    assert one == other
    assert set(one.slots) == {1, 2}
    assert len(set(one.durations)) == len(one)
