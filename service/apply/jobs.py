"""What brings a job with its tasks to what a workload file says of it.

A job that ends with its tasks is told so when they have been added: without any it would end at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from msgspec.structs import fields, replace

from pools import folded
from runner import JOB_CHANGEABLE, JobSpec, JobState, JobWithTasks, TaskSpec

from ..conflicts import without_tasks
from ..rest_objects import Objects, RequestRefused, View
from .changes import Change, Difference, Plan, Step
from .compared import differences, names_of, tops, wanted
from .reading import found, tasks

#: Tasks in one request at most (Batch REST API).
_PART = 100
_CHANGEABLE = (*JOB_CHANGEABLE, "metadata", "poolInfo")
_ATTRIBUTES = {each.encode_name: each.name for each in fields(JobSpec)}
_OF_TASKS = names_of(TaskSpec)
_LIVING = (JobState.ACTIVE, JobState.ENABLING, JobState.DISABLING, JobState.DISABLED)
_ENDS = "onAllTasksComplete"
#: Properties of tasks that are named of one job at most.
_FEW = 5


def plan_job(spec: JobWithTasks, objects: Objects, plan: Plan) -> None:
    """Raises RequestRefused, Unanswered."""
    held = found(objects, "jobs", spec.id)
    if held is None:
        if (gone := found(objects, "forgottenjobs", spec.id)) is not None:
            plan.forgotten[gone["id"]] = gone["forgottenTime"]
        else:
            plan.changes.append(_made(spec))
        return
    if held["state"] == JobState.DELETING:
        plan.refused.append(f"job {held['id']!r} is being deleted; give this command again when it is gone")
        return
    differing = differences(held, wanted(without_tasks(spec)), names_of(JobSpec))
    new = _new_tasks(spec, held, objects, plan)
    plan.refused += _refused(held, differing, new)
    if held["state"] not in _LIVING:
        if differing:
            names = ", ".join(tops(differing))
            plan.left_alone.append(f"job {held['id']!r} is {held['state']}, so it keeps its {names}")
        differing = ()
    body = {name: getattr(spec, _ATTRIBUTES[name]) for name in tops(differing)}
    last = {_ENDS: body.pop(_ENDS)} if _ENDS in body else {}
    steps = (*_patch(held["id"], body), *_added(held["id"], new), *_patch(held["id"], last))
    ids = tuple(each.id for each in new)
    plan.note(Change(kind="job", name=held["id"], differences=differing, tasks=ids, steps=steps))


def _made(spec: JobWithTasks) -> Change:
    job = without_tasks(spec)
    waits = bool(spec.tasks) and job.on_all_tasks_complete != "noaction"
    first = replace(job, on_all_tasks_complete="noaction") if waits else job
    last = {_ENDS: job.on_all_tasks_complete} if waits else {}
    making = Step("POST", ("jobs",), first, (("declared", "true"),))
    steps = (making, *_added(spec.id, spec.tasks), *_patch(spec.id, last))
    return Change(kind="job", name=spec.id, new=True, tasks=tuple(each.id for each in spec.tasks), steps=steps)


def _patch(job_id: str, body: dict[str, Any]) -> tuple[Step, ...]:
    return (Step("PATCH", ("jobs", job_id), body),) if body else ()


def _added(job_id: str, new: Sequence[TaskSpec]) -> tuple[Step, ...]:
    parts = (new[first : first + _PART] for first in range(0, len(new), _PART))
    return tuple(Step("POST", ("jobs", job_id, "addtaskcollection"), {"value": part}) for part in parts)


def _refused(held: View, differing: tuple[Difference, ...], new: Sequence[TaskSpec]) -> list[str]:
    where, found = f"job {held['id']!r}", []
    fixed = [each.path for each in differing if not each.path.startswith(_CHANGEABLE)]
    if fixed:
        found.append(
            f"{where}: {', '.join(fixed)} cannot change; what can: {', '.join(_CHANGEABLE)}, and new tasks. Undo this "
            f"change, use another id, or `ebbtide job delete {shlex.quote(held['id'])}` first"
        )
    if held["state"] not in _LIVING:
        if new:
            text = f"{where} is {held['state']} and takes no more tasks, but {new[0].id!r} is new; use another job id"
            found.append(text)
        return found
    if any(each.path == _ENDS and each.new != "terminatejob" for each in differing):
        found.append(f"{where}: onAllTasksComplete: terminatejob cannot become noaction again; undo this change")
    if "poolInfo" in tops(differing) and held["state"] != JobState.DISABLED:
        cure = f"`ebbtide job disable {shlex.quote(held['id'])} --tasks requeue`, then give this command again"
        found.append(f"{where}: poolInfo can change only while the job is disabled, and it is {held['state']}: {cure}")
    return found


def _new_tasks(spec: JobWithTasks, held: View, objects: Objects, plan: Plan) -> tuple[TaskSpec, ...]:
    """Those that the job does not have, and that nobody has deleted. What differs of the others is refused."""
    if not spec.tasks:
        return ()
    missing = {folded(each.id): each for each in spec.tasks}
    fixed: list[str] = []
    for view in tasks(objects, held["id"], _OF_TASKS):
        task = missing.pop(folded(view["id"]), None)
        if task is None:
            continue
        if differing := differences(view, _wanted(task, held), _OF_TASKS):
            fixed.append(f"{view['id']!r} ({', '.join(each.path for each in differing)})")
        else:
            plan.unchanged_tasks += 1
    if fixed:
        more = f" and {len(fixed) - _FEW:,} more" if len(fixed) > _FEW else ""
        plan.refused.append(
            f"job {held['id']!r}: these tasks have other properties there, which are for life: "
            f"{', '.join(fixed[:_FEW])}{more}; undo this change, or use other ids"
        )
    if missing:
        for each in _deleted(held["id"], objects):
            if (task := missing.pop(each, None)) is not None:
                plan.deleted.append((held["id"], task.id))
    return tuple(missing.values())


def _deleted(job_id: str, objects: Objects) -> list[str]:
    """In lower case."""
    try:
        return [each["id"] for each in objects.each("jobs", job_id, "deletedtasks")]
    except RequestRefused as exc:
        if exc.code == "JobNotFound":  # it has gone meanwhile, as what follows will tell
            return []
        raise


def _wanted(task: TaskSpec, job: View) -> View:
    """As it would be answered: with the retries of its job, if it says nothing of them."""
    found = wanted(task)
    if task.constraints.max_task_retry_count is None:
        found["constraints"]["maxTaskRetryCount"] = job["constraints"]["maxTaskRetryCount"]
    return found
