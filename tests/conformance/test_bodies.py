"""Every bad body is refused with its code, names what is wrong, and changes nothing.

Bodies are read as those of workload files are. What passes that is refused by the core.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from pools import PoolError
from runner import AddJobSchedule, Event, JobError, JobScheduleSpec, JobSpec, TaskSpec
from service.problems import InputError
from tests.runner.core.run import ask, simulation

from .bodies import decoded
from .case_files import BadBody, bad_bodies
from .matching import mismatch
from .requests import add_job, of_schedule

BODIES = bad_bodies()
PLAIN: Mapping[str, type[msgspec.Struct]] = {"plain job": JobSpec, "plain schedule": JobScheduleSpec, "task": TaskSpec}


def event(body: BadBody) -> Event:
    """Raises InputError if the body is none of its kind."""
    given: Any = body.given
    match body.of:
        case "job":
            return add_job("j", "p", given)
        case "task":
            return add_job("j", "p", {**body.job, "tasks": [given]})
        case "tasks":
            return add_job("j", "p", {**body.job, "tasks": given})
        case "schedule":
            return AddJobSchedule(decoded(of_schedule("s", "p", given), JobScheduleSpec))
    decoded(given, PLAIN[body.of])
    raise AssertionError(f"{body.of!r} lacks nothing")


@pytest.mark.parametrize("body", BODIES, ids=[body.name for body in BODIES])
def test_a_bad_body_is_refused(body: BadBody) -> None:
    sim = simulation(target_dedicated_nodes=0, task_slots_per_node=4)
    before = {name: dict(rows) for name, rows in sim.journal.tables.items()}
    try:
        refusal = ask(sim, event(body))
    except InputError as unreadable:
        (problem,) = unreadable.problems
        code, text = problem.code, f"{problem.path}: {problem.text}"
    else:
        assert isinstance(refusal, PoolError | JobError), "it was let in"
        code, text = refusal.code, str(refusal)
    assert mismatch(body.code, code) is None, (code, text)
    assert body.says in text
    assert sim.journal.tables == before
