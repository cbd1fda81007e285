"""What we serve beyond the Batch REST API: how application packages come, which its clients do by Azure Resource
Manager, what only pools and schedules of ours can be asked, what is kept of a pool's past, and what is gone on purpose,
so that whoever brings a workload file here does not make it again. In the same style, and under the same paths."""

from __future__ import annotations

from .operations import Operation

_APPLICATION = "/applications/{applicationId}"
#: What is kept of a pool's past is asked for by time.
_PAST = ("starttime", "endtime", "newestfirst", "maxresults", "$skiptoken")
_PACKAGE = "/applications/{applicationId}/versions/{version}"

OWN_OPERATIONS: tuple[Operation, ...] = (
    Operation("application.put_package", "PUT", _PACKAGE, 201, ("default",), "all", streams=True),
    Operation("application.get_package", "GET", _PACKAGE, 200),
    Operation("application.delete_package", "DELETE", _PACKAGE, 204),
    Operation("application.patch", "PATCH", _APPLICATION, 200),
    Operation("application.delete", "DELETE", _APPLICATION, 204),
    Operation("pool.list_auto_scale_runs", "GET", "/pools/{poolId}/autoscaleruns", 200, ("$select", *_PAST)),
    Operation("pool.list_planner_passes", "GET", "/pools/{poolId}/plannerpasses", 200, _PAST),
    Operation("pool.list_samples", "GET", "/pools/{poolId}/samples", 200, ("metrics", *_PAST)),
    Operation("pool.resume", "POST", "/pools/{poolId}/resume", 202, (), "all"),
    Operation("job.get_forgotten", "GET", "/forgottenjobs/{jobId}", 200),
    Operation("task.list_deleted", "GET", "/jobs/{jobId}/deletedtasks", 200, ("maxresults", "$skiptoken")),
    Operation("job_schedule.run", "POST", "/jobschedules/{jobScheduleId}/run", 202, (), "all"),
)
