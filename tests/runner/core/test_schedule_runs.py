"""When the jobs of schedules are made: overlaps, windows, what was missed, clocks that are changed."""

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import (
    DeleteJob,
)
from runner.simulation import START
from runner.simulation_faults import Faults

from .run import SETTINGS, ask, job_of, until
from .schedules import DAY, HOUR, at, begun, jobs_of, rest, schedule_of, starts, to

# -- overlap, windows, the end


@pytest.mark.parametrize(
    ("metadata", "times", "hours"),
    [
        # a job takes an hour and a half (and the node 10 s to boot): the run of each second hour waits for it
        ({}, {}, [0, 1.5, 3, 4.5]),
        ({"overlap": "queue"}, {}, [0, 1.5, 3, 4.5]),
        ({"overlap": "skip"}, {}, [0, 2, 4]),
        # the run may wait for 10 minutes only
        ({}, {"start_window": timedelta(minutes=10)}, [0, 2, 4]),
        ({}, {"start_window": timedelta(minutes=40)}, [0, 1.5, 3, 4.5]),
        # the run of 1:00 waits, and no job may be made at 1:30
        ({}, {"do_not_run_after": at(1.25 * HOUR)}, [0]),
        ({}, {"do_not_run_after": at(1.75 * HOUR)}, [0, 1.5]),
    ],
)
def test_one_job_at_a_time(metadata, times, hours):
    sim = begun(duration=1.5 * HOUR, metadata=metadata, **times)
    to(sim, 4.8 * HOUR)
    assert [round(start / HOUR, 1) for start in starts(sim)] == hours
    if "do_not_run_after" in times:
        assert schedule_of(sim).state == "completed"


def test_a_run_that_waits_is_made_when_its_job_is_deleted():
    sim = begun(duration=1.5 * HOUR)
    to(sim, 1.2 * HOUR)
    assert schedule_of(sim).waiting
    assert ask(sim, DeleteJob("s:job-1")) is None
    until(sim, lambda: job_of(sim, "s:job-2") is not None)
    assert sim.now < START + 1.3 * HOUR


# -- what was missed


def off(sim, seconds):
    """The controller is off for so long."""
    sim.faults.restart = seconds
    sim.crash()


class Restarts(Faults):
    restart = 1.0

    def latency(self, kind):
        return self.restart if kind == "restart" else super().latency(kind)


@pytest.mark.parametrize(
    ("seconds", "metadata", "after"),
    [
        (HOUR, {}, "once"),  # as the service: what is due is made up for by one job
        (HOUR, {"missedRuns": "once"}, "once"),
        (HOUR, {"missedRuns": "skip"}, "skip"),
        (None, {"cron": "0 * * * *"}, "skip"),
        (None, {"cron": "0 * * * *", "missedRuns": "once"}, "once"),
    ],
)
@pytest.mark.parametrize("how", ["off", "asleep"])
def test_runs_that_were_missed(seconds, metadata, after, how):
    sim = begun(seconds=seconds, metadata=metadata, duration=60.0)
    sim.faults = Restarts()
    to(sim, 1.5 * HOUR)
    before = len(starts(sim))
    if how == "off":
        off(sim, 3 * DAY + 60.0)  # back at 1:31 of the fourth day
    else:
        sim.sleep(3 * DAY + 60.0)
    back = 3 * DAY + 1.5 * HOUR + 60.0
    to(sim, back + 1.0)
    rest(sim, 600.0)
    made = starts(sim)[before:]
    assert made == ([] if after == "skip" else [pytest.approx(back, abs=30.0)])
    to(sim, 3 * DAY + 2.2 * HOUR)
    assert starts(sim)[-1] == 3 * DAY + 2 * HOUR  # on the grid as before
    assert len(starts(sim)) == before + len(made) + 1


def test_a_short_restart_misses_nothing():
    sim = begun(seconds=None, metadata={"cron": "0 * * * *"}, duration=60.0)
    sim.faults = Restarts()
    to(sim, HOUR - 10.0)
    before = len(starts(sim))
    sim.now = START + HOUR - 10.0
    off(sim, 40.0)
    to(sim, HOUR + 60.0)
    assert len(starts(sim)) == before + 1


def test_a_run_that_waited_is_not_missed():
    sim = begun(seconds=None, metadata={"cron": "0 * * * *"}, duration=1.5 * HOUR)
    sim.faults = Restarts()
    to(sim, 2.2 * HOUR)
    assert schedule_of(sim).waiting
    sim.now = START + 2.2 * HOUR
    number = len(starts(sim))
    off(sim, HOUR)
    until(sim, lambda: len(starts(sim)) > number, 2 * HOUR)
    assert sim.now < START + 3.5 * HOUR


def test_a_clock_that_is_set_back_makes_no_job_twice():
    sim = begun(seconds=None, metadata={"cron": "0 * * * *"}, duration=60.0)
    to(sim, 1.1 * HOUR)
    made = len(starts(sim))
    core = sim.core
    core.settle(START + 0.5 * HOUR)
    core.settle(START + HOUR)
    core.settle(START + 1.2 * HOUR)
    assert len([job for job in core.jobs.jobs if job.schedule_id == "s"]) == made


def test_no_more_jobs_than_may_be():
    sim = begun(duration=10.0, settings=msgspec.structs.replace(SETTINGS, occurrences=2), seconds=60.0)
    to(sim, 600.0)
    assert len(starts(sim)) == 2
    assert not sim.core.unfinished()


# -- any schedule, any work, a controller that comes and goes


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([(600.0, {}), (None, {"cron": "*/10 * * * *"}), (None, {"cron": "5,20,45 * * * *"})]),
    st.sampled_from(["queue", "skip"]),
    st.sampled_from(["once", "skip"]),
    st.floats(5.0, 2000.0),
    st.lists(st.tuples(st.floats(0.0, 3 * HOUR), st.floats(1.0, 5000.0), st.booleans()), max_size=3),
)
def test_one_job_at_a_time_whatever_happens(times, overlap, missed, duration, breaks):
    seconds, metadata = times
    metadata = metadata | {"overlap": overlap, "missedRuns": missed}
    sim = begun(seconds=seconds, metadata=metadata, duration=duration)
    sim.faults = Restarts()
    def observe():
        running = [job.id for job in jobs_of(sim) if job.state != "completed"]
        assert len(running) <= 1

    sim.observe = observe
    quiet = True  # nothing was ever missed
    for moment, length, crash in sorted(breaks):
        to(sim, moment)
        if sim.core is None or sim.now < sim.asleep:
            continue
        quiet = quiet and length < 30.0
        if crash:
            off(sim, length)
        else:
            sim.sleep(length)
    to(sim, 6 * HOUR)
    made = starts(sim)
    assert len(made) == len(set(made))
    assert len(jobs_of(sim)) == schedule_of(sim).jobs_created
    due = schedule_of(sim).next_run_time
    assert due > sim.now - max(6000.0, 2 * duration)  # it goes on
    if quiet and duration < 200.0:
        # none is lost: a job per run, soon after its time
        longest = 600.0 if "5,20,45" not in metadata.get("cron", "") else 1500.0
        assert max(later - earlier for earlier, later in pairwise(made)) <= longest + 100.0
