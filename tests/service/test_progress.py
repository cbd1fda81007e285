"""How far large jobs are, and what is told of their tasks."""

import io
from typing import Any

import pytest

from pools import Change, Changes, ExecutionResult, FailureInfo
from pools import evolve as new_version
from runner import DoneTotals, Job, JobSpec, PoolInfo, Task, TaskSpec, TaskState
from runner.task_spec import packed
from service.views import Pump, Timeline
from service.views.plain import PlainView
from service.views.progress import Progress, Standing, told_rate, told_seconds
from service.views.tally import Tally
from service.views.task_lines import FAILURES, MANY

from .stage import PATIENCE

STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
JOB = Job(**STAMP, id="j", spec=JobSpec(id="j", pool_info=PoolInfo(pool_id="p")))
SPEC = packed(TaskSpec(id="t", command_line="x"))


def task(number: int) -> Task:
    return Task(**STAMP, job_id="j", id=f"t{number}", uid=f"u{number}", sequence=number, raw_spec=SPEC)


def ended(task: Task, now: float, *, failed: bool = False) -> Change:
    result = ExecutionResult.FAILURE if failed else ExecutionResult.SUCCESS
    failure = FailureInfo("usererror", "FailureExitCode", "it ended with 3") if failed else None
    done = new_version(
        task, now, state=TaskState.COMPLETED, result=result, exit_code=3 if failed else 0, failure=failure, end_time=now
    )
    return Change("tasks", task.key, done)


def large(count: int) -> tuple[Timeline, list[Task]]:
    """A timeline that has been told of a job with so many tasks."""
    story, tasks = Timeline(Tally(100.0)), [task(n) for n in range(count)]
    added = Changes.of([Change("jobs", "j", JOB), *(Change("tasks", each.key, each) for each in tasks)])
    assert [line.text for line in story.tell(added, 100.0)] == ["created on pool p", f"{count:,} tasks added"]
    assert story.progress_lines(100.0) == []
    return story, tasks


def test_of_a_large_job_only_the_progress_is_told() -> None:
    story, tasks = large(1000)
    assert story.progress_lines(100.0) == []
    told = []
    for second in range(1, 101):
        some = tasks[10 * second - 10 : 10 * second]
        assert story.tell(Changes.of(ended(each, 100.0 + second) for each in some), 100.0 + second) == []
        told += story.progress_lines(100.0 + second)
    assert told[0].time == 105.0
    assert told[0].text == "50 of 1,000 done; 10.0/s, 95 s left".replace("95 s", "2 min")
    assert told[-1].text == "1,000 of 1,000 done"
    assert len(told) == 20  # every five seconds
    assert story.progress_lines(300.0) == []  # nothing new


def test_failures_of_a_large_job_are_told_and_then_counted() -> None:
    story, tasks = large(1000)
    lines = [line for n in range(50) for line in story.tell(Changes.of([ended(tasks[n], 101.0, failed=True)]), 101.0)]
    assert [line.subject for line in lines[:FAILURES]] == [f"task j t{n}" for n in range(FAILURES)]
    assert lines[0].text == "failure: exit code 3" and lines[0].tone == "bad"
    assert [line.subject for line in lines[FAILURES:]] == ["tasks"]
    assert "only counted" in lines[-1].text
    (line,) = story.progress_lines(106.0)
    assert line.text.startswith("50 of 1,000 done (50 failed)") and line.tone == "bad"


def test_tasks_of_a_small_job_are_told_one_by_one() -> None:
    story, tasks = large(MANY)
    assert [line.text for line in story.tell(Changes.of([ended(tasks[0], 101.0)]), 101.0)] == ["success: exit code 0"]
    assert story.progress_lines(200.0) == []


def test_many_tasks_are_counted_few_are_told() -> None:
    stream = io.StringIO()
    pump = Pump(Timeline(Tally(100.0)), PlainView(stream, 100.0, colour=False), lambda: 110.0)
    done: Any = {"state": TaskState.COMPLETED, "exit_code": 0, "result": ExecutionResult.SUCCESS}
    changes = [
        Change("tasks", (f"j{n // 50}", str(n)), new_version(task(n), 101.0, **done, job_id=f"j{n // 50}", id=str(n)))
        for n in range(2000)
    ]
    pump.observe(Changes.of(changes))
    pump.start()
    pump.close()
    pump._thread.join(PATIENCE)
    assert stream.getvalue() == f"    10.0s  {'tasks':<36}  2000 succeeded; 0 running, 0 left\n"


def test_what_was_done_before_the_run_counts() -> None:
    tally = Tally(100.0)
    tally.load({"jobs": [JOB], "tasks": [task(n) for n in range(10)]})
    tally.known_done("j", DoneTotals(succeeded=900, failed=90, cost=1.5))
    assert Standing.of(tally.counts("j")) == Standing(10, 0, 900, 90)
    assert tally.size("j") == 1000 and tally.job_cost("j", 100.0).known == 1.5


def test_the_rate_is_that_of_the_last_minute_and_lines_grow_rare() -> None:
    progress, done, lines = Progress(0.0, 0), 0, 0
    for second in range(1, 36_001):
        done += 100 if second <= 600 else 1
        progress.note(float(second), done)
        lines += progress.due(float(second), Standing(10**6, 4, done, 0))
    assert progress.rate(36_000.0, done) == pytest.approx(1.0, rel=0.05)
    assert lines < 250
    assert progress.rate(36_000.0, done - 10**6) is None


def test_a_clock_that_is_set_back_does_not_stop_the_lines() -> None:
    progress = Progress(1000.0, 0)
    progress.note(500.0, 10)
    assert progress.due(500.0, Standing(90, 0, 10, 0))
    progress.note(510.0, 20)
    assert progress.rate(510.0, 20) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rate", "text"), [(1234.5, "1,234/s"), (45.04, "45.0/s"), (0.05, "3.0/min"), (0.0005, "1.8/h")]
)
def test_rates(rate: float, text: str) -> None:
    assert told_rate(rate) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (89, "89 s"), (600, "10 min"), (9000, "2.5 h"), (400_000, "4.6 days")]
)
def test_seconds(seconds: float, text: str) -> None:
    assert told_seconds(seconds) == text
