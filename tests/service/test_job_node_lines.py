"""What `run` tells of preparation and release tasks, and of why a task is requeued."""

from pools import Attempt, ExecutionResult, FailureInfo
from pools import evolve as new_version
from runner import Job, JobNode, NodeExecution, Output, TaskState
from runner.states import JobNodeState as S
from service.views.job_node_lines import JobNodeLines

from .test_views import JOB, STAMP, TASK, timeline, told

FAILED = FailureInfo("usererror", "FailureExitCode", "the task exited with code 7")
KEY = ("j", "n")


def record(state, **fields):
    return JobNode(**STAMP, job_id="j", node_id="n", pool_id="p", uid="x", state=state, **fields)


def ended(start=101.0, end=103.0, code=0, failure=None, **fields):
    result = ExecutionResult.SUCCESS if failure is None else ExecutionResult.FAILURE
    return NodeExecution(
        state="completed", start_time=start, end_time=end, exit_code=code, failure=failure, result=result, **fields
    )


def output(owner, text, stream="stdout", attempt=1):
    data = text.encode()
    return Output(owner=owner, parent_id="j", id="n", attempt=attempt, stream=stream, size=len(data), data=data)


def test_a_preparation_that_is_tried_again_and_fails():
    story = timeline()
    begun = record(S.PREPARING, preparation=NodeExecution())
    assert told(story, 101.0, ("job_nodes", KEY, begun)) == ["1 job j: preparation runs on n"]
    running = new_version(begun, 101.5, preparation=NodeExecution(start_time=101.5))
    assert told(story, 101.5, ("job_nodes", KEY, running)) == []
    first = Attempt(number=1, reason=FAILED.message)
    again = new_version(running, 102.0, preparation=NodeExecution(attempt=2, earlier=(first,)))
    printed = output("jobpreparation", "oops\n", "stderr")
    assert told(story, 102.0, ("job_nodes", KEY, again), ("outputs", printed.key, printed)) == [
        "2 job j: preparation on n: the task exited with code 7; is tried again | oops"
    ]
    failed = new_version(again, 103.0, state=S.FAILED, preparation=ended(code=7, failure=FAILED, earlier=(first,)))
    printed = output("jobpreparation", "out\n", attempt=2)
    assert told(story, 103.0, ("outputs", printed.key, printed), ("job_nodes", KEY, failed)) == [
        "3 job j: preparation on n failed: exit code 7, 2.0 s; "
        "all that it printed: `ebbtide logs j n --preparation` | out"
    ]


def test_a_release_task_that_fails_is_said():
    story = timeline()
    prepared = record(S.PREPARED, preparation=ended())
    good = ["3 job j: preparation on n succeeded: exit code 0, 2.0 s"]
    assert told(story, 103.0, ("job_nodes", KEY, prepared)) == good
    releasing = new_version(prepared, 104.0, state=S.RELEASING, release=NodeExecution())
    assert told(story, 104.0, ("job_nodes", KEY, releasing)) == ["4 job j: release task runs on n"]
    lost = FailureInfo("servererror", "NodeGone", "its node went while it ran")
    released = new_version(releasing, 105.0, state=S.RELEASED, release=ended(None, 105.0, None, lost))
    assert told(story, 105.0, ("job_nodes", KEY, released)) == [
        "5 job j: release task on n failed: no exit code; its node went while it ran; "
        "all that it printed: `ebbtide logs j n --release`"
    ]
    assert told(story, 106.0, ("job_nodes", KEY, None)) == []


def test_what_tasks_wait_for_is_counted():
    lines = JobNodeLines(lambda key, failed: ())
    lines.load([record(S.PREPARED, preparation=ended())])
    for number in range(3):
        begun = JobNode(**STAMP, job_id="j", node_id=f"m{number}", pool_id="p", uid="y", preparation=NodeExecution())
        assert len(list(lines.tell(begun, 101.0))) == 1
    assert lines.under_way("j") == ", prepares 3 nodes"
    list(lines.tell(record(S.RELEASING, release=NodeExecution()), 102.0))
    assert lines.under_way("j") == ", prepares 3 nodes, releases 1 node"
    over: Job = JOB
    lines.job("j", over)
    assert lines.under_way("j")
    lines.job("j", None)
    assert lines.under_way("j") == ""


def test_a_large_job_says_that_its_nodes_are_prepared():
    story = timeline()
    many = [new_version(TASK, 100.0) for _ in range(101)]
    changes = [("tasks", ("j", f"t{n}"), task) for n, task in enumerate(many)]
    told(story, 100.0, ("jobs", "j", JOB), *changes)
    told(story, 101.0, ("job_nodes", KEY, record(S.PREPARING, preparation=NodeExecution())))
    assert story.progress_lines(101.0) == []
    done = new_version(TASK, 130.0, state=TaskState.COMPLETED, result=ExecutionResult.SUCCESS, exit_code=0)
    told(story, 130.0, ("tasks", ("j", "t0"), done))
    (line,) = story.progress_lines(130.0)
    assert line.text.startswith("1 of 101 done") and line.text.endswith(", prepares 1 node")
    assert story.waits_for("j") == ", prepares 1 node"


def test_a_requeue_says_why_and_shows_what_was_printed():
    story = timeline()
    running = new_version(TASK, 101.0, state=TaskState.RUNNING, node_id="n", start_time=101.0)
    told(story, 101.0, ("tasks", TASK.key, running))
    again = new_version(
        running, 102.0, state=TaskState.ACTIVE, requeue_count=1, last_node_id="n",
        last_requeue_reason="node n: its cloud takes it back in 30 s",
    )  # fmt: skip
    saved = Output(owner="task", parent_id="j", id="t", attempt=1, stream="stdout", size=6, data=b"saved\n")
    assert told(story, 102.0, ("outputs", saved.key, saved), ("tasks", TASK.key, again)) == [
        "2 task j t: requeued: node n: its cloud takes it back in 30 s | saved"
    ]
