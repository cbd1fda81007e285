"""What is answered of each task of a collection: where it is, or why it was not added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from pools import PoolError
from runner import JobError, Task, TaskSpec

from ..iso8601 import format_instant
from ..rest_views import etag
from . import errors
from .call import Call


class _Added(msgspec.Struct, rename="camel", gc=False):
    status: str
    task_id: str
    e_tag: str
    last_modified: str
    location: str


def results(
    call: Call, specs: Iterable[TaskSpec], found: Sequence[Task | ValueError], now: float
) -> Iterator[_Added | dict[str, Any]]:
    """`found`: the tasks as they are recorded, or what refused them, in the order of `specs`."""
    of_same: tuple[tuple[float, float, int], str, str] | None = None
    base: str | None = None
    for spec, each in zip(specs, found, strict=True):
        if isinstance(each, Task):
            stamp = (each.modified, each.created, each.version)
            if of_same is None or of_same[0] != stamp:  # most were made in the same moment
                of_same = (stamp, etag(each), format_instant(each.modified))
            if base is None:
                base = call.links.task(each.job_id, "")
            # ids hold nothing that would have to be quoted
            yield _Added("success", each.id, of_same[1], of_same[2], f"{base}{each.id}")
        else:
            yield _refused(call, spec, each, now)


def _refused(call: Call, spec: TaskSpec, error: ValueError, now: float) -> dict[str, Any]:
    assert isinstance(error, JobError | PoolError)
    told = {"code": error.code, "message": errors.message(str(error), call.request_id, now)}
    return {"status": "clienterror", "taskId": spec.id, "error": told}
