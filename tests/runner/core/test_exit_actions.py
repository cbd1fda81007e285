"""What the end of a task does to its job."""


import pytest

from runner import (
    TaskConstraints,
    TerminateTask,
)
from runner.task_spec import ExitCodeMapping, ExitConditions, ExitOptions

from .run import ask, completed, job, job_of, simulation, task, until


def exits(**options):
    return ExitConditions(exit_codes=(ExitCodeMapping(code=3, exit_options=ExitOptions(**options)),))


ACTIONS = {
    "terminate": (exits(job_action="terminate"), ("completed", "TaskFailed")),
    "terminate, by default": (None, ("completed", "TaskFailed")),
    "disable": (exits(job_action="disable"), ("disabled", None)),
    "none": (exits(job_action="none"), ("active", None)),
}


@pytest.mark.parametrize("case", ACTIONS.values(), ids=ACTIONS)
def test_the_end_of_a_task_acts_on_its_job(case):
    conditions, expected = case
    sim = simulation({"t": [(5.0, 3)], "slow": [(300.0, 0)]}, task_slots_per_node=2)
    tasks = (task("t", exit_conditions=conditions, constraints=TaskConstraints(max_task_retry_count=1)), task("slow"))
    ask(sim, job("j", *tasks, on_task_failure="performexitoptionsjobaction"))
    (record,) = completed(sim, "t")
    assert record.retry_count == 1, "only when no retry is left"
    until(sim, lambda: job_of(sim).state == expected[0], 60)
    assert job_of(sim).terminate_reason == expected[1]


def test_a_task_ended_on_request_does_nothing_to_its_job():
    sim = simulation(target_dedicated_nodes=0)
    ask(sim, job("k", task("t"), task("u"), on_task_failure="performexitoptionsjobaction"))
    ask(sim, TerminateTask("k", "t"))
    assert job_of(sim, "k").state == "active"


REFUSED: dict[str, tuple[ExitConditions, dict[str, str], str]] = {
    "an action that nobody heeds": (exits(job_action="disable"), {}, "jobAction"),
    "a dependency that nobody heeds": (exits(dependency_action="satisfy"), {}, "dependencyAction"),
    "a code that stands there twice": (
        ExitConditions(exit_codes=(ExitCodeMapping(code=3, exit_options=ExitOptions()),) * 2),
        {},
        "exitCodes",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_conditions_are_checked(case):
    conditions, changes, named = case
    refusal = ask(simulation(), job("j", task("t", exit_conditions=conditions), **changes))
    assert refusal.code == "InvalidPropertyValue" and named in str(refusal)
