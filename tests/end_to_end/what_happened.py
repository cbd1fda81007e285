"""What became of one pool, its tasks and its nodes, as its controller committed it: of a real one, or a simulated."""

from __future__ import annotations

from typing import Any

from pools import Changes, NodeState, RecordedRun, Sample
from runner import TaskState


class WhatHappened:
    """Times are seconds since `start`. `one_clock`: nodes go by the controller's."""

    def __init__(self, pool_id: str, job_id: str, start: float, *, one_clock: bool) -> None:
        self._pool_id, self._job_id, self._start = pool_id, job_id, start
        self._one_clock = one_clock
        self.runs: list[RecordedRun] = []
        self.samples: list[Sample] = []
        #: by task, when each of its attempts began, and when the last one ended
        self.begun: dict[str, list[float]] = {}
        self.ended: dict[str, float] = {}
        #: of nodes, in the order of their creation
        self.ordered: dict[str, float] = {}
        self.usable: dict[str, float] = {}
        self.left: dict[str, float] = {}
        self.gone: dict[str, float] = {}

    def commit(self, changes: Changes, now: float) -> None:
        tables = changes.by_table
        self.runs += [run for run in tables.get("autoscale_runs", {}).values() if run.pool_id == self._pool_id]
        self.samples += [each for each in tables.get("samples", {}).values() if each.pool_id == self._pool_id]
        for task in tables.get("tasks", {}).values():
            if task is not None and task.job_id == self._job_id:
                self._see_task(task)
        for node_id, node in tables.get("nodes", {}).items():
            if node is None and node_id in self.ordered:
                self.gone[node_id] = now - self._start
            elif node is not None and node.pool_id == self._pool_id:
                self._see_node(node)

    def _see_task(self, task: Any) -> None:
        if task.state is TaskState.RUNNING or self._one_clock:
            begun = self.begun.setdefault(task.id, [])
            when = task.start_time if self._one_clock else task.state_time
            if when is not None and when - self._start not in begun:
                begun.append(when - self._start)
        if task.state is TaskState.COMPLETED:
            assert task.exit_code == 0, task
            self.ended[task.id] = task.state_time - self._start

    def _see_node(self, node: Any) -> None:
        self.ordered.setdefault(node.id, node.created - self._start)
        if node.usable_since is not None:
            self.usable[node.id] = node.usable_since - self._start
        if node.state is NodeState.LEAVING_POOL:
            self.left.setdefault(node.id, node.state_time - self._start)
