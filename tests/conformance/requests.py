"""The requests of the steps of a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pools import NodeDeallocationOption
from runner import (
    AddJob,
    AddTasks,
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DeleteTask,
    DisableJob,
    DisableJobSchedule,
    EnableJob,
    EnableJobSchedule,
    Event,
    JobScheduleSpec,
    JobSpec,
    JobWithTasks,
    ReactivateTask,
    ReplaceJob,
    ReplaceJobSchedule,
    ResizePool,
    RunJobSchedule,
    TaskConstraints,
    TerminateJob,
    TerminateJobSchedule,
    TerminateTask,
    UpdateTask,
)
from service.conflicts import without_tasks

from .bodies import attributes, decoded

Make = Callable[[str, str, Any], Event]  # id of the job or schedule, id of the pool, what stands in the step


def _of_job(job_id: str, pool_id: str, plain: dict[str, Any]) -> dict[str, Any]:
    return {"id": job_id, "poolInfo": {"poolId": pool_id}} | plain


def of_schedule(schedule_id: str, pool_id: str, plain: dict[str, Any]) -> dict[str, Any]:
    specification = {"poolInfo": {"poolId": pool_id}} | plain.get("jobSpecification", {})
    return {"id": schedule_id, "schedule": {}} | plain | {"jobSpecification": specification}


def add_job(job_id: str, pool_id: str, plain: dict[str, Any]) -> AddJob:
    job = decoded(_of_job(job_id, pool_id, plain), JobWithTasks)
    return AddJob(without_tasks(job), job.tasks)


def _add_another_job(_: str, pool_id: str, plain: dict[str, Any]) -> AddJob:
    return add_job(plain["id"], pool_id, plain)


def _add_tasks(job_id: str, pool_id: str, plain: list[Any]) -> AddTasks:
    return AddTasks(job_id, decoded(_of_job(job_id, pool_id, {"tasks": plain}), JobWithTasks).tasks)


def _replace_job(job_id: str, pool_id: str, plain: dict[str, Any]) -> ReplaceJob:
    return ReplaceJob(decoded(_of_job(job_id, pool_id, plain), JobSpec), attributes(plain, JobSpec))


def _replace_schedule(schedule_id: str, pool_id: str, plain: dict[str, Any]) -> ReplaceJobSchedule:
    spec = decoded(of_schedule(schedule_id, pool_id, plain), JobScheduleSpec)
    return ReplaceJobSchedule(spec, attributes(plain, JobScheduleSpec))


def _update_task(job_id: str, _: str, plain: dict[str, Any]) -> UpdateTask:
    return UpdateTask(job_id, plain["id"], decoded(plain["constraints"], TaskConstraints))


def _resize(_: str, pool_id: str, plain: dict[str, Any]) -> ResizePool:
    option = NodeDeallocationOption(plain.get("nodeDeallocationOption", "requeue"))
    return ResizePool(pool_id, plain.get("targetDedicatedNodes", 0), plain.get("targetLowPriorityNodes", 0), option)


REQUESTS: Mapping[str, Make] = {
    "addJob": _add_another_job,
    "addTasks": _add_tasks,
    "replaceJob": _replace_job,
    "disableJob": lambda job, pool, tasks: DisableJob(job, tasks),
    "enableJob": lambda job, pool, _: EnableJob(job),
    "terminateJob": lambda job, pool, reason: TerminateJob(job, *([reason] if reason else [])),
    "deleteJob": lambda job, pool, other: DeleteJob(other or job),
    "terminateTask": lambda job, pool, task: TerminateTask(job, task),
    "reactivateTask": lambda job, pool, task: ReactivateTask(job, task),
    "deleteTask": lambda job, pool, task: DeleteTask(job, task),
    "updateTask": _update_task,
    "resizePool": _resize,
    "deletePool": lambda job, pool, _: DeletePool(pool),
    "replaceSchedule": _replace_schedule,
    "disableSchedule": lambda schedule, pool, _: DisableJobSchedule(schedule),
    "enableSchedule": lambda schedule, pool, _: EnableJobSchedule(schedule),
    "terminateSchedule": lambda schedule, pool, _: TerminateJobSchedule(schedule),
    "deleteSchedule": lambda schedule, pool, _: DeleteJobSchedule(schedule),
    "runSchedule": lambda schedule, pool, _: RunJobSchedule(schedule),
}
