"""What a workload file asks for once more although it is gone on purpose: it is left alone, and that is told."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from pools import folded
from runner import Core, JobWithTasks, Journal, Workload

from .conflicts import Held
from .iso8601 import format_instant

#: Of one kind, those that are named.
_FEW = 5


def without_gone(
    workload: Workload, core: Core, journal: Journal, held: Held, state: Path
) -> tuple[Workload, tuple[str, ...]]:
    """The workload without the jobs that were forgotten and the tasks that were deleted, and what to say of them: a
    line for each kind that there is. `state`: where it is, to be told. Raises JournalError."""
    jobs: list[JobWithTasks] = []
    forgotten: dict[str, str] = {}
    deleted: list[tuple[str, str]] = []
    for job in workload.jobs:
        if (gone := core.tasks.gone.job(job.id)) is not None:
            forgotten[job.id] = format_instant(gone.time)
            continue
        known = held.get(job.id)
        if known is not None and any(task.id not in known for task in job.tasks):
            unwanted = journal.deleted_tasks(job.id) - {folded(task_id) for task_id in known}
            deleted += [(job.id, task.id) for task in job.tasks if folded(task.id) in unwanted]
            job = replace(job, tasks=tuple(task for task in job.tasks if folded(task.id) not in unwanted))
        jobs.append(job)
    told = gone_lines(forgotten, deleted, f" --state {shlex.quote(str(state))}")
    return replace(workload, jobs=tuple(jobs)), tuple(told)


def gone_lines(forgotten: Mapping[str, str], deleted: Sequence[tuple[str, str]], where: str) -> list[str]:
    """A line for each kind that there is. `forgotten`: by the ids of jobs, when. `deleted`: jobs and tasks. `where`:
    options by which a command finds them."""
    told = []
    if forgotten:
        names = [f"{job_id!r} ({time})" for job_id, time in forgotten.items()]
        what = f"jobs that have run and were forgotten since: {_few(names)}"
        cure = f"other ids make new jobs, {_deletion(forgotten, where)} lets these run again"
        told.append(f"not run again: {what}; {cure}")
    if deleted:
        what = f"tasks that were deleted: {_few([f'{task_id!r} of job {job_id!r}' for job_id, task_id in deleted])}"
        ids = dict.fromkeys(job_id for job_id, _ in deleted)
        told.append(f"not run again: {what}; {_deletion(ids, where)} lets the whole job run anew")
    return told


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW:,} more" if len(names) > _FEW else "")


def _deletion(job_ids: Iterable[str], where: str) -> str:
    return f"`ebbtide job delete {shlex.join(list(job_ids)[:_FEW])}{where}`"
