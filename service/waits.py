"""Why a task does not run yet, in words for people; by the records, so that nobody has to work on the state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pools import COMING, USABLE, Node, Pool
from runner import Job, JobNode, Task, needs_dedicated

from .iso8601 import format_instant

#: Tasks named at most that one waits for.
_NAMED = 3


class Waits:
    def __init__(
        self,
        jobs: Iterable[Job],
        pools: Iterable[Pool],
        nodes: Iterable[Node],
        counts: Mapping[str, Mapping[str, int]],
        job_nodes: Callable[[str], Iterable[JobNode]],
    ) -> None:
        """`counts`: tasks of each job by state; `job_nodes`: what the job's preparation did, by node."""
        self._jobs = {job.id: job for job in jobs}
        self._pools = {pool.id: pool for pool in pools}
        self._nodes = {node.id: node for node in nodes}
        self._counts = counts
        self._job_nodes = job_nodes
        self._unprepared: dict[str, dict[str, str]] = {}

    def reason(self, task: Task) -> str | None:
        """None: it waits for nothing, or `schedulingError` says it."""
        job = self._jobs.get(task.job_id)
        if task.state not in ("active", "preparing") or job is None:
            return None
        if task.node_id is not None:
            return self._at_node(task, job, task.node_id)
        if task.scheduling_error is not None:
            return None
        return self._of_job(job) or self._of_others(task) or self._of_limit(job) or self._of_pool(task, job)

    def _at_node(self, task: Task, job: Job, node_id: str) -> str | None:
        node = self._nodes.get(node_id)
        if node is not None and node.silent_since is not None:
            since = format_instant(node.silent_since)
            return f"sent to {node_id}, which is silent since {since}: whether it has begun there is not known"
        if self._prepares(job).get(node_id) == "preparing":
            return f"waits for its job's preparation task on {node_id}"
        return f"sent to {node_id}, waits there for a slot" if task.state == "active" else None

    @staticmethod
    def _of_job(job: Job) -> str | None:
        if job.state in ("disabled", "disabling"):
            return f"its job is {job.state}; enable it: `ebbtide job enable {job.id}`"
        if not job.lives:
            return f"its job is {job.state}"
        if (job.held or job.blocked) and job.scheduling_error is not None:
            return f"its job cannot go on: {job.scheduling_error.message}"
        return None

    @staticmethod
    def _of_others(task: Task) -> str | None:
        wanted = task.spec.depends_on if task.waiting else None
        if wanted is None:
            return None
        names = [*wanted.task_ids, *(f"{each.start} to {each.end}" for each in wanted.task_id_ranges)]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"waits for tasks that it depends on: {', '.join(names[:_NAMED])}{more}"

    def _of_limit(self, job: Job) -> str | None:
        limit, counts = job.spec.max_parallel_tasks, self._counts.get(job.id, {})
        if 0 < limit <= counts.get("running", 0) + counts.get("preparing", 0):
            return f"its job runs as many tasks as it may (maxParallelTasks {limit})"
        return None

    def _of_pool(self, task: Task, job: Job) -> str:
        pool = self._pools.get(job.pool_id)
        if pool is None:
            return f"there is no pool {job.pool_id!r}"
        there = [node for node in self._nodes.values() if node.pool_id == pool.id]
        usable, coming = [n for n in there if n.state in USABLE], [n for n in there if n.state in COMING]
        kind = "node"
        if needs_dedicated(task, job):
            kind = "dedicated node"
            usable, coming = ([n for n in some if not n.low_priority] for some in (usable, coming))
        prepares = self._prepares(job)
        fit = [node for node in usable if prepares.get(node.id) != "failed"]
        needed = task.size or 1
        if len(fit) >= needed:
            if all(node.silent_since is not None for node in fit):
                return f"waits for a {kind}: those of pool {pool.id} are silent"
            if task.size:
                return f"waits for a free slot on each of {needed} nodes of pool {pool.id}"
            return f"waits for a {kind} of its own" if task.exclusive else f"waits for a free slot of pool {pool.id}"
        what = f"waits for {needed} nodes at once: pool {pool.id} has {len(fit)}"
        if not task.size:
            what = f"waits for a {kind}: pool {pool.id} has none"
        if len(fit) < len(usable):
            what += f" on which its job's preparation task has not failed (it did on {len(usable) - len(fit)})"
        return what + self._why_none(pool, len(coming))

    @staticmethod
    def _why_none(pool: Pool, coming: int) -> str:
        if coming:
            return f", {coming} on the way"
        if pool.resize_errors:
            error = pool.resize_errors[-1]
            return f"; {error.code}: {error.message}"
        run = pool.autoscale_run
        if pool.spec.enable_auto_scale and run is not None and run.error is not None:
            return f"; its formula fails: {run.error.message}"
        if pool.spec.enable_auto_scale:
            targets = f"{pool.target_dedicated} dedicated, {pool.target_low_priority} low-priority"
            return f"; its formula wants {targets} nodes"
        return ""

    def _prepares(self, job: Job) -> dict[str, str]:
        """Nodes where its preparation is under way or has failed, if that matters."""
        task = job.spec.job_preparation_task
        if task is None or not task.wait_for_success:
            return {}
        if job.id not in self._unprepared:
            self._unprepared[job.id] = {each.node_id: str(each.state) for each in self._job_nodes(job.id)}
        return self._unprepared[job.id]
