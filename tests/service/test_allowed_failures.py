"""Failures that exit conditions allow: they are told, and are no failure of the run."""

from typing import Any

import pytest
from msgspec.structs import replace

from pools import ExecutionResult, FailureInfo
from runner import Task, TaskSpec, TaskState
from runner.task_spec import ExitCodeMapping, ExitConditions, ExitOptions, packed
from service.report import Report
from service.views.summary import summary
from service.views.tally import Tally

STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
ALLOWED = ExitConditions(
    exit_codes=(
        ExitCodeMapping(code=3, exit_options=ExitOptions(job_action="none", dependency_action="satisfy")),
        ExitCodeMapping(code=4, exit_options=ExitOptions(job_action="none")),
    )
)


def task(task_id, code=None):
    spec = packed(TaskSpec(id=task_id, command_line="x", exit_conditions=ALLOWED))
    record = Task(**STAMP, job_id="j", id=task_id, uid=task_id, sequence=1, raw_spec=spec, conditional=True)
    if code is None:
        return record
    result = ExecutionResult.FAILURE if code else ExecutionResult.SUCCESS
    why = FailureInfo("usererror", "FailureExitCode", f"the task exited with code {code}") if code else None
    return replace(record, state=TaskState.COMPLETED, result=result, failure=why, exit_code=code)


def report(*tasks):
    return Report(jobs=(), tasks=lambda: tasks, pools=(), nodes=(), autoscale_runs=(), now=200.0)


HINDERED = replace(task("h"), scheduling_error=FailureInfo("usererror", "DependencyFailed", "it depends on task 'f'"))
CASES = {
    "all succeeded": ([task("a", 0)], True, "tasks: 1 succeeded"),
    "one is allowed": ([task("a", 0), task("b", 3)], True, "1 failed as its exit conditions allow"),
    "two are": ([task("a", 3), task("b", 3)], True, "2 failed as their exit conditions allow"),
    "one of two is": ([task("a", 3), task("b", 4)], False, "2 failed, 1 of them as its exit conditions allow"),
    "none is": ([task("a", 4)], False, "1 failed\n  j a: the task exited with code 4"),
    "something is left": ([task("a", 3), task("b")], False, "1 failed as its exit conditions allow, 1 active"),
    "what cannot start is named": ([HINDERED], False, "1 active\n  j h: cannot start: it depends on task 'f'"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_told(case):
    tasks, succeeded, told = case
    found = report(*tasks)
    assert found.succeeded is succeeded
    assert told in summary(found, Tally(100.0))


def test_programs_are_told_which():
    found = report(task("a", 3), task("b", 4)).to_json()["tasks"]
    assert [each.get("failureAllowed") for each in found] == [True, None]


def test_those_that_nobody_planned_are_named_first():
    many = [task(f"a{n}", 3) for n in range(30)]
    text = summary(report(*many, task("bad", 4)), Tally(100.0))
    assert "  j bad: the task exited with code 4\n  j a0: " in text and "  and 11 more: " in text
