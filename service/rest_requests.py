"""What can be asked of pools, jobs, tasks and schedules, as requests of the Batch REST API: for servers, which take no
events. The other way round, and for a controller on this machine: `request_routes`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from runner import (
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DeleteTask,
    DisableAutoScale,
    DisableJob,
    DisableJobSchedule,
    DisableScheduling,
    EnableAutoScale,
    EnableJob,
    EnableJobSchedule,
    EnableScheduling,
    Event,
    ReactivateTask,
    RebootNode,
    ReimageNode,
    RemoveNodes,
    ResizePool,
    ResumePool,
    RunJobSchedule,
    StopResize,
    TerminateJob,
    TerminateJobSchedule,
    TerminateTask,
)

from .iso8601 import format_duration
from .rest_objects import Objects


class RestRequest(NamedTuple):
    """`segments`: of the path, as they are; `body`: JSON-like."""

    method: str
    segments: tuple[str, ...]
    body: dict[str, Any] | None = None


def _pool(method: str, *rest: str) -> Callable[[Any], RestRequest]:
    return lambda event: RestRequest(method, ("pools", event.pool_id, *rest))


def _job(method: str, *rest: str) -> Callable[[Any], RestRequest]:
    return lambda event: RestRequest(method, ("jobs", event.job_id, *rest))


def _task(method: str, *rest: str) -> Callable[[Any], RestRequest]:
    return lambda event: RestRequest(method, ("jobs", event.job_id, "tasks", event.task_id, *rest))


def _schedule(method: str, *rest: str) -> Callable[[Any], RestRequest]:
    return lambda event: RestRequest(method, ("jobschedules", event.schedule_id, *rest))


def _node(*rest: str) -> Callable[[Any], RestRequest]:
    return lambda event: RestRequest("POST", ("pools", event.pool_id, "nodes", event.node_id, *rest))


def _with(make: Callable[[Any], RestRequest], body: Callable[[Any], dict[str, Any]]) -> Callable[[Any], RestRequest]:
    """Properties that are None are left out."""

    def made(event: Any) -> RestRequest:
        return make(event)._replace(body={name: value for name, value in body(event).items() if value is not None})

    return made


def _duration(seconds: float | None) -> str | None:
    return format_duration(timedelta(seconds=seconds)) if seconds is not None else None


def _resize(event: ResizePool) -> dict[str, Any]:
    return {
        "targetDedicatedNodes": event.dedicated,
        "targetLowPriorityNodes": event.low_priority,
        "nodeDeallocationOption": str(event.option),
        "resizeTimeout": _duration(event.timeout),
    }


def _removal(event: RemoveNodes) -> dict[str, Any]:
    return {
        "nodeList": list(event.node_ids),
        "nodeDeallocationOption": str(event.option),
        "resizeTimeout": _duration(event.timeout),
    }


def _autoscale(event: EnableAutoScale) -> dict[str, Any]:
    return {"autoScaleFormula": event.formula, "autoScaleEvaluationInterval": _duration(event.interval)}


#: By the kind of the event.
REQUESTS: dict[type[Event], Callable[[Any], RestRequest]] = {
    DeletePool: _pool("DELETE"),
    ResizePool: _with(_pool("POST", "resize"), _resize),
    StopResize: _pool("POST", "stopresize"),
    EnableAutoScale: _with(_pool("POST", "enableautoscale"), _autoscale),
    DisableAutoScale: _pool("POST", "disableautoscale"),
    ResumePool: _pool("POST", "resume"),
    RemoveNodes: _with(_pool("POST", "removenodes"), _removal),
    RebootNode: _with(_node("reboot"), lambda event: {"nodeRebootOption": str(event.option)}),
    ReimageNode: _with(_node("reimage"), lambda event: {"nodeReimageOption": str(event.option)}),
    DisableScheduling: _with(
        _node("disablescheduling"), lambda event: {"nodeDisableSchedulingOption": str(event.option)}
    ),
    EnableScheduling: _node("enablescheduling"),
    DeleteJob: _job("DELETE"),
    DisableJob: _with(_job("POST", "disable"), lambda event: {"disableTasks": event.tasks}),
    EnableJob: _job("POST", "enable"),
    TerminateJob: _with(_job("POST", "terminate"), lambda event: {"terminateReason": event.reason}),
    DeleteTask: _task("DELETE"),
    TerminateTask: _task("POST", "terminate"),
    ReactivateTask: _task("POST", "reactivate"),
    DeleteJobSchedule: _schedule("DELETE"),
    DisableJobSchedule: _schedule("POST", "disable"),
    EnableJobSchedule: _schedule("POST", "enable"),
    TerminateJobSchedule: _schedule("POST", "terminate"),
    RunJobSchedule: _schedule("POST", "run"),
}


class NoSuchRequest(Exception):
    """The protocol has no operation for the event."""


def ask(objects: Objects, event: Event) -> None:
    """Ask a server for what the event is. Raises NoSuchRequest, RequestRefused, Unanswered."""
    make = REQUESTS.get(type(event))
    if make is None:
        raise NoSuchRequest(type(event).__name__)
    method, segments, body = make(event)
    objects.ask(method, *segments, body=body)
