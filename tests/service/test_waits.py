"""Why tasks wait, as `status` tells it of the records."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pools import FailureInfo, Node, NodeState, Pool, PoolSpec, ResizeError
from runner import (
    Job,
    JobManagerTask,
    JobNode,
    JobPreparationTask,
    JobSpec,
    JobState,
    PoolInfo,
    Task,
    TaskDependencies,
    TaskSpec,
    TaskState,
)
from runner.states import JobNodeState
from runner.task_spec import packed
from service.task_status import task_json, task_line
from service.waits import Waits

STAMP: Any = {"created": 100.0, "modified": 100.0, "state_time": 100.0}
NODE = Node(**STAMP, id="n", pool_id="p", vm_name="vm", low_priority=False, state=NodeState.IDLE)
LOW, COMING = replace(NODE, low_priority=True), replace(NODE, id="m", state=NodeState.STARTING)
SILENT = replace(NODE, state=NodeState.RUNNING, silent_since=0.0)
SPEC = PoolSpec(id="p", vm_size="s")
POOL = Pool(**STAMP, id="p", provider="x", spec=SPEC)
SCALING = replace(
    POOL, spec=replace(SPEC, enable_auto_scale=True, auto_scale_evaluation_interval=timedelta(minutes=5))
)
REFUSED = replace(POOL, resize_errors=(ResizeError("AllocationFailed", "the quota is used up"),))
JOB = Job(**STAMP, id="j", spec=JobSpec(id="j", pool_info=PoolInfo(pool_id="p")))
TASK = Task(
    **STAMP, job_id="j", id="t", uid="u", sequence=1,
    raw_spec=packed(TaskSpec(id="t", command_line="x", depends_on=TaskDependencies(task_ids=tuple("abcde")))),
)  # fmt: skip
PLACED, PREPARING = replace(TASK, node_id="n"), replace(TASK, node_id="n", state=TaskState.PREPARING)
MANAGER = replace(TASK, is_job_manager=True, exclusive=True)


def of(job, **changes):
    return replace(job, spec=replace(job.spec, **changes))


PICKY = of(JOB, job_manager_task=JobManagerTask(id="t", command_line="x", allow_low_priority_node=False))
PREPARED = of(JOB, job_preparation_task=JobPreparationTask(command_line="x"))
BLOCKED = replace(JOB, scheduling_error=FailureInfo("usererror", "PoolHasNoNodes", "resize it"))
HELD = replace(JOB, held=True, scheduling_error=FailureInfo("usererror", "BudgetReached", "used up"))


def record(state):
    return JobNode(**STAMP, job_id="j", node_id="n", pool_id="p", uid="x", state=state)


FAILED, PREPARES = record(JobNodeState.FAILED), record(JobNodeState.PREPARING)

# task, job, pool, nodes, records of its preparation, what is told
CASES = {
    "a free slot": (TASK, JOB, POOL, [NODE], [], "waits for a free slot of pool p"),
    "no node yet": (TASK, JOB, POOL, [COMING], [], "waits for a node: pool p has none, 1 on the way"),
    "none can be had": (TASK, JOB, REFUSED, [], [], "has none; AllocationFailed: the quota is used up"),
    "its formula wants none": (TASK, JOB, SCALING, [], [], "its formula wants 0 dedicated, 0 low-priority nodes"),
    "no dedicated node": (MANAGER, PICKY, POOL, [LOW], [], "waits for a dedicated node: pool p has none"),
    "one of its own": (MANAGER, PICKY, POOL, [NODE], [], "waits for a dedicated node of its own"),
    "several nodes": (replace(TASK, size=2), JOB, POOL, [NODE, COMING], [], "at once: pool p has 1, 1 on the way"),
    "slots on several": (replace(TASK, size=1), JOB, POOL, [NODE], [], "a free slot on each of 1 nodes"),
    "its preparation failed": (TASK, PREPARED, POOL, [NODE], [FAILED], "has not failed (it did on 1)"),
    "another job's did not": (TASK, JOB, POOL, [NODE], [FAILED], "a free slot"),
    "its preparation runs": (PREPARING, PREPARED, POOL, [NODE], [PREPARES], "its job's preparation task on n"),
    "other tasks": (replace(TASK, waiting=True), JOB, POOL, [NODE], [], "depends on: a, b, c and 2 more"),
    "as many as it may": (TASK, of(JOB, max_parallel_tasks=3), POOL, [NODE], [], "(maxParallelTasks 3)"),
    "sent ahead": (PLACED, JOB, POOL, [NODE], [], "sent to n, waits there for a slot"),
    "silent": (PLACED, JOB, POOL, [SILENT], [], "sent to n, which is silent since 1970-01-01T00:00:00"),
    "all are silent": (TASK, JOB, POOL, [SILENT], [], "those of pool p are silent"),
    "its job is disabled": (TASK, replace(JOB, state=JobState.DISABLED), POOL, [NODE], [], "`ebbtide job enable j`"),
    "its job is over": (TASK, replace(JOB, state=JobState.COMPLETED), POOL, [NODE], [], "its job is completed"),
    "its job is blocked": (TASK, BLOCKED, POOL, [], [], "its job cannot go on: resize it"),
    "no money": (TASK, HELD, POOL, [NODE], [], "its job cannot go on: used up"),
    "no pool": (TASK, JOB, replace(POOL, id="q"), [], [], "there is no pool 'p'"),
    "it is told already": (replace(TASK, scheduling_error=BLOCKED.scheduling_error), JOB, POOL, [], [], None),
    "it starts": (PREPARING, JOB, POOL, [NODE], [], None),
    "it runs": (replace(PLACED, state=TaskState.RUNNING), JOB, POOL, [NODE], [], None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_told_why(case):
    task, job, pool, nodes, records, told = case
    counts = {"j": {"running": 2, "preparing": 1}}
    reason = Waits([job], [pool], nodes, counts, lambda job_id: records).reason(task)
    assert (reason is None) == (told is None)
    if told is not None and reason is not None:
        assert told in reason
        assert task_json(task, reason)["waits"] == reason and reason in task_line(task, reason)
