"""Removes the folders of completed tasks from the nodes when their retentionTime is over.

The nodes say what is there, the journal says whose it is: nothing is kept in mind for it, and nothing is done for it
while tasks run. A folder of a job that is not known belongs to one that was deleted.

The journal is asked after the node: what had begun when the folders were listed was in the journal before, and what
begins later changes its folder, which then stays. So nothing of what runs goes, however long a round takes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from .link_errors import LinkError
from .model import Job
from .node_files import TaskFolder
from .states import TaskState
from .task_model import Task, TaskKey

log = logging.getLogger(__name__)

#: Batch REST API, task constraints: retentionTime.
RETENTION = 7 * 86400.0
#: A folder that changed within so many seconds is left alone: its task may be about to start, or just have.
YOUNG = 600.0


class Files(Protocol):
    """What is needed of a node's files (see NodeFiles)."""

    def task_folders(self) -> tuple[tuple[TaskFolder, ...], float]:
        """Those that are there, the longest unchanged first; and the free share of the disk."""

    def remove(self, folder: TaskFolder) -> bool:
        """Remove it, unless it has changed since; was it?"""


class Records(Protocol):
    def jobs(self) -> list[Job]: ...
    def task(self, key: TaskKey) -> Task | None: ...


def tidy_nodes(
    nodes: Iterable[str], files_of: Callable[[str], Files], records: Records, reserve: float, now: float
) -> dict[str, tuple[str, ...]]:
    """What was removed, by node. `reserve`: when less of a node's disk is free, folders go before their time. A node
    that cannot be asked is left for the next round. Raises JournalError."""
    removed = {}
    for node_id in nodes:
        try:
            removed[node_id] = _tidy(files_of(node_id), records, reserve, now)
        except LinkError as exc:
            log.info("node %s was not tidied: %s", node_id, exc)
    return removed


def _tidy(files: Files, records: Records, reserve: float, now: float) -> tuple[str, ...]:
    folders, free = files.task_folders()
    jobs = {job.directory: job for job in records.jobs()}
    removed, retained = list[str](), list[TaskFolder]()
    for folder in folders:
        verdict = _expired(folder, jobs, records.task, now)
        if verdict is None:
            continue
        if not verdict:
            retained.append(folder)
        elif files.remove(folder):
            removed.append(folder.path)
    for folder in retained:  # the oldest first
        if free >= reserve:
            break
        if files.remove(folder):
            removed.append(folder.path)
            _, free = files.task_folders()
    return tuple(removed)


def _expired(
    folder: TaskFolder, jobs: Mapping[str, Job], task: Callable[[TaskKey], Task | None], now: float
) -> bool | None:
    """Is the time of the folder over? None: it is not to be touched."""
    if folder.age < YOUNG:
        return None
    job = jobs.get(folder.job)
    if job is None:
        return True  # it was deleted
    if folder.id in [own.id for own in (job.spec.job_preparation_task, job.spec.job_release_task) if own is not None]:
        return None  # others build on it
    record = task((job.id, folder.id))
    if record is None or record.id != folder.id:
        return True  # it was deleted, the instances of a multi-instance task on all their nodes
    if record.state is not TaskState.COMPLETED or record.end_time is None:
        return None
    kept = record.spec.constraints.retention_time
    return now - record.end_time > (RETENTION if kept is None else kept.total_seconds())
