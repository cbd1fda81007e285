"""The operations of the Batch REST API: where each is, what it answers, what may be asked of it. One table, which the
server, its description in OpenAPI, the documents and the tests read.

Sources: the api-versions 2024-02-01.19.0 and 2025-06-01, which share their wire names.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

#: The api-versions that the official clients ask for; others are served the same.
VERSIONS = ("2024-02-01.19.0", "2025-06-01")
#: What may stand in the query of every operation.
COMMON = ("api-version", "timeout")


class Operation(NamedTuple):
    """`status`: of an answer without fault. `query`: what else may stand in it, in lower case. `conditions`: which
    conditional headers count: all four, those with dates, or none. `served`: no for what has no meaning here.
    `streams`: its body may be large, and is taken piece by piece."""

    name: str
    method: str
    path: str
    status: int
    query: tuple[str, ...] = ()
    conditions: Literal["all", "dates", "none"] = "none"
    served: bool = True
    streams: bool = False

    @property
    def reads(self) -> bool:
        """It changes nothing."""
        return self.method in ("GET", "HEAD") or self.name == "pool.evaluate_auto_scale"

    @property
    def searches(self) -> bool:
        """It may look at many objects for one answer: page by page, or to count them."""
        return "$skiptoken" in self.query or self.name == "job.get_task_counts"


_LIST = ("$filter", "$select", "maxresults", "$skiptoken")
_EXPANDED = ("$expand", *_LIST)
_ONE = ("$expand", "$select")
_FILES = ("$filter", "maxresults", "recursive", "$skiptoken")
_POOL, _NODE = "/pools/{poolId}", "/pools/{poolId}/nodes/{nodeId}"
_JOB, _TASK = "/jobs/{jobId}", "/jobs/{jobId}/tasks/{taskId}"
_SCHEDULE = "/jobschedules/{jobScheduleId}"
_CERTIFICATE = "/certificates({certificate})"


def _plain(name: str, method: str, path: str, status: int, query: tuple[str, ...] = ()) -> Operation:
    return Operation(name, method, path, status, query)


def _guarded(name: str, method: str, path: str, status: int, query: tuple[str, ...] = ()) -> Operation:
    return Operation(name, method, path, status, query, "all")


def _file(name: str, method: str, path: str, query: tuple[str, ...] = ()) -> Operation:
    return Operation(name, method, path, 200, query, "none" if method == "DELETE" else "dates")


def _absent(name: str, method: str, path: str, status: int) -> Operation:
    return Operation(name, method, path, status, served=False)


#: Named as the Python SDK 14 names them.
OPERATIONS: tuple[Operation, ...] = (
    _plain("pool.add", "POST", "/pools", 201),
    _plain("pool.list", "GET", "/pools", 200, _EXPANDED),
    _guarded("pool.delete", "DELETE", _POOL, 202),
    _guarded("pool.exists", "HEAD", _POOL, 200),
    _guarded("pool.get", "GET", _POOL, 200, _ONE),
    _guarded("pool.patch", "PATCH", _POOL, 200),
    _plain("pool.disable_auto_scale", "POST", f"{_POOL}/disableautoscale", 200),
    _guarded("pool.enable_auto_scale", "POST", f"{_POOL}/enableautoscale", 200),
    _plain("pool.evaluate_auto_scale", "POST", f"{_POOL}/evaluateautoscale", 200),
    _guarded("pool.resize", "POST", f"{_POOL}/resize", 202),
    _guarded("pool.stop_resize", "POST", f"{_POOL}/stopresize", 202),
    _plain("pool.update_properties", "POST", f"{_POOL}/updateproperties", 204),
    _guarded("pool.remove_nodes", "POST", f"{_POOL}/removenodes", 202),
    _absent("pool.list_usage_metrics", "GET", "/poolusagemetrics", 200),
    _plain("compute_node.list", "GET", f"{_POOL}/nodes", 200, _LIST),
    _plain("compute_node.get", "GET", _NODE, 200, ("$select",)),
    _plain("compute_node.add_user", "POST", f"{_NODE}/users", 201),
    _plain("compute_node.delete_user", "DELETE", f"{_NODE}/users/{{userName}}", 200),
    _plain("compute_node.update_user", "PUT", f"{_NODE}/users/{{userName}}", 200),
    _plain("compute_node.reboot", "POST", f"{_NODE}/reboot", 202),
    _plain("compute_node.reimage", "POST", f"{_NODE}/reimage", 202),
    _plain("compute_node.disable_scheduling", "POST", f"{_NODE}/disablescheduling", 200),
    _plain("compute_node.enable_scheduling", "POST", f"{_NODE}/enablescheduling", 200),
    _plain("compute_node.get_remote_login_settings", "GET", f"{_NODE}/remoteloginsettings", 200),
    _absent("compute_node.get_remote_desktop", "GET", f"{_NODE}/rdp", 200),
    _absent("compute_node.upload_batch_service_logs", "POST", f"{_NODE}/uploadbatchservicelogs", 200),
    _absent("compute_node.start", "POST", f"{_NODE}/start", 202),
    _absent("compute_node.deallocate", "POST", f"{_NODE}/deallocate", 202),
    _absent("compute_node_extension.list", "GET", f"{_NODE}/extensions", 200),
    _absent("compute_node_extension.get", "GET", f"{_NODE}/extensions/{{extensionName}}", 200),
    _plain("file.list_from_compute_node", "GET", f"{_NODE}/files", 200, _FILES),
    _file("file.get_from_compute_node", "GET", f"{_NODE}/files/{{filePath}}"),
    _file("file.get_properties_from_compute_node", "HEAD", f"{_NODE}/files/{{filePath}}"),
    _file("file.delete_from_compute_node", "DELETE", f"{_NODE}/files/{{filePath}}", ("recursive",)),
    _plain("job.add", "POST", "/jobs", 201, ("declared",)),  # that is ours: see runner/gone_ids.py
    _plain("job.list", "GET", "/jobs", 200, _EXPANDED),
    _guarded("job.delete", "DELETE", _JOB, 202, ("force",)),
    _guarded("job.get", "GET", _JOB, 200, _ONE),
    _guarded("job.patch", "PATCH", _JOB, 200),
    _guarded("job.update", "PUT", _JOB, 200),
    _guarded("job.disable", "POST", f"{_JOB}/disable", 202),
    _guarded("job.enable", "POST", f"{_JOB}/enable", 202),
    _guarded("job.terminate", "POST", f"{_JOB}/terminate", 202, ("force",)),
    _plain(
        "job.list_preparation_and_release_task_status",
        *("GET", f"{_JOB}/jobpreparationandreleasetaskstatus", 200, _LIST),
    ),
    _plain("job.get_task_counts", "GET", f"{_JOB}/taskcounts", 200),
    _plain("job.list_from_job_schedule", "GET", f"{_SCHEDULE}/jobs", 200, _EXPANDED),
    _plain("task.add", "POST", f"{_JOB}/tasks", 201),
    _plain("task.list", "GET", f"{_JOB}/tasks", 200, _EXPANDED),
    _plain("task.add_collection", "POST", f"{_JOB}/addtaskcollection", 200),
    _guarded("task.delete", "DELETE", _TASK, 200),
    _guarded("task.get", "GET", _TASK, 200, _ONE),
    _guarded("task.update", "PUT", _TASK, 200),
    _plain("task.list_subtasks", "GET", f"{_TASK}/subtasksinfo", 200, ("$select",)),
    _guarded("task.terminate", "POST", f"{_TASK}/terminate", 204),
    _guarded("task.reactivate", "POST", f"{_TASK}/reactivate", 204),
    _plain("file.list_from_task", "GET", f"{_TASK}/files", 200, _FILES),
    _file("file.get_from_task", "GET", f"{_TASK}/files/{{filePath}}"),
    _file("file.get_properties_from_task", "HEAD", f"{_TASK}/files/{{filePath}}"),
    _file("file.delete_from_task", "DELETE", f"{_TASK}/files/{{filePath}}", ("recursive",)),
    _guarded("job_schedule.exists", "HEAD", _SCHEDULE, 200),
    _guarded("job_schedule.delete", "DELETE", _SCHEDULE, 202, ("force",)),
    _guarded("job_schedule.get", "GET", _SCHEDULE, 200, _ONE),
    _guarded("job_schedule.patch", "PATCH", _SCHEDULE, 200),
    _guarded("job_schedule.update", "PUT", _SCHEDULE, 200),
    _guarded("job_schedule.disable", "POST", f"{_SCHEDULE}/disable", 204),
    _guarded("job_schedule.enable", "POST", f"{_SCHEDULE}/enable", 204),
    _guarded("job_schedule.terminate", "POST", f"{_SCHEDULE}/terminate", 202, ("force",)),
    _plain("job_schedule.add", "POST", "/jobschedules", 201),
    _plain("job_schedule.list", "GET", "/jobschedules", 200, _EXPANDED),
    _plain("application.list", "GET", "/applications", 200, ("maxresults", "$skiptoken")),
    _plain("application.get", "GET", "/applications/{applicationId}", 200),
    _plain("account.list_supported_images", "GET", "/supportedimages", 200, ("$filter", "maxresults", "$skiptoken")),
    _plain("account.list_pool_node_counts", "GET", "/nodecounts", 200, ("$filter", "maxresults", "$skiptoken")),
    _absent("certificate.add", "POST", "/certificates", 201),
    _absent("certificate.list", "GET", "/certificates", 200),
    _absent("certificate.cancel_deletion", "POST", f"{_CERTIFICATE}/canceldelete", 204),
    _absent("certificate.delete", "DELETE", _CERTIFICATE, 202),
    _absent("certificate.get", "GET", _CERTIFICATE, 200),
)
