"""What is told of a multi-instance task: its primary has printed all before the other instances have ended."""

from __future__ import annotations

from pools import ExecutionResult
from pools import evolve as new_version
from runner import Output, TaskState
from runner.task_model import Verdict

from .test_views import TASK, timeline, told


def test_the_output_of_a_multi_instance_task_waits_for_its_end() -> None:
    story = timeline()
    output = Output(owner="task", parent_id="j", id="t", stream="stdout", size=3, data=b"hi\n")
    running = new_version(TASK, 101.0, state=TaskState.RUNNING, node_id="n", start_time=101.0)
    ending = new_version(running, 102.0, verdict=Verdict(kind="outcome", exit_code=0))
    assert told(story, 101.0, ("tasks", TASK.key, running)) == ["1 task j t: running on n"]
    assert told(story, 102.0, ("outputs", output.key, output), ("tasks", TASK.key, ending)) == []
    done = new_version(
        ending, 103.0, state=TaskState.COMPLETED, result=ExecutionResult.SUCCESS, exit_code=0, end_time=103.0,
        verdict=None, last_node_id="n",
    )  # fmt: skip
    assert told(story, 103.0, ("tasks", TASK.key, done)) == [
        "3 task j t: success: exit code 0, 2.0 s on n | hi"
    ]
