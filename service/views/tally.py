"""The state of things as the committed changes tell it: what views show, kept up to date change by change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from pools import AutoScaleRun, Change, Cost, Node, Pool
from runner import DoneTotals, Job, Task

from ..costs import Used, job_costs, used

#: Steps remembered of how many nodes a pool had; the middle of a longer history goes.
_STEPS = 400


class Tally:
    """Every method is cheap: it costs a few dictionary accesses per change."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.pools: dict[str, Pool] = {}
        self.nodes: dict[str, Node] = {}
        self.jobs: dict[str, Job] = {}
        self.runs: dict[str, AutoScaleRun] = {}
        #: per job: how many tasks are in which state; completed ones as `succeeded` and `failed`
        self.tasks: dict[str, Counter[str]] = {}
        #: per job: how many tasks it has
        self._sizes: Counter[str] = Counter()
        #: per pool: (when, how many nodes with a VM from then on)
        self.steps: dict[str, list[tuple[float, int]]] = {}
        #: per job: what its executions that have ended took of nodes
        self._costs: dict[str, Cost] = defaultdict(Cost)
        #: per job: its tasks that run, without what their former executions took
        self._running: dict[str, dict[Any, Task]] = defaultdict(dict)
        self._task_costs: dict[Any, Cost] = {}
        self._task_states: dict[Any, str] = {}
        self._counts: Counter[str] = Counter()

    def load(self, tables: Mapping[str, Iterable[Any]]) -> None:
        """What was there before the first change."""
        for table in ("pools", "nodes", "jobs", "tasks"):
            for record in tables.get(table, ()):
                self.take(
                    Change(table, record.key if isinstance(record, Task) else record.id, record), self.start
                )

    def known_done(self, job_id: str, totals: DoneTotals) -> None:
        """Tasks that had completed before the first change, and are not in the tables."""
        counts = self.tasks.setdefault(job_id, Counter())
        counts["succeeded"] += totals.succeeded
        counts["failed"] += totals.failed
        self._sizes[job_id] += totals.succeeded + totals.failed
        self._costs[job_id] += Cost(totals.cost, totals.unpriced_seconds)

    def take(self, change: Change, now: float) -> None:
        table, key, record = change
        if table == "tasks":
            self._task(key, record)
        elif table == "nodes":
            self._node(key, record, now)
        elif table == "pools":
            _keep(self.pools, key, record)
            self.steps.setdefault(key, [(now, 0)])
        elif table == "jobs":
            _keep(self.jobs, key, record)
        elif table == "autoscale_runs":
            self.runs[key[0]] = record

    def _task(self, key: Any, task: Task | None) -> None:
        counts = self.tasks.setdefault(key[0], Counter())
        before = self._task_states.pop(key, None)
        if before is not None:
            counts[before] -= 1
            self._sizes[key[0]] -= 1
            self._running[key[0]].pop(key, None)
        if task is not None:
            state = task_state(task)
            self._task_states[key] = state
            counts[state] += 1
            self._sizes[key[0]] += 1
            if state == "running":
                self._running[key[0]][key] = replace(task, cost=0.0, unpriced_seconds=0.0)
            if task.cost or task.unpriced_seconds:
                self._task_cost(key, Cost(task.cost, task.unpriced_seconds))

    def _task_cost(self, key: Any, cost: Cost) -> None:
        before = self._task_costs.get(key, Cost())
        self._task_costs[key] = cost
        self._costs[key[0]] += Cost(cost.known - before.known, cost.unpriced - before.unpriced)

    def _node(self, node_id: str, node: Node | None, now: float) -> None:
        known = self.nodes.get(node_id)
        _keep(self.nodes, node_id, node)
        change = _vms(node) - _vms(known)
        if not change:
            return
        pool_id = (node or known).pool_id  # type: ignore[union-attr]
        self._counts[pool_id] += change
        steps = self.steps.setdefault(pool_id, [])
        if len(steps) > 1 and steps[-1][0] == now:
            steps.pop()  # of one moment only the end counts
        if not steps or steps[-1][1] != self._counts[pool_id]:
            steps.append((now, self._counts[pool_id]))
        if len(steps) > _STEPS:
            del steps[_STEPS // 2]

    # -- questions ------------------------------------------------------------------------------------------

    def node_count(self, pool_id: str) -> int:
        """How many nodes have a VM."""
        return self._counts[pool_id]

    def nodes_of(self, pool_id: str) -> Sequence[Node]:
        return [node for node in self.nodes.values() if node.pool_id == pool_id]

    def used(self, pool: Pool, now: float) -> Used:
        return used(pool, self.nodes_of(pool.id), now)

    def job_cost(self, job_id: str, now: float) -> Cost:
        """What its executions have taken of nodes, with those that run until `now`."""
        running = job_costs(self._running[job_id].values(), self.nodes, self.pools, now)
        return self._costs[job_id] + running[job_id]

    def size(self, job_id: str) -> int:
        """How many tasks the job has."""
        return self._sizes[job_id]

    def task_counts(self, most: int | None = None) -> Counter[str]:
        """By state, over all jobs; or those with so many tasks at the most."""
        total: Counter[str] = Counter()
        for job_id, counts in self.tasks.items():
            if most is None or self._sizes[job_id] <= most:
                total.update(counts)
        return total


def task_state(task: Task) -> str:
    if task.result is not None and task.state == "completed":
        return "succeeded" if task.result == "success" else "failed"
    return str(task.state)


def _vms(node: Node | None) -> int:
    return int(node is not None and node.has_vm)


def _keep(records: dict[str, Any], key: str, record: Any) -> None:
    if record is None:
        records.pop(key, None)
    else:
        records[key] = record
