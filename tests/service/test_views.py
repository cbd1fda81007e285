"""What the views make of changes."""

import io
import threading
import time
from typing import Any

import pytest

from pools import (
    AutoScaleError,
    AutoScaleRun,
    Change,
    Changes,
    Cost,
    ExecutionResult,
    FailureInfo,
    Node,
    NodeState,
    Pool,
    PoolSpec,
    Usage,
)
from pools import evolve as new_version
from providers import Vm, VmState
from runner import Job, JobSpec, JobState, Output, PoolInfo, Task, TaskSpec, TaskState
from runner.task_spec import packed
from service.money import money
from service.views import Line, Pump, Timeline
from service.views.plain import PlainView, rendered
from service.views.tally import Tally

from .stage import PATIENCE

STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
POOL = Pool(**STAMP, id="p", spec=PoolSpec(id="p", vm_size="local.small", enable_auto_scale=True), provider="local")
NODE = Node(**STAMP, id="n", pool_id="p", vm_name="vm", low_priority=True)
JOB = Job(**STAMP, id="j", spec=JobSpec(id="j", pool_info=PoolInfo(pool_id="p")))
TASK = Task(**STAMP, job_id="j", id="t", uid="u", sequence=1, raw_spec=packed(TaskSpec(id="t", command_line="x")))


def timeline():
    return Timeline(Tally(100.0))


def told(timeline, now, *changes):
    return [
        f"{line.time - 100:g} {line.subject}: {line.text}" + "".join(f" | {detail}" for detail in line.detail)
        for line in timeline.tell([Change(*change) for change in changes], now)
    ]


def run(time, dedicated, low_priority, own="a=1", error=None):
    results = f"$TargetDedicatedNodes={dedicated};$TargetLowPriorityNodes={low_priority};{own}"
    return ("autoscale_runs", ("p", time), AutoScaleRun("p", time, results, error))


def test_a_pool_from_zero_to_zero():
    story = timeline()
    assert told(story, 100.0, ("pools", "p", POOL), run(100.0, 0, 0)) == [
        "0 pool p: created: local.small, sized by its formula every PT15M",
        "0 pool p: autoscale: 0 dedicated, 0 low-priority nodes; a=1",
    ]
    assert told(story, 101.0, run(101.0, 0, 0, "a=2")) == ["1 pool p: autoscale: no change; a=2"]
    assert told(story, 102.0, run(102.0, 0, 1), ("nodes", "n", NODE)) == [
        "2 pool p: autoscale: low-priority 0 -> 1; a=1",
        "0 node n: ordered: low-priority, pool p",
    ]
    idle = new_version(NODE, 103.0, state=NodeState.IDLE, vm_confirmed=103.0)
    assert told(story, 103.0, ("nodes", "n", idle)) == ["3 node n: idle", "3 pool p: has 1 node"]
    running = new_version(idle, 104.0, state=NodeState.RUNNING)
    assert told(story, 104.0, ("nodes", "n", running)) == []
    assert told(story, 105.0, ("nodes", "n", new_version(running, 105.0, state=NodeState.IDLE))) == []
    gone = new_version(POOL, 110.0, usage=Usage(low_priority_seconds=10.0, cost=1.0))
    # in whatever order a batch brings them
    assert told(story, 110.0, ("nodes", "n", None), ("pools", "p", gone)) == [
        "10 node n: gone after 10.0 s, cost unknown",
        "10 pool p: is at zero: 10.0 node-seconds so far, cost 1.00",
    ]
    assert story.tally.steps["p"] == [(100.0, 0), (103.0, 1), (110.0, 0)]


@pytest.mark.parametrize("first", [NodeState.STARTING, NodeState.WAITING_FOR_START_TASK, NodeState.IDLE])
def test_what_the_cloud_gave_is_told_once_with_the_first_state_that_shows_it(first):
    story = timeline()
    told(story, 100.0, ("pools", "p", POOL), ("nodes", "n", NODE))
    vm = Vm(
        "vm", "i-1", VmState.RUNNING, "10.0.0.1", 22, "admin", None, True, "/mnt", 100.0,
        size="t3.small", zone="us-east-1a",
    )  # fmt: skip
    came = new_version(NODE, 101.0, state=first, vm=vm, price_per_hour=0.5)
    assert told(story, 101.0, ("nodes", "n", came)) == [f"1 node n: {first}: t3.small in us-east-1a, 0.5000 per hour"]
    left = new_version(came, 102.0, state=NodeState.LEAVING_POOL, reason="target 0")
    assert told(story, 102.0, ("nodes", "n", left)) == ["2 node n: leavingpool: target 0"]


def test_a_node_that_was_refused_has_not_been_there():
    story = timeline()
    told(story, 100.0, ("pools", "p", POOL), ("nodes", "n", NODE))
    assert told(story, 101.0, ("nodes", "n", None)) == ["1 node n: no VM was made"]
    assert story.tally.steps["p"] == [(100.0, 0)]


def test_a_preempted_node_is_gone_with_its_vm_and_tells_its_cost():
    story = timeline()
    came = new_version(NODE, 101.0, state=NodeState.IDLE, vm_confirmed=101.0, price_per_hour=3600.0)
    told(story, 101.0, ("pools", "p", POOL), ("nodes", "n", came))
    taken = new_version(came, 110.0, state=NodeState.PREEMPTED, reason="taken", vm_ended=110.0)
    assert told(story, 110.0, ("nodes", "n", taken)) == ["10 node n: preempted: taken"]
    gone = new_version(taken, 112.0, vm_gone=True)
    paid = new_version(POOL, 112.0, usage=Usage(low_priority_seconds=10.0, cost=10.0))
    assert told(story, 112.0, ("pools", "p", paid), ("nodes", "n", gone)) == [
        "12 node n: gone after 12.0 s, cost 10.00",
        "12 pool p: is at zero: 10.0 node-seconds so far, cost 10.00",
    ]
    assert told(story, 150.0, ("nodes", "n", None)) == []  # another has taken its place


def test_a_formula_that_fails_and_recovers():
    story = timeline()
    error = AutoScaleError("InsufficientSampleData", "too few")
    assert told(story, 100.0, run(100.0, 0, 0, error=error)) == [
        "0 pool p: autoscale failed: InsufficientSampleData: too few"
    ]
    assert told(story, 101.0, run(101.0, 0, 0, error=error)) == [
        "1 pool p: autoscale failed: InsufficientSampleData: too few"
    ]
    assert told(story, 102.0, run(102.0, 0, 0)) == [
        "2 pool p: autoscale: works again; a=1"
    ]


def test_a_task_with_its_output():
    story = timeline()
    output = Output(owner="task", parent_id="j", id="t", stream="stdout", size=3, data=b"hi\n")
    running = new_version(TASK, 101.0, state=TaskState.RUNNING, node_id="n", start_time=101.0)
    assert told(story, 101.0, ("tasks", TASK.key, running)) == ["1 task j t: running on n"]
    again = new_version(running, 102.0, state=TaskState.ACTIVE, requeue_count=1, last_node_id="n")
    assert told(story, 102.0, ("tasks", TASK.key, again)) == [
        "2 task j t: requeued: its execution on n was ended or lost"
    ]
    done = new_version(
        running, 103.0, state=TaskState.COMPLETED, result=ExecutionResult.SUCCESS, exit_code=0, end_time=103.5,
        last_node_id="n",
    )  # fmt: skip
    assert told(story, 103.0, ("tasks", TASK.key, done), ("outputs", output.key, output)) == [
        "3.5 task j t: success: exit code 0, 2.5 s on n | hi"
    ]


def test_a_task_that_fails_shows_its_errors_too():
    story = timeline()
    outputs = [
        Output(owner="task", parent_id="j", id="t", stream=stream, size=2, data=stream[3:].encode())
        for stream in ("stdout", "stderr")
    ]
    failed = new_version(
        TASK, 103.0, state=TaskState.COMPLETED, result=ExecutionResult.FAILURE, exit_code=None,
        failure=FailureInfo("usererror", "CommandNotFound", "no such program"),
    )  # fmt: skip
    changes = [("outputs", output.key, output) for output in outputs]
    assert told(story, 103.0, *changes, ("tasks", TASK.key, failed)) == [
        "3 task j t: failure: no exit code; no such program | out | err"
    ]


def test_what_was_there_before_is_not_told_again():
    story = timeline()
    story.load({"pools": [POOL], "nodes": [NODE], "jobs": [JOB], "tasks": [TASK]})
    changes = [("pools", "p", new_version(POOL, 101.0)), ("nodes", "n", new_version(NODE, 101.0))]
    assert told(story, 101.0, *changes) == []
    closed = new_version(JOB, 102.0, state=JobState.COMPLETED, terminate_reason="X", end_time=102.0)
    assert told(story, 102.0, ("jobs", "j", closed)) == ["2 job j: completed: X"]


def test_colours_are_for_those_who_want_them():
    line = Line(101.0, "pool p", "good news", "good")
    assert rendered(line, 100.0, colour=False) == f"     1.0s  {'pool p':<36}  good news"
    assert "\x1b[32mgood news" in rendered(line, 100.0, colour=True)


class _Stuck:
    """A terminal that takes no lines until it is let `go`."""

    shows_progress = True

    def __init__(self):
        self.stuck, self.go, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.lines = []

    def show(self, lines, now):
        self.stuck.set()
        assert self.go.wait(PATIENCE)
        self.lines += lines

    def close(self):
        self.closed.set()


def test_a_terminal_that_hangs_does_not_hold_up_the_engine():
    view = _Stuck()
    pump = Pump(timeline(), view, lambda: 100.0)
    pump.start()
    assert view.stuck.wait(PATIENCE)
    changes = Changes.of(
        Change("tasks", ("j", str(n)), new_version(TASK, 101.0, state=TaskState.RUNNING, node_id="n"))
        for n in range(1000)
    )
    started = time.thread_time()  # whatever else the machine does; a wait for the view would fail the view
    for _ in range(1000):
        pump.observe(changes)
    assert time.thread_time() - started < 0.5  # a million changes
    assert not view.lines
    view.go.set()
    pump.close()
    assert view.closed.wait(PATIENCE)
    assert pump.tally.task_counts()["running"] == 1000
    assert not any(line.subject.startswith("task ") for line in view.lines)  # counted, not told


def test_no_line_goes_back_in_time():
    """The first task ended by the clock of its node, and is heard of later; the second node's clock is fast. When our
    own is set back, its lines follow."""
    stream = io.StringIO()
    clock = iter([110.0, 111.0, 105.0])
    pump = Pump(timeline(), PlainView(stream, 100.0, colour=False), lambda: next(clock))
    for start in (109.0, 103.0, 500.0):
        running = new_version(TASK, start, state=TaskState.RUNNING, node_id="n", start_time=start)
        pump.observe(Changes.of([Change("tasks", ("j", str(start)), running)]))
    pump._beat()
    for said in (109.5, 105.0):
        pump.say(Line(said, "ebbtide", "heard"))
        pump._beat()
    times = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert times == ["9.0s", "9.0s", "10.0s", "10.0s", "5.0s"]


def test_money():
    assert [money(cost) for cost in (None, 0.0, 0.00001234, 0.5, 12.3456)] == [
        "unknown", "0.00", "0.000012", "0.5000", "12.35",
    ]  # fmt: skip


def test_what_a_job_has_cost_grows_with_its_executions():
    story = timeline()
    first = new_version(TASK, 101.0, state=TaskState.RUNNING, node_id="n", cost=0.25)
    told(story, 101.0, ("tasks", TASK.key, first), ("tasks", ("j", "u"), new_version(TASK, 101.0)))
    told(story, 102.0, ("tasks", TASK.key, new_version(first, 102.0, cost=0.5, unpriced_seconds=3.0)))
    assert story.tally.job_cost("j", 102.0) == Cost(0.5, 3.0)
    assert story.tally.job_cost("k", 102.0) == Cost()


def test_what_a_job_has_cost_counts_what_runs_until_now():
    story = timeline()
    node = new_version(NODE, 100.0, price_per_hour=3600.0)
    runs = new_version(TASK, 101.0, state=TaskState.RUNNING, node_id="n", start_time=101.0, cost=0.25)
    told(story, 101.0, ("pools", "p", POOL), ("nodes", "n", node), ("tasks", TASK.key, runs))
    assert story.tally.job_cost("j", 105.0) == Cost(4.25)
    again = new_version(runs, 106.0, state=TaskState.ACTIVE, node_id=None, start_time=None, cost=5.25)
    told(story, 106.0, ("tasks", TASK.key, again))
    assert story.tally.job_cost("j", 110.0) == Cost(5.25)


def test_a_budget_is_told_of_once():
    story = timeline()
    error = FailureInfo("usererror", "BudgetReached", "it is used up")
    held = new_version(JOB, 101.0, scheduling_error=error, held=True)
    assert told(story, 101.0, ("jobs", "j", held)) == [
        "0 job j: created on pool p", "1 job j: BudgetReached: it is used up"
    ]  # fmt: skip
    assert told(story, 102.0, ("jobs", "j", new_version(held, 102.0))) == []
    assert told(story, 103.0, ("jobs", "j", new_version(held, 103.0, scheduling_error=None, held=False))) == []
