"""What users ask of applications: new versions, which of them is the default, and their removal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from pools import ApplicationPackageReference, Context, Table, folded

from .application_events import AddApplication, RemoveApplication, SetDefaultVersion
from .events import Event
from .execution import Executions
from .job_errors import JobError
from .job_machine import JobMachine
from .model import ApplicationPackage
from .request_checks import check_application
from .schedule_machine import ScheduleMachine
from .spec import JobSpecification
from .states import JobState, ScheduleState

#: Of those who reference an application, so many are named.
_NAMED = 5
_REFERENCES = b"applicationPackageReferences"


class ApplicationRequests:
    """A request that is refused raises JobError and changes nothing."""

    def __init__(
        self,
        ctx: Context,
        jobs: JobMachine,
        schedules: ScheduleMachine,
        executions: Executions,
        applications: Table[tuple[str, str], ApplicationPackage],
    ) -> None:
        self._ctx = ctx
        self._jobs = jobs
        self._schedules = schedules
        self._executions = executions
        self._applications = applications

    def handlers(self) -> Mapping[type[Event], Callable[[Any, float], object]]:
        return {
            AddApplication: self._add,
            SetDefaultVersion: self._set_default,
            RemoveApplication: self._remove,
        }

    def _add(self, event: AddApplication, now: float) -> None:
        package = event.package
        check_application(package)
        versions = {each.version: each for each in self._applications if each.application_id == package.application_id}
        known = versions.get(package.version)
        if event.keep_default and known is not None and known.default:
            package = replace(package, default=True)
        # the one that was added last is known by it, also among those of one moment
        later = (math.nextafter(each.created, math.inf) for each in versions.values())
        package = replace(package, created=known.created if known is not None else max([package.created, *later]))
        if package.default:
            for each in versions.values():
                self._put(replace(each, default=False))
        self._put(package)

    def _set_default(self, event: SetDefaultVersion, now: float) -> None:
        self._found(event.application_id, event.version)
        for each in self._found(event.application_id, None):
            default = event.version is not None and folded(each.version) == folded(event.version)
            if each.default != default:
                self._put(replace(each, default=default))

    def _remove(self, event: RemoveApplication, now: float) -> None:
        found = self._found(event.application_id, event.version)
        users = list(dict.fromkeys(self._users(found)))
        if users:
            more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
            what = _name(event.application_id, event.version)
            text = f"{what} is referenced by {', '.join(users[:_NAMED])}{more}; it can go when they have gone or ended"
            raise JobError("ApplicationInUse", text)
        for each in found:
            self._applications.remove((each.application_id, each.version))

    def _put(self, package: ApplicationPackage) -> None:
        self._applications.put((package.application_id, package.version), package)

    def _found(self, application_id: str, version: str | None) -> list[ApplicationPackage]:
        """Raises JobError."""
        own = [each for each in self._applications if folded(each.application_id) == folded(application_id)]
        found = [each for each in own if version is None or folded(each.version) == folded(version)]
        if found:
            return found
        if not own:
            known = ", ".join(sorted({each.application_id for each in self._applications})) or "none"
            raise JobError("ApplicationNotFound", f"there is no application {application_id!r}; known: {known}")
        known = ", ".join(sorted(each.version for each in own))
        text = f"there is no {_name(application_id, version)}; versions: {known}"
        raise JobError("ApplicationPackageNotFound", text)

    # -- who references them -----------------------------------------------------------------------------------

    def _users(self, packages: Iterable[ApplicationPackage]) -> Iterator[str]:
        """Pools, and the schedules, jobs and tasks that are not over: for whatever of them begins later, on any node,
        the package must be there."""
        wanted = {(each.application_id, each.version) for each in packages}

        def uses(references: Iterable[ApplicationPackageReference]) -> bool:
            return any(self._stands_for(each) in wanted for each in references)

        for pool in self._ctx.pools:
            if uses(pool.spec.application_package_references):
                yield f"pool {pool.id!r}"
        for schedule in self._schedules.schedules:
            if schedule.state is not ScheduleState.COMPLETED and uses(_references(schedule.spec.job_specification)):
                yield f"job schedule {schedule.id!r}"
        for job in self._jobs.jobs:
            if job.state is JobState.COMPLETED:
                continue
            if uses(_references(job.spec)):
                yield f"job {job.id!r}"
            for task in self._jobs.tasks.open_of(job.id):
                # most have none, and there may be a million of them
                if _REFERENCES in bytes(task.raw_spec) and uses(task.spec.application_package_references):
                    yield f"task {task.id!r} of job {job.id!r}"

    def _stands_for(self, reference: ApplicationPackageReference) -> tuple[str, str] | None:
        try:
            found = self._executions.package(reference)
        except JobError:  # of a pool that is older than the rule that what it references stays
            return None
        return found.application_id, found.version


def _name(application_id: str, version: str | None) -> str:
    return f"application {application_id!r}" + ("" if version is None else f", version {version!r}")


def _references(spec: JobSpecification) -> Iterator[ApplicationPackageReference]:
    """Of what a job makes: its job manager task, and its pool."""
    if spec.job_manager_task is not None:
        yield from spec.job_manager_task.application_package_references
    auto = spec.pool_info.auto_pool_specification
    if auto is not None and auto.pool is not None:
        yield from auto.pool.application_package_references
