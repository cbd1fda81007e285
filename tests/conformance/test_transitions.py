"""Every request in every state of what it is about: the state that follows, or the code of the refusal.

Jobs, tasks and schedules have tables of their own (tests/runner/core/test_job_states.py, test_task_requests.py,
test_schedules.py); here are the states in which something is on its way out, and that nothing is forgotten.
"""

from collections.abc import Callable, Mapping

import pytest

from runner import (
    AddJobSchedule,
    DeleteJobSchedule,
    DisableJobSchedule,
    EnableJobSchedule,
    Event,
    ReplaceJobSchedule,
    RunJobSchedule,
    TerminateJobSchedule,
    UpdateJobSchedule,
    job_events,
)
from runner.simulation import Simulation
from tests.runner.core import test_job_forgetting, test_job_states, test_schedules, test_task_requests
from tests.runner.core.run import ask, tasks_of, until
from tests.runner.core.schedules import active, begun, jobs_of, schedule_of, spec

REQUESTS: Mapping[str, Event] = {
    "disable": DisableJobSchedule("s"),
    "enable": EnableJobSchedule("s"),
    "terminate": TerminateJobSchedule("s"),
    "delete": DeleteJobSchedule("s"),
    "replace": ReplaceJobSchedule(spec(command="other"), frozenset(("job_specification",))),
    "update": UpdateJobSchedule(spec()),
    "run": RunJobSchedule("s"),
    "add": AddJobSchedule(spec()),
}
ENDING, GOING = "JobScheduleBeingTerminated", "JobScheduleBeingDeleted"
#: The code; None: it is granted. "update" is another budget, which counts for the job that still runs.
CODES: Mapping[str, tuple[str | None, ...]] = {
    #               disable enable  terminate delete replace update  run     add
    "terminating": (ENDING, ENDING, ENDING, None, ENDING, None, ENDING, "JobScheduleExists"),
    "deleting": (GOING, GOING, GOING, GOING, GOING, None, GOING, "JobScheduleExists"),
}
WAYS: Mapping[str, Event] = {"terminating": TerminateJobSchedule("s"), "deleting": DeleteJobSchedule("s")}
PAIRS = [(state, name, code) for state, codes in CODES.items() for name, code in zip(REQUESTS, codes, strict=True)]


def going(state: str) -> Simulation:
    """Its job runs, and what ends that is on its way."""
    sim: Simulation = begun()
    active(sim)
    (job_id,) = (job.id for job in jobs_of(sim))
    until(sim, lambda: any(task.state == "running" for task in tasks_of(sim, job_id).values()))
    assert ask(sim, WAYS[state]) is None
    assert schedule_of(sim).state == state
    return sim


@pytest.mark.parametrize(("state", "name", "code"), PAIRS, ids=[f"{state}-{name}" for state, name, _ in PAIRS])
def test_a_schedule_that_is_on_its_way_out(state: str, name: str, code: str | None) -> None:
    sim = going(state)
    before = dict(sim.journal.tables["job_schedules"]), dict(sim.journal.tables["jobs"])
    refusal = ask(sim, REQUESTS[name])
    assert (refusal and refusal.code) == code
    if code is not None:
        assert before == (dict(sim.journal.tables["job_schedules"]), dict(sim.journal.tables["jobs"]))


def test_every_request_is_in_a_table() -> None:
    tables: list[Mapping[str, Event]] = [
        REQUESTS,
        test_job_states.REQUESTS,
        test_job_forgetting.REQUESTS,
        test_schedules.REQUESTS,
        test_task_requests.REQUESTS,
    ]
    asked = {type(event) for table in tables for event in table.values()}
    defined = {kind for kind in vars(job_events).values() if isinstance(kind, type) and issubclass(kind, Event)}
    makers: set[Callable[..., Event]] = {Event, job_events.OfTask, job_events.AddJob}
    assert {kind.__name__ for kind in defined - makers - asked} == set()
