"""Waits until a job's tasks are done, by looking again and again. What it shows is somebody else's."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .rest_objects import Objects, RequestRefused, Unanswered, View
from .views.progress import Standing

#: Seconds between two looks: a twentieth of the time so far, within these.
_SOONEST, _LATEST = 0.3, 5.0
#: Looks without any news, and seconds, after which it is asked what is waited for.
_STILL = 5
#: Waiting tasks that are looked at then.
_LOOKED_AT = 100


class Look(NamedTuple):
    """`hindrances`: why it does not go on, as far as that is known; empty as long as it does."""

    job_id: str
    state: str
    standing: Standing
    counts: dict[str, int]
    over: bool
    hindrances: tuple[str, ...] = ()


def looks(
    objects: Objects, job_id: str, monotonic: Callable[[], float], sleep: Callable[[float], None]
) -> Iterator[Look]:
    """The last one is `over`. A server that was reached once is asked again until it answers; without an answer, the
    former look comes again, with why. Raises RequestRefused, Unanswered (of the first one)."""
    begin, still, last = monotonic(), 0, None
    while True:
        try:
            look = _look(objects, job_id, still > _STILL)
        except (RequestRefused, Unanswered) as exc:
            if last is None or (isinstance(exc, RequestRefused) and exc.code != "ServerBusy"):
                raise
            look = last._replace(hindrances=(f"{exc}; asked again until it answers",))
        still = still + 1 if last is not None and last.standing == look.standing else 0
        last = look
        yield look
        if look.over:
            return
        sleep(min(_LATEST, max(_SOONEST, (monotonic() - begin) / 20)))


def _look(objects: Objects, job_id: str, still: bool) -> Look:
    job = objects.one("jobs", job_id)  # first: of a job that is over, the counts are the last ones
    counts = objects.one("jobs", job_id, "taskcounts")["taskCounts"]
    standing = Standing(counts["active"], counts["running"], counts["succeeded"], counts["failed"])
    over = job["state"] == "completed" or (standing.total > 0 and standing.done == standing.total)
    hindrances = tuple(_hindrances(objects, job, standing)) if still and not over else ()
    return Look(job["id"], job["state"], standing, counts, over, hindrances)


def _hindrances(objects: Objects, job: View, standing: Standing) -> Iterator[str]:
    error = job["executionInfo"].get("schedulingError")
    if error is not None:
        yield f"{error['code']}: {error['message']}"
    if job["state"].startswith("disabl"):
        yield f"it is disabled; `ebbtide job enable {shlex.quote(job['id'])}` lets its tasks start"
    if not standing.total:
        yield "it has no tasks yet"
    if standing.waiting and not standing.running:
        query = {"$filter": "state eq 'active'"}
        for task in objects.each("jobs", job["id"], "tasks", query=query, limit=_LOOKED_AT):
            error = task.get("schedulingError")
            if error is not None:
                yield f"task {task['id']}: {error['code']}: {error['message']}"
                return
