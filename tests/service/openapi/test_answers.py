"""What is answered fits the description of it: whole objects, objects with little in them, and with nothing hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from pools import NodeState, RecordedRun, Sample
from runner import NodeExecution
from service.api import statistics
from service.property_table import objects
from service.rest_views import (
    Links,
    NodeWork,
    job_view,
    node_counts_view,
    node_view,
    pool_view,
    preparation_view,
    schedule_view,
    subtask_views,
    task_counts_view,
    task_view,
)
from service.rest_views.past import planner_pass_view, recorded_run_view, sample_view

from ..api.test_posted_back import KINDS, parts
from ..rest_views import full, full_past
from .described import fits

LINKS = Links("https://batch.example")
JOB = full.job()
#: By the titles of bodies: the schemas of what is asked for, and of what is answered then.
SCHEMAS = {
    "Pool": ("PoolSpec", "Pool"),
    "Job": ("JobSpec", "Job"),
    "Job schedule": ("JobScheduleSpec", "JobSchedule"),
    "Task": ("TaskSpec", "Task"),
}
WHOLE: dict[str, tuple[str, dict[str, Any]]] = {
    "pool": ("Pool", pool_view(full.busy_pool(), [], LINKS)),
    "pool with a formula": (
        "Pool",
        pool_view(full.pool({**full.POOL, "enableAutoScale": True, "autoScaleFormula": "x=1"}), [full.node()], LINKS),
    ),
    "job": ("Job", job_view(full.job(end_time=full.T0, scheduling_error=full.FAILURE), LINKS)),
    "schedule": ("JobSchedule", schedule_view(full.schedule(), LINKS)),
    "task": ("Task", task_view(full.task(), JOB, LINKS)),
    "failed task": ("Task", task_view(full.failed_task(), JOB, LINKS)),
    "node": ("ComputeNode", node_view(full.node(history=full.history()), full.pool(), LINKS, NodeWork(1, 2))),
    "unusable node": (
        "ComputeNode",
        node_view(full.node(state=NodeState.UNUSABLE, reason="it failed"), full.pool(), LINKS),
    ),
    "subtask": ("Subtask", subtask_views(full.failed_task(instances=full.instances()), JOB, LINKS)[0]),
    "preparation": ("JobPreparationAndReleaseTaskStatus", preparation_view(full.job_node(), JOB, LINKS)),
    "preparation that waits": (
        "JobPreparationAndReleaseTaskStatus",
        preparation_view(replace(full.job_node(), preparation=NodeExecution(), release=None), JOB, LINKS),
    ),
    "node counts": ("PoolNodeCounts", node_counts_view("p", [full.node()])),
    "task counts": ("TaskCountsResult", task_counts_view({"active": 1, "failed": 2}, {})),
    "autoscale run": ("RecordedAutoScaleRun", recorded_run_view(full_past.recorded_run())),
    "autoscale run of an earlier version": ("RecordedAutoScaleRun", recorded_run_view(RecordedRun("p", full.T0, ""))),
    "planner pass": ("PlannerPass", planner_pass_view(full_past.planner_pass())),
    "planner pass without actions": (
        "PlannerPass",
        planner_pass_view(replace(full_past.planner_pass(), actions=(), held_back=())),
    ),
    "sample": ("Sample", sample_view(Sample("p", full.T0, {"$PendingTasks": 1.0}), None)),
    "statistics of a task": ("TaskStatistics", statistics.task_stats(full.failed_task(), "https://x", full.T0 + 99)),
    "statistics of a pool": ("PoolStatistics", statistics.pool_stats(full.pool(), [], "https://x", full.T0 + 99)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole(name: str):
    schema, view = WHOLE[name]
    assert fits(schema, view) == []


@pytest.mark.parametrize("name", WHOLE)
def test_a_property_that_is_not_described_would_be_seen(name: str):
    schema, view = WHOLE[name]
    assert fits(schema, {**view, "surprise": 1}) != []


@pytest.mark.parametrize(("title", "wire", "view"), KINDS)
def test_any_part_of_a_specification(
    title: str, wire: dict[str, Any], view: Callable[[dict[str, Any]], dict[str, Any]]
):
    asked, answered = SCHEMAS[title]

    @settings(max_examples=30, deadline=None)
    @given(parts(wire, objects()[title]))
    def law(body: dict[str, Any]) -> None:
        assert fits(asked, body) == []
        assert fits(answered, view(body)) == []

    law()
