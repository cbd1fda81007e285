"""What people are told of a task that cannot start, and of a command line that wants a shell."""

from collections import Counter

from msgspec.structs import replace

from runner import Task, TaskSpec
from runner.failure import failure
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
