"""What a case can look at: the records in the words of the REST API, and what tasks left behind. Committed things only;
to be called between two batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pools import FailureInfo
from runner import StoreError
from runner.model import Job, JobNode, JobSchedule, NodeExecution
from runner.task_model import Task
from service.controller import Controller


class View:
    def __init__(
        self, controller: Controller, job_id: str, pool_id: str, folder: Path, puts: Callable[[], dict[str, Any]]
    ) -> None:
        self._controller = controller
        self._journal = controller.journal
        self._job_id = job_id
        self._pool_id = pool_id
        self._folder = folder
        self._puts = puts

    def seen(self, asked: dict[str, Any]) -> dict[str, Any]:
        """All that `asked` names."""
        return {name: getattr(self, f"_{name}")(asked[name]) for name in asked}

    def _job(self, _: Any) -> Any:
        job = self._journal.job(self._job_id)
        return _of_job(job) if job is not None else None

    def _jobs(self, _: Any) -> Any:
        """Those of the schedule."""
        found = [job for job in self._journal.jobs() if job.schedule_id == self._job_id]
        return {job.id: _of_job(job) | {"tasks": self._tasks_of(job.id)} for job in found}

    def _tasks(self, _: Any) -> Any:
        return self._tasks_of(self._job_id)

    def _taskIds(self, _: Any) -> Any:
        return [task.id for task in self._journal.tasks(self._job_id)]

    def _tasks_of(self, job_id: str) -> dict[str, Any]:
        tasks = self._journal.tasks(job_id)
        first: dict[str | None, str] = {}
        for task in tasks:
            first.setdefault(task.last_node_id, task.id)
        return {task.id: self._of_task(task) | {"onNodeOf": first[task.last_node_id]} for task in tasks}

    def _of_task(self, task: Task) -> dict[str, Any]:
        ran = (task.start_time or 0.0, task.end_time or 0.0)
        return {
            "state": str(task.state),
            "exitCode": task.exit_code,
            "result": task.result and str(task.result),
            "failureInfo": _failure(task.failure),
            "schedulingError": _failure(task.scheduling_error),
            "retryCount": task.retry_count,
            "requeueCount": task.requeue_count,
            "displayName": task.spec.display_name,
            "hint": task.hint,
            "brief": ran[1] - ran[0] < 20.0,
            "stdout": self._printed("task", task.job_id, task.id, "stdout"),
            "stderr": self._printed("task", task.job_id, task.id, "stderr"),
        }

    def _printed(self, owner: str, parent: str, name: str, stream: str) -> str | None:
        output = self._journal.output(owner, parent, name, stream)
        return b"".join(self._controller.outputs.read(output)).decode() if output is not None else None

    def _nodesUsed(self, _: Any) -> Any:
        return len({task.last_node_id or task.node_id for task in self._journal.tasks(self._job_id)} - {None})

    def _preparation(self, _: Any) -> Any:
        """On each node where it ran, the one that began first coming first."""
        found = sorted(self._journal.job_nodes(self._job_id), key=lambda each: each.created)
        return [self._of_job_node(each) for each in found]

    def _of_job_node(self, each: JobNode) -> dict[str, Any]:
        return {
            "state": str(each.state),
            "preparation": _of_execution(each.preparation),
            "release": _of_execution(each.release),
            "prepared": self._printed("jobpreparation", each.job_id, each.node_id, "stdout"),
            "released": self._printed("jobrelease", each.job_id, each.node_id, "stdout"),
        }

    def _schedule(self, _: Any) -> Any:
        found = {each.id: each for each in self._controller.core.schedules.schedules}.get(self._job_id)
        return _of_schedule(found) if found is not None else None

    def _pool(self, _: Any) -> Any:
        """The job's own, if one was made for it."""
        job = self._journal.job(self._job_id) or self._journal.job(f"{self._job_id}:job-1")
        pool_id = job.auto_pool_id if job is not None and job.auto_pool_id else self._pool_id
        core = self._controller.core
        pool = core.ctx.pools.get(pool_id)
        if pool is None:
            return None
        starts = [node.start_task for node in core.ctx.nodes_of(pool_id)]
        counts = core.counts(pool_id)
        return {
            "state": str(pool.state),
            "nodes": [str(node.state) for node in core.ctx.nodes_of(pool_id)],
            "startTasks": [start and {"exitCode": start.exit_code, "result": str(start.result)} for start in starts],
            "activeTasks": counts.active,
            "runningTasks": counts.running,
        }

    def _autoPools(self, _: Any) -> Any:
        """How many there are whose names begin with the id of the job."""
        return sum(pool.id.startswith(self._job_id) for pool in self._controller.core.ctx.pools)

    def _files(self, asked: dict[str, Any]) -> Any:
        paths = {name: self._folder / name for name in asked}
        return {name: path.read_text() if path.exists() else None for name, path in paths.items()}

    def _storage(self, _: Any) -> Any:
        """The container of the case."""
        store = self._controller.store
        try:
            blobs = store.page(self._job_id).blobs
        except StoreError:
            return {}
        return {blob.name: b"".join(store.read(self._job_id, blob.name)).decode() for blob in blobs}

    def _blobs(self, _: Any) -> Any:
        """The names of all in the container of the case."""
        return sorted(self._storage(_))

    def _received(self, _: Any) -> Any:
        """What the web server was sent."""
        return self._puts()


def _failure(info: FailureInfo | None) -> Any:
    if info is None:
        return None
    details = {each.name: each.value for each in info.details}
    return {"category": info.category, "code": info.code, "message": info.message, "details": details}


def _of_job(job: Job) -> dict[str, Any]:
    return {
        "state": str(job.state),
        "previousState": job.previous_state and str(job.previous_state),
        "terminateReason": job.terminate_reason,
        "schedulingError": _failure(job.scheduling_error),
        "displayName": job.spec.display_name,
        "priority": job.spec.priority,
        "metadata": {each.name: each.value for each in job.spec.metadata},
        "ownPool": job.auto_pool_id is not None,
    }


def _of_execution(each: NodeExecution | None) -> Any:
    if each is None:
        return None
    return {
        "state": each.state,
        "exitCode": each.exit_code,
        "result": each.result and str(each.result),
        "failureInfo": _failure(each.failure),
        "retryCount": each.retry_count,
    }


def _of_schedule(schedule: JobSchedule) -> dict[str, Any]:
    return {
        "state": str(schedule.state),
        "displayName": schedule.spec.display_name,
        "jobsCreated": schedule.jobs_created,
        "recentJob": schedule.recent_job_id,
        "nextRun": schedule.next_run_time is not None,
        "waits": schedule.waiting or schedule.run_requested,
    }
