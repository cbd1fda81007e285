"""What people are told of a task that cannot start, and of a command line that wants a shell."""

from collections import Counter

from msgspec.structs import replace

from pools import ExecutionResult
from runner import Task, TaskSpec, TaskState
from runner.events import Outcome
from runner.failure import DISK_FULL, failure, failure_of
from runner.task_spec import packed
from service.task_status import task_json, task_line
from service.views.line import Line
from service.views.task_lines import TaskLines

RECORD = Task(
    created=0.0,
    modified=0.0,
    state_time=0.0,
    job_id="j",
    id="t",
    uid="u",
    sequence=1,
    raw_spec=packed(TaskSpec(id="t", command_line="cat *.txt | wc -l")),
)
DONE = replace(RECORD, state=TaskState.COMPLETED, version=3, end_time=1.0)
DOUBTFUL = replace(DONE, result=ExecutionResult.SUCCESS, exit_code=0, warning=DISK_FULL)
REPORT = Outcome("n", "u-1", 0.0, 1.0, 1, disk_full=True)
FAILED = replace(DONE, result=ExecutionResult.FAILURE, exit_code=1, failure=failure_of(REPORT, None))
STUCK = replace(RECORD, version=2, scheduling_error=failure("DependencyFailed", "it depends on task 'a'"))


def test_status():
    told = task_json(STUCK)
    assert told["schedulingError"] == "DependencyFailed: it depends on task 'a'"
    assert "'|' is passed on as it stands" in told["hint"]
    assert "DependencyFailed: it depends on task 'a'" in task_line(STUCK) and "hint: '|'" in task_line(STUCK)
    assert task_json(RECORD)["schedulingError"] is None


def lines(*versions, quiet=False):
    told = TaskLines(lambda key, failed: ())
    said: list[Line] = []
    for record in versions:
        said += told.tell(record.key, record, Counter(), 1.0, quiet=quiet)
    return [line.text for line in said]


def test_it_is_said_once():
    changed = replace(STUCK, version=3)
    assert lines(RECORD, STUCK, changed) == ["cannot start: it depends on task 'a'"]
    assert lines(RECORD, STUCK, RECORD, changed) == ["cannot start: it depends on task 'a'"] * 2
    assert lines(RECORD, STUCK, quiet=True) == ["cannot start: it depends on task 'a'"]


def test_a_full_disk_is_told_whether_the_task_failed_or_not():
    assert lines(RECORD, DOUBTFUL) == lines(RECORD, DOUBTFUL, quiet=True) == [f"success: exit code 0; {DISK_FULL}"]
    assert lines(RECORD, FAILED) == [f"failure: exit code 1; {DISK_FULL}"]
    assert task_json(DOUBTFUL)["warning"] == DISK_FULL and f"warning: {DISK_FULL}" in task_line(DOUBTFUL)
    assert f"code 1; {DISK_FULL}" in task_line(FAILED) and "warning" not in task_json(FAILED)
