"""Makes a submission: the job, and those of its tasks that are not there yet. Done again, it adds what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from pools import folded

from .rest_objects import Objects, RequestRefused, View
from .submission import COMPARED, Body, Submission, differences

#: Tasks in one request at most (Batch REST API).
_TASKS = 100
#: Tasks that a message names.
_NAMED = 5


class SubmissionConflict(ValueError):
    """What is there has the same id, and is something else; the message says what, and what helps."""


class Submitted(NamedTuple):
    """`job_id` as the job spells it. `there`: tasks that were there before."""

    job_id: str
    added: int
    there: int


def submit(objects: Objects, submission: Submission, job_id: str, end: bool) -> Submitted:
    """`end`: the job ends when all its tasks are done. Raises RequestRefused, Unanswered, SubmissionConflict,
    SweepError."""
    wanted = submission.tasks(job_id)  # first: what cannot be made is refused before the job is
    found = _made(objects, submission, job_id)
    if found is not None:
        _check_pool(found, submission)
        if found["id"] != job_id:
            job_id = found["id"]
            wanted = submission.tasks(job_id)
    there = {folded(each["id"]): each for each in _tasks(objects, job_id)} if found is not None else {}
    missing = list(_missing(wanted, there, job_id))
    added = 0
    try:
        for at in range(0, len(missing), _TASKS):
            added += _added(objects, job_id, missing[at : at + _TASKS])
    except RequestRefused:
        if found is None and not added:
            _unmake(objects, job_id)
        raise
    # not before: a job without tasks would be done
    if end and (found is None or found.get("onAllTasksComplete", "noaction") == "noaction"):
        objects.ask("PATCH", "jobs", job_id, body={"onAllTasksComplete": "terminatejob"})
    return Submitted(job_id, added, len(wanted) - added)


def _made(objects: Objects, submission: Submission, job_id: str) -> View | None:
    """The job, if it was there before."""
    try:
        return objects.one("jobs", job_id)
    except RequestRefused as exc:
        if exc.code != "JobNotFound":
            raise
    try:
        objects.ask("POST", "jobs", body=submission.job(job_id))
    except RequestRefused as exc:
        if exc.code != "JobExists":
            raise
        return objects.one("jobs", job_id)  # somebody was faster
    return None


def _unmake(objects: Objects, job_id: str) -> None:
    """A job that was made just now, if none of its tasks can be."""
    with suppress(RequestRefused):
        if not any(objects.each("jobs", job_id, "tasks", limit=1)):
            objects.ask("DELETE", "jobs", job_id)


def _check_pool(job: View, submission: Submission) -> None:
    pool = job.get("poolInfo", {}).get("poolId") or job["executionInfo"].get("poolId") or ""
    if folded(pool) != folded(submission.pool_id):
        text = f"job {job['id']!r} is there already, and its tasks run in pool {pool!r}"
        raise SubmissionConflict(f"{text}; give another --job, or that pool")


def _tasks(objects: Objects, job_id: str) -> Iterator[View]:
    return objects.each("jobs", job_id, "tasks", query={"$select": ",".join(("id", *COMPARED))})


def _missing(wanted: Sequence[Body], there: dict[str, View], job_id: str) -> Iterator[Body]:
    """Raises SubmissionConflict if a task is there that is another one."""
    others: dict[str, list[str]] = {}
    for each in wanted:
        if each["id"] in there and (differs := differences(each, there[each["id"]])):
            others[each["id"]] = differs
    if others:
        first = ", ".join(f"{task_id} ({', '.join(differs)})" for task_id, differs in list(others.items())[:_NAMED])
        more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
        text = f"job {job_id!r} has tasks of the same ids that are others: {first}{more}; nothing was added"
        raise SubmissionConflict(f"{text}; give another --job")
    return (each for each in wanted if each["id"] not in there)


def _added(objects: Objects, job_id: str, bodies: Sequence[Body]) -> int:
    """How many were; those that somebody else has added meanwhile are there."""
    if not bodies:
        return 0
    try:
        answer = objects.ask("POST", "jobs", job_id, "addtaskcollection", body={"value": list(bodies)})
    except RequestRefused as exc:
        if exc.code != "RequestBodyTooLarge" or len(bodies) == 1:
            raise
        half = len(bodies) // 2
        return _added(objects, job_id, bodies[:half]) + _added(objects, job_id, bodies[half:])
    errors: list[tuple[str, dict[str, Any]]] = [
        (each["taskId"], each["error"]) for each in answer["value"] if "error" in each
    ]
    for task_id, error in errors:
        if error["code"] != "TaskExists":
            text, _, _ = error["message"]["value"].partition("\nRequestId:")
            cure = "the same command again adds what is missing, once that is mended"
            raise RequestRefused(error["code"], f"task {task_id}: {text}; {cure}")
    return len(bodies) - len(errors)
