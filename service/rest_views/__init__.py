"""Records as the Batch REST API answers them: JSON-like objects with its property names, states and spellings.

What a record does not have is left out; what may be asked for and was not has the service's default. Passwords are
never answered, and without the base of the URLs (see Links) no URL is.
"""

from .applications import application_view, package_view
from .errors import autoscale_run_view, failure_view
from .jobs import job_view, preparation_view
from .links import Links
from .nodes import NodeWork, node_counts_view, node_view
from .pools import pool_view
from .records import etag
from .schedules import schedule_view
from .specifications import specification_view
from .tasks import subtask_views, task_counts_view, task_view

__all__ = [
    "Links",
    "NodeWork",
    "application_view",
    "autoscale_run_view",
    "etag",
    "failure_view",
    "job_view",
    "node_counts_view",
    "node_view",
    "package_view",
    "pool_view",
    "preparation_view",
    "schedule_view",
    "specification_view",
    "subtask_views",
    "task_counts_view",
    "task_view",
]
