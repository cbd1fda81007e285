"""Requests in the spelling of what they are about: ids are case-insensitive and keep their case (Batch REST API). Pure.

See pools/spellings.py. What is made gets the spelling of its maker; what is only named, in requests and in what they
carry, gets that of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from msgspec.structs import replace

from pools import NamedTable, Pool, PoolSpec, Table, folded

from .application_events import AddApplication
from .events import Event
from .job_events import OfTask
from .model import ApplicationPackage, Job, JobSchedule
from .requests import Handler
from .spec import JobScheduleSpec, JobSpec, JobSpecification, JobWithTasks
from .task_model import TaskKey
from .task_records import TaskRecords

J = TypeVar("J", bound=JobSpecification)
S = TypeVar("S", PoolSpec, JobSpec, JobScheduleSpec, JobWithTasks)


@cache
def _names(kind: Any) -> frozenset[str]:
    return frozenset(kind.__struct_fields__)


class Spelling:
    """What nobody knows stays as it is."""

    def __init__(
        self,
        pools: NamedTable[Pool],
        jobs: NamedTable[Job],
        schedules: NamedTable[JobSchedule],
        tasks: TaskRecords,
        applications: Table[tuple[str, str], ApplicationPackage],
    ) -> None:
        self._pools = pools
        self._jobs = jobs
        self._schedules = schedules
        self._tasks = tasks
        self._applications = applications
        self._named: Mapping[str, Callable[[str], str | None]] = {
            "pool_id": pools.spelled,
            "job_id": jobs.spelled,
            "schedule_id": schedules.spelled,
        }

    def before(self, handlers: Mapping[type[Event], Handler]) -> dict[type[Event], Handler]:
        """Handlers that are given requests as they come, of such as need them in the right spelling."""
        return {kind: self._first(handler) for kind, handler in handlers.items()}

    def _first(self, handler: Handler) -> Handler:
        return lambda event, now: handler(self.of(event), now)

    def of(self, event: Event) -> Event:
        """The event with its ids in the spelling of the records."""
        new: dict[str, Any] = {}
        kind: Any = type(event)
        names = _names(kind)
        for name in names & self._named.keys():
            value = getattr(event, name)
            new[name] = None if value is None else self._named[name](value) or value
        if isinstance(event, OfTask):
            new["job_id"], new["task_id"] = self.task((event.job_id, event.task_id))
        if "spec" in names:
            new["spec"] = self.specification(getattr(event, "spec"))  # noqa: B009 - few events have one
        if isinstance(event, AddApplication):
            new["package"] = self.package(event.package)
        # most spell them right, and no other event has to be made for these
        return replace(event, **new) if any(getattr(event, name) != value for name, value in new.items()) else event

    def task(self, key: TaskKey) -> TaskKey:
        job_id = self._jobs.spelled(key[0]) or key[0]
        return self._tasks.spelled((job_id, key[1])) or (job_id, key[1])

    def package(self, package: ApplicationPackage) -> ApplicationPackage:
        """The package as a version of the application that is there already."""
        same = [each for each in self._applications if folded(each.application_id) == folded(package.application_id)]
        own = next((each.application_id for each in same), package.application_id)
        versions = {folded(each.version): each.version for each in same}
        version = versions.get(folded(package.version), package.version)
        return replace(package, application_id=own, version=version)

    def specification(self, spec: S) -> S:
        """Of a pool, a job or a schedule."""
        if isinstance(spec, JobSpec):
            return self._of_job(replace(spec, id=self._jobs.spelled(spec.id) or spec.id))
        if isinstance(spec, JobScheduleSpec):
            own = self._schedules.spelled(spec.id) or spec.id
            return replace(spec, id=own, job_specification=self._of_job(spec.job_specification))
        return replace(spec, id=self._pools.spelled(spec.id) or spec.id)

    def _of_job(self, spec: J) -> J:
        """With its pool in the right spelling."""
        wanted = spec.pool_info.pool_id
        pool_id = self._pools.spelled(wanted) if wanted is not None else None
        if pool_id is None or pool_id == wanted:
            return spec
        return replace(spec, pool_info=replace(spec.pool_info, pool_id=pool_id))
