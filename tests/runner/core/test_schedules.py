"""Job schedules: every request in every state, and crashes in the midst of them."""

from itertools import product

import pytest

from runner import (
    AddJobSchedule,
    DeleteJobSchedule,
    DisableJobSchedule,
    EnableJobSchedule,
    JobError,
    ReplaceJobSchedule,
    RunJobSchedule,
    TerminateJobSchedule,
)
from runner.simulation import START
from runner.simulation_faults import Faults

from .run import ask, job_of, tasks_of, until
from .schedules import HOUR, active, at, begun, jobs_of, rest, schedule_of, spec, starts, to

# -- requests in states


def disabled(sim):
    active(sim)
    assert ask(sim, DisableJobSchedule("s")) is None


def completed(sim):
    active(sim)
    assert ask(sim, TerminateJobSchedule("s")) is None
    until(sim, lambda: schedule_of(sim).state == "completed")


def deleted(sim):
    active(sim)
    assert ask(sim, DeleteJobSchedule("s")) is None
    until(sim, lambda: schedule_of(sim) is None)


REQUESTS = {
    "disable": DisableJobSchedule("s"),
    "enable": EnableJobSchedule("s"),
    "terminate": TerminateJobSchedule("s"),
    "delete": DeleteJobSchedule("s"),
    "replace": ReplaceJobSchedule(spec(command="other"), frozenset(("job_specification",))),
    "run": RunJobSchedule("s"),
    "add": AddJobSchedule(spec()),
}
DONE, GONE = "JobScheduleCompleted", "JobScheduleNotFound"
#: What each request leads to: a state, or the code of its refusal; None: no schedule.
EXPECTED = {
    "active": ("disabled", "active", "completed", None, "active", "active", "JobScheduleExists"),
    "disabled": ("disabled", "active", "completed", None, "disabled", "disabled", "JobScheduleExists"),
    "completed": (DONE, DONE, DONE, None, DONE, DONE, "JobScheduleExists"),
    "deleted": (GONE, GONE, GONE, GONE, GONE, GONE, "active"),
}


@pytest.mark.parametrize(("state", "request_name"), list(product(EXPECTED, REQUESTS)))
def test_every_request_in_every_state(state, request_name):
    sim = begun()
    {"active": active, "disabled": disabled, "completed": completed, "deleted": deleted}[state](sim)
    refused = ask(sim, REQUESTS[request_name])
    expected = EXPECTED[state][list(REQUESTS).index(request_name)]
    if refused is not None:
        assert refused.code == expected
    elif expected is None:
        until(sim, lambda: schedule_of(sim) is None)
        assert jobs_of(sim) == []
        assert not sim.core.unfinished()
    else:
        until(sim, lambda: schedule_of(sim).state == expected)


@pytest.mark.parametrize("last", ["terminate", "delete"])
@pytest.mark.parametrize("request_name", [name for name in REQUESTS if name != "add"])
def test_a_schedule_that_is_ending_takes_no_requests(last, request_name):
    sim = begun()
    until(sim, lambda: "m" in tasks_of(sim, "s:job-1") and tasks_of(sim, "s:job-1")["m"].state == "running")
    core, now = sim.core, sim.now
    core.handle(REQUESTS[last], now)  # before anything can follow from it
    code = {"terminate": "JobScheduleBeingTerminated", "delete": "JobScheduleBeingDeleted"}[last]
    if (last, request_name) == ("terminate", "delete"):
        core.handle(REQUESTS[request_name], now)
        return
    with pytest.raises(JobError, match="ing") as refused:
        core.handle(REQUESTS[request_name], now)
    assert refused.value.code == code


# -- the states


def test_a_disabled_schedule_makes_no_job_and_goes_on_in_time():
    sim = begun()
    disabled(sim)
    to(sim, 2.5 * HOUR)
    assert starts(sim) == [0]
    assert schedule_of(sim).next_run_time > sim.now - HOUR
    assert ask(sim, EnableJobSchedule("s")) is None
    to(sim, 3.5 * HOUR)
    assert starts(sim) == [0, 3 * HOUR]  # none for those that came due meanwhile


def test_the_only_run_of_a_schedule_waits_until_it_is_enabled():
    sim = begun(seconds=None, do_not_run_until=at(HOUR))
    assert ask(sim, DisableJobSchedule("s")) is None
    to(sim, 2 * HOUR)
    assert (starts(sim), schedule_of(sim).state) == ([], "disabled")
    assert ask(sim, EnableJobSchedule("s")) is None
    until(sim, lambda: schedule_of(sim).state == "completed")
    assert len(starts(sim)) == 1


def test_a_terminated_schedule_ends_its_job():
    sim = begun()
    completed(sim)
    assert (job_of(sim, "s:job-1").state, job_of(sim, "s:job-1").terminate_reason) == (
        "completed",
        "JobScheduleTerminated",
    )
    assert schedule_of(sim).end_time is not None
    assert schedule_of(sim).next_run_time is None
    rest(sim, 3 * HOUR)
    assert len(starts(sim)) == 1


def test_a_deleted_schedule_takes_all_its_jobs_and_tasks_along():
    sim = begun(duration=60.0)
    to(sim, 2.5 * HOUR)
    assert len(starts(sim)) == 3
    assert ask(sim, DeleteJobSchedule("s")) is None
    until(sim, lambda: schedule_of(sim) is None)
    assert sim.journal.table("jobs") == {}
    assert sim.journal.table("tasks") == {}


def test_a_replaced_specification_counts_for_jobs_to_come():
    sim = begun(duration=60.0)
    active(sim)
    changed = frozenset(("job_specification",))
    assert ask(sim, ReplaceJobSchedule(spec(seconds=1.0, command="other"), changed)) is None
    assert schedule_of(sim).spec.schedule == spec().schedule
    to(sim, 1.5 * HOUR)
    lines = [job_of(sim, f"s:job-{number}").spec.job_manager_task.command_line for number in (1, 2)]
    assert lines == ["work", "other"]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (spec(seconds=1800.0), [0, 1800, 3600]),
        (spec(seconds=60.0), [0, 1200, 1260, 1320]),  # overdue at once
        (spec(seconds=None), [0]),
        (spec(do_not_run_after=at(900.0)), [0]),
        (spec(seconds=None, metadata={"cron": "*/30 * * * *"}), [0, 1800, 3600]),
        (spec(do_not_run_until=at(7000.0)), [0, 7000]),
    ],
)
def test_other_times(new, expected):
    sim = begun(duration=10.0)
    to(sim, 1200.0)
    sim.now = START + 1200.0
    assert ask(sim, ReplaceJobSchedule(new, frozenset(("schedule", "metadata")))) is None
    to(sim, max(expected[-1], 1300.0) + 20.0)
    assert starts(sim)[: len(expected)] == pytest.approx(expected, abs=2.0)
    assert len(starts(sim)) == len(expected)


def test_only_some_attributes_change():
    sim = begun()
    refused = ask(sim, ReplaceJobSchedule(spec(), frozenset(("display_name", "schedule"))))
    assert refused.code == "InvalidPropertyValue" and str(refused).endswith("displayName cannot change")
    bad = spec(metadata={"cron": "0 6 * * *"})  # beside the interval that is there
    assert ask(sim, ReplaceJobSchedule(bad, frozenset(("metadata",)))).code == "InvalidPropertyValue"


def test_a_name_that_is_no_property_changes_nothing():
    refused = ask(begun(), ReplaceJobSchedule(spec(), frozenset(("", "schedule"))))
    assert refused.code == "InvalidPropertyValue" and str(refused).endswith("'' cannot change")


# -- run now


def test_run_now_changes_nothing_about_the_times():
    sim = begun(duration=60.0)
    to(sim, 1000.0)
    assert ask(sim, RunJobSchedule("s")) is None
    assert ask(sim, DisableJobSchedule("s")) is None
    to(sim, 1500.0)
    assert ask(sim, RunJobSchedule("s")) is None  # also of a disabled one
    assert ask(sim, EnableJobSchedule("s")) is None
    to(sim, HOUR + 100.0)
    assert len(starts(sim)) == 4
    assert starts(sim)[-1] == HOUR


def test_run_now_beside_a_job():
    sim = begun(duration=600.0)
    active(sim)
    assert ask(sim, RunJobSchedule("s")) is None
    assert ask(sim, RunJobSchedule("s")) is None
    until(sim, lambda: job_of(sim, "s:job-2") is not None)
    assert job_of(sim, "s:job-1").state == "completed"
    until(sim, lambda: job_of(sim, "s:job-2").state == "completed")
    rest(sim, 600.0)
    assert len(starts(sim)) == 2  # asked for twice while it waited: one job


def test_run_now_is_refused_beside_a_job_if_runs_may_not_overlap():
    sim = begun(metadata={"overlap": "skip"})
    active(sim)
    assert ask(sim, RunJobSchedule("s")).code == "JobScheduleHasActiveJob"


# -- crashes


@pytest.mark.parametrize("request_name", ["terminate", "delete", "run", "disable"])
@pytest.mark.parametrize("when", range(6))
def test_a_crash_in_the_midst_of_a_request(request_name, when):
    """The controller dies at the `when`-th commit or command after the request."""
    sim = begun(duration=600.0)
    active(sim)
    sim.faults = CrashAt(when)
    assert ask(sim, REQUESTS[request_name]) is None
    if request_name == "delete":
        until(sim, lambda: schedule_of(sim) is None)
        assert jobs_of(sim) == []
        return
    state = {"terminate": "completed", "run": "active", "disable": "disabled"}[request_name]
    until(sim, lambda: schedule_of(sim).state == state)
    until(sim, lambda: all(job.state == "completed" for job in jobs_of(sim)))
    rest(sim, 300.0)
    assert len(jobs_of(sim)) == (2 if request_name == "run" else 1)


class CrashAt(Faults):
    def __init__(self, when):
        self.left = when

    def crashes(self, where):
        self.left -= 1
        return self.left == -1
