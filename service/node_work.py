"""What runs on each node, as the records have it."""

from __future__ import annotations

from runner import Journal

from .rest_views import NodeWork

#: More tasks run at no time.
_MANY = 1_000_000


def work_of_nodes(journal: Journal) -> dict[str, NodeWork]:
    """By node; of those alone on which something runs."""
    found: dict[str, NodeWork] = {}
    for task in journal.task_queries.find(states=("running",), limit=_MANY):
        instances = [each.node_id for each in task.instances if not each.over]
        for node_id in instances or filter(None, (task.node_id,)):
            before = found.get(node_id, NodeWork(0, 0))
            found[node_id] = NodeWork((before.running or 0) + 1, (before.running_slots or 0) + task.slots)
    return found
