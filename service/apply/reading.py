"""Objects that may not be there."""

from __future__ import annotations

from collections.abc import Iterator

from ..rest_objects import Objects, RequestRefused, View

#: Codes that say so.
MISSING = frozenset(
    (
        "ApplicationNotFound",
        "ApplicationPackageNotFound",
        "JobNotFound",
        "JobScheduleNotFound",
        "PoolNotFound",
    )
)


def found(objects: Objects, *segments: str) -> View | None:
    """None: there is none. Raises RequestRefused, Unanswered."""
    try:
        return objects.one(*segments)
    except RequestRefused as exc:
        if exc.code in MISSING:
            return None
        raise


def tasks(objects: Objects, job_id: str, names: tuple[str, ...]) -> Iterator[View]:
    """The tasks of a job with these properties, page by page. Raises RequestRefused, Unanswered."""
    return objects.each("jobs", job_id, "tasks", query={"$select": ",".join(("id", *names))})
