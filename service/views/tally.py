"""The state of things as the committed changes tell it: what views show, kept up to date change by change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pools import AutoScaleRun, Change, Cost, Node, Pool, Prefix
from runner import DoneTotals, Job, Task

from ..costs import Used, job_costs, used
from .job_tally import JobTally

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
        #: per job, until it is deleted
        self._work: defaultdict[str, JobTally] = defaultdict(JobTally)
        #: per pool: (when, how many nodes with a VM from then on)
        self.steps: dict[str, list[tuple[float, int]]] = {}
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
        self._work[job_id].known_done(totals)

    def take(self, change: Change, now: float) -> None:
        table, key, record = change
        if table == "tasks":
            if isinstance(key, Prefix):
                self._work.pop(key.parts[0], None)
            else:
                self._work[key[0]].take(key[1], record)
        elif table == "nodes":
            self._node(key, record, now)
        elif table == "pools":
            _keep(self.pools, key, record)
            self.steps.setdefault(key, [(now, 0)])
            if record is None:
                self.runs.pop(key, None)
        elif table == "jobs":
            _keep(self.jobs, key, record)
            if record is not None and record.state == "completed":
                self._work[key].over()
        elif table == "autoscale_runs":
            self.runs[key[0]] = record

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
        work = self._work.get(job_id)
        if work is None:
            return Cost()
        return work.cost + job_costs(work.running.values(), self.nodes, self.pools, now)[job_id]

    def size(self, job_id: str) -> int:
        """How many tasks the job has."""
        return self.counts(job_id).total()

    def counts(self, job_id: str) -> Counter[str]:
        """How many tasks of the job are in which state; completed ones as `succeeded` and `failed`."""
        work = self._work.get(job_id)
        return work.counts if work is not None else Counter()

    def task_counts(self) -> Counter[str]:
        """The same over all jobs."""
        return sum((work.counts for work in self._work.values()), Counter())

    def counts_by_job(self) -> dict[str, Counter[str]]:
        """As they are now."""
        return {job_id: work.counts.copy() for job_id, work in self._work.items()}


def _vms(node: Node | None) -> int:
    return int(node is not None and node.has_vm)


def _keep(records: dict[str, Any], key: str, record: Any) -> None:
    if record is None:
        records.pop(key, None)
    else:
        records[key] = record
