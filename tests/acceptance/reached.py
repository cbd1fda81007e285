"""Which flow goes through which operation, for each official client. Tests hold it beside what the server has noted."""

from __future__ import annotations

from typing import NamedTuple


class Reached(NamedTuple):
    """By a flow of azure-batch 15, one of azure-batch 14, and a command of `az batch`. None: the client has no call for
    the operation."""

    sdk15: str | None
    sdk14: str | None
    az: str | None


#: All operations of the protocol; those that are not served are reached, and answered that they are not.
REACHED = {
    "pool.add": Reached("pools", "pools", "pool create"),
    "pool.list": Reached("pools", "pools", "pool list"),
    "pool.delete": Reached("pools", "pools", "pool delete"),
    "pool.exists": Reached("pools", "pools", None),
    "pool.get": Reached("pools", "pools", "pool show"),
    "pool.patch": Reached("pools", "pools", "pool set"),
    "pool.disable_auto_scale": Reached("pools", "pools", "pool autoscale disable"),
    "pool.enable_auto_scale": Reached("pools", "pools", "pool autoscale enable"),
    "pool.evaluate_auto_scale": Reached("pools", "pools", "pool autoscale evaluate"),
    "pool.resize": Reached("pools", "pools", "pool resize"),
    "pool.stop_resize": Reached("pools", "pools", "pool resize"),
    "pool.update_properties": Reached("pools", "pools", "pool reset"),
    "pool.remove_nodes": Reached("pools", "pools", "node delete"),
    "pool.list_usage_metrics": Reached("nodes", "pools", "pool usage-metrics list"),
    "compute_node.list": Reached("nodes", "nodes", "node list"),
    "compute_node.get": Reached("nodes", "nodes", "node show"),
    "compute_node.add_user": Reached("nodes", "nodes", "node user create"),
    "compute_node.delete_user": Reached("nodes", "nodes", "node user delete"),
    "compute_node.update_user": Reached("nodes", "nodes", "node user reset"),
    "compute_node.reboot": Reached("nodes", "nodes", "node reboot"),
    "compute_node.reimage": Reached("nodes", "nodes", None),
    "compute_node.disable_scheduling": Reached("nodes", "nodes", "node scheduling disable"),
    "compute_node.enable_scheduling": Reached("nodes", "nodes", "node scheduling enable"),
    "compute_node.get_remote_login_settings": Reached("nodes", "nodes", "node remote-login-settings show"),
    "compute_node.get_remote_desktop": Reached(None, "nodes", None),
    "compute_node.upload_batch_service_logs": Reached("nodes", "nodes", "node service-logs upload"),
    "compute_node.start": Reached("nodes", None, None),
    "compute_node.deallocate": Reached("nodes", None, None),
    "compute_node_extension.list": Reached("nodes", "nodes", None),
    "compute_node_extension.get": Reached("nodes", "nodes", None),
    "file.list_from_compute_node": Reached("nodes", "nodes", "node file list"),
    "file.get_from_compute_node": Reached("nodes", "nodes", "node file download"),
    "file.get_properties_from_compute_node": Reached("nodes", "nodes", "node file show"),
    "file.delete_from_compute_node": Reached("nodes", "nodes", "node file delete"),
    "job.add": Reached("jobs", "jobs", "job create"),
    "job.list": Reached("jobs", "jobs", "job list"),
    "job.delete": Reached("jobs", "jobs", "job delete"),
    "job.get": Reached("jobs", "jobs", "job show"),
    "job.patch": Reached("jobs", "jobs", "job set"),
    "job.update": Reached("jobs", "jobs", "job reset"),
    "job.disable": Reached("jobs", "jobs", "job disable"),
    "job.enable": Reached("jobs", "jobs", "job enable"),
    "job.terminate": Reached("jobs", "jobs", "job stop"),
    "job.list_preparation_and_release_task_status": Reached("jobs", "jobs", "job prep-release-status list"),
    "job.get_task_counts": Reached("tasks", "tasks", "job task-counts show"),
    "job.list_from_job_schedule": Reached("schedules", "jobs", "job list"),
    "task.add": Reached("tasks", "tasks", "task create"),
    "task.list": Reached("tasks", "tasks", "task list"),
    "task.add_collection": Reached("tasks", "tasks", "task create"),
    "task.delete": Reached("tasks", "tasks", "task delete"),
    "task.get": Reached("tasks", "tasks", "task show"),
    "task.update": Reached("tasks", "tasks", "task reset"),
    "task.list_subtasks": Reached("tasks", "tasks", "task subtask list"),
    "task.terminate": Reached("tasks", "tasks", "task stop"),
    "task.reactivate": Reached("tasks", "tasks", "task reactivate"),
    "file.list_from_task": Reached("files", "tasks", "task file list"),
    "file.get_from_task": Reached("files", "tasks", "task file download"),
    "file.get_properties_from_task": Reached("files", "tasks", "task file show"),
    "file.delete_from_task": Reached("files", "tasks", "task file delete"),
    "job_schedule.exists": Reached("schedules", "jobs", None),
    "job_schedule.delete": Reached("schedules", "jobs", "job-schedule delete"),
    "job_schedule.get": Reached("schedules", "jobs", "job-schedule show"),
    "job_schedule.patch": Reached("schedules", "jobs", "job-schedule set"),
    "job_schedule.update": Reached("schedules", "jobs", "job-schedule reset"),
    "job_schedule.disable": Reached("schedules", "jobs", "job-schedule disable"),
    "job_schedule.enable": Reached("schedules", "jobs", "job-schedule enable"),
    "job_schedule.terminate": Reached("schedules", "jobs", "job-schedule stop"),
    "job_schedule.add": Reached("schedules", "jobs", "job-schedule create"),
    "job_schedule.list": Reached("schedules", "jobs", "job-schedule list"),
    "application.list": Reached("schedules", "pools", "application summary list"),
    "application.get": Reached("schedules", "pools", "application summary show"),
    "account.list_supported_images": Reached("schedules", "pools", "pool supported-images list"),
    "account.list_pool_node_counts": Reached("pools", "pools", "pool node-counts list"),
    "certificate.add": Reached(None, "pools", None),
    "certificate.list": Reached(None, "pools", None),
    "certificate.cancel_deletion": Reached(None, "pools", None),
    "certificate.delete": Reached(None, "pools", None),
    "certificate.get": Reached(None, "pools", None),
}

#: The status of a refusal of what is not served.
NOT_SERVED = 400
