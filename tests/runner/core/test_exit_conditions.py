"""What the end of a task means, way by way."""

import pytest

from runner import Job, JobSpec, PoolInfo, Task, TaskConstraints, TaskSpec, shell_hint
from runner.events import Outcome
from runner.exit_conditions import Consequence, allows, consequence
from runner.failure import ENDED_ON_REQUEST, failure, failure_of, lost_too_often, retries_left
from runner.task_spec import ExitCodeMapping, ExitCodeRangeMapping, ExitConditions, ExitOptions, packed

NONE, STOP = Consequence("none", True), Consequence("terminate", False)
DISABLE = ExitOptions(job_action="disable", dependency_action="satisfy")
QUIET = ExitOptions(job_action="none")
SATISFY = ExitOptions(dependency_action="satisfy")
BLOCK = ExitOptions(dependency_action="block")
EXITED = failure("FailureExitCode", "exited")
PREPARATION = failure("BlobNotFound", "no file")
UPLOAD = failure("FileUploadContainerNotFound", "no container")
LATE = failure("TaskEnded", "too long")
LOST = lost_too_often(10, "killed")


def code(code, options):
    return ExitConditions(exit_codes=(ExitCodeMapping(code=code, exit_options=options),))


def spread(start, end, options):
    return ExitConditions(exit_code_ranges=(ExitCodeRangeMapping(start=start, end=end, exit_options=options),))


BOTH = ExitConditions(
    exit_codes=(ExitCodeMapping(code=5, exit_options=SATISFY),),
    exit_code_ranges=(
        ExitCodeRangeMapping(start=1, end=9, exit_options=BLOCK),
        ExitCodeRangeMapping(start=5, end=20, exit_options=DISABLE),
    ),
    default=QUIET,
)
CASES = {
    "success": (None, 0, None, NONE),
    "failure": (None, 1, EXITED, STOP),
    "nothing is said of it": (ExitConditions(), 1, EXITED, STOP),
    "the code": (code(3, DISABLE), 3, EXITED, ("disable", True)),
    "another code": (code(3, DISABLE), 4, EXITED, STOP),
    "code 0, named": (code(0, BLOCK), 0, None, ("none", False)),
    "code 0, named with an action": (code(0, DISABLE), 0, None, ("disable", True)),
    "a range that begins with it": (spread(3, 9, QUIET), 3, EXITED, ("none", False)),
    "a range that ends with it": (spread(3, 9, SATISFY), 9, EXITED, ("terminate", True)),
    "a range below": (spread(3, 9, QUIET), 10, EXITED, STOP),
    "negative codes": (spread(-9, -1, QUIET), -4, EXITED, ("none", False)),
    "a code goes before ranges": (BOTH, 5, EXITED, ("terminate", True)),
    "the first range that holds it": (BOTH, 6, EXITED, STOP),
    "the second range": (BOTH, 12, EXITED, ("disable", True)),
    "default": (BOTH, 99, EXITED, ("none", False)),
    "default is not for success": (ExitConditions(default=DISABLE), 0, None, NONE),
    "never started": (ExitConditions(pre_processing_error=QUIET, default=DISABLE), None, PREPARATION, ("none", False)),
    "never started, by default": (ExitConditions(default=DISABLE), None, PREPARATION, ("disable", True)),
    "no upload": (ExitConditions(file_upload_error=SATISFY, default=QUIET), 0, UPLOAD, ("terminate", True)),
    "no upload, by default": (ExitConditions(default=QUIET), 0, UPLOAD, ("none", False)),
    "no upload is no failed preparation": (ExitConditions(pre_processing_error=QUIET), 0, UPLOAD, STOP),
    "a named code goes before the upload": (code(0, DISABLE), 0, UPLOAD, ("disable", True)),
    "an upload without more": (ExitConditions(), 0, UPLOAD, STOP),
    "too late": (ExitConditions(pre_processing_error=QUIET, default=DISABLE), 137, LATE, ("disable", True)),
    "lost": (ExitConditions(pre_processing_error=QUIET, default=DISABLE), None, LOST, ("disable", True)),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_consequence(case):
    conditions, exit_code, fault, expected = case
    assert consequence(conditions, exit_code, fault) == expected


PLANNED = ExitOptions(job_action="none", dependency_action="satisfy")


@pytest.mark.parametrize(
    ("conditions", "exit_code", "fault", "expected"),
    [
        (code(3, PLANNED), 3, EXITED, True),
        (spread(3, 9, PLANNED), 9, EXITED, True),
        (code(3, PLANNED), 4, EXITED, False),
        (code(3, QUIET), 3, EXITED, False),
        (code(3, SATISFY), 3, EXITED, False),
        (code(3, DISABLE), 3, EXITED, False),
        (ExitConditions(default=PLANNED), 3, EXITED, False),
        (ExitConditions(pre_processing_error=PLANNED), None, PREPARATION, False),
        (code(137, PLANNED), 137, LATE, False),
        (code(3, PLANNED), 3, UPLOAD, False),
        (None, 3, EXITED, False),
        (code(0, PLANNED), 0, None, False),
    ],
)
def test_which_failures_are_as_planned(conditions, exit_code, fault, expected):
    assert allows(conditions, exit_code, fault) is expected


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("FailureExitCode", "usererror"),
        ("CommandProgramNotFound", "usererror"),
        ("BlobNotFound", "usererror"),
        ("BlobDownloadTimedOut", "servererror"),
        ("ResourceFileWriteFailed", "servererror"),
        ("DiskFull", "servererror"),
        ("ExecutionLost", "servererror"),
    ],
)
def test_whose_fault_it_is(code, category):
    assert failure(code, "text").category == category


def test_details_hold_what_is_known():
    fault = failure("FailureExitCode", "text", exitCode=3, nothing=None)
    assert [(each.name, each.value) for each in fault.details] == [("exitCode", "3")]
    assert ENDED_ON_REQUEST.details == ()


def test_a_failed_upload_is_not_tried_again_and_says_what_the_command_said():
    report = Outcome("n", "u-1", 1.0, 2.0, 0, error=("FileUploadContainerNotFound", "no container"))
    fault = failure_of(report, None)
    assert fault is not None
    assert (fault.code, fault.details[0].value) == ("FileUploadContainerNotFound", "0")
    record = Task(
        created=0, modified=0, state_time=0, job_id="j", id="t", uid="u", sequence=1,
        raw_spec=packed(TaskSpec(id="t", command_line="x", constraints=TaskConstraints(max_task_retry_count=-1))),
    )  # fmt: skip
    job = Job(created=0, modified=0, state_time=0, id="j", spec=JobSpec(id="j", pool_info=PoolInfo(pool_id="p")))
    assert not retries_left(record, job, fault, 0)
    assert retries_left(record, job, fault, 1)


@pytest.mark.parametrize("line", ["echo $(date)", "echo `date`", "a ; b", "a && b", "a > b", "a | b", "echo $HOME"])
def test_what_only_a_shell_understands_draws_a_hint(line):
    assert "/bin/sh -c" in (shell_hint(line) or "")
    assert shell_hint(f"/bin/sh -c '{line}'") is None
