"""What must hold between the parts of a workload file: ids, references, intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from pools import folded
from runner import PackageError, check_source

from .command_checks import check_command, check_environment
from .cursor import Cursor
from .decoding import listed, nearest
from .dependency_checks import check_conditions, check_dependencies
from .identity_checks import accounts_of, check_identities
from .metadata_checks import check_job_metadata
from .multi_instance_checks import check_instances
from .offers import Offer
from .pool_checks import check_pool
from .pool_info_checks import check_pool_info
from .preparation_checks import check_preparation_and_release
from .problems import Problems
from .schedule_checks import check_schedule
from .settings import Settings

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", re.ASCII)
_PRIORITIES = range(-1000, 1001)


class Present(Protocol):
    """What there is where the workload goes, so that it need not stand in the file."""

    def pool(self, pool_id: str) -> Cursor | None: ...

    def versions(self, application_id: str) -> set[str] | None:
        """None: there is no such application."""


class WorkloadChecks:
    def __init__(
        self,
        root: Cursor,
        base: Path,
        offers: Mapping[str, Offer] | None,
        settings: Settings,
        lines: list[str],
        problems: Problems,
        present: Present | None = None,
    ) -> None:
        """`offers` None: what providers have is looked at elsewhere."""
        self._root = root
        self._base = base
        self._offers = offers
        self._settings = settings
        self._lines = lines
        self._problems = problems
        self._present = present
        self._pools = {folded(name): pool for pool in root.each("pools") if (name := pool.text("id")) is not None}
        #: of applications, by their ids in lower case: how these are spelled; and their versions
        self._applications: dict[str, str] = {}
        self._versions: dict[str, set[str]] = {}
        for application in root.each("applications"):
            name = application.text("id") or ""
            self._applications.setdefault(folded(name), name)
            self._versions.setdefault(folded(name), set()).add(application.text("version") or "1.0")
        if present is not None:
            for job in (*root.each("jobs"), *_specifications(root)):
                info = job.get("poolInfo")
                name = info.text("poolId") if info is not None else None
                if name and folded(name) not in self._pools and (pool := present.pool(name)) is not None:
                    self._pools[folded(name)] = pool

    def run(self) -> None:
        root = self._root
        self._check_applications()
        self._ids(root.each("pools"), "pool")
        for pool in root.each("pools"):
            self._pool(pool)
        self._ids(root.each("jobSchedules"), "job schedule")
        for schedule in root.each("jobSchedules"):
            self._schedule(schedule)
        self._ids(root.each("jobs"), "job")
        schedules = {folded(schedule.text("id") or "") for schedule in root.each("jobSchedules")}
        for job in root.each("jobs"):
            if folded(job.text("id") or "") in schedules:
                self._error(
                    job, "id", "a job schedule has this id too, and they would share a folder on the nodes"
                )
            self._job(job, job.each("tasks"))

    # -- ids ------------------------------------------------------------------------------------------------

    def _ids(self, things: Iterable[Cursor], kind: str) -> None:
        first: dict[str, Cursor] = {}
        for thing in things:
            name = thing.text("id")
            if name is None:
                continue
            if not _ID.fullmatch(name):
                self._error(thing, "id", f"may hold 1 to 64 letters, digits, `-` and `_`, not {name[:80]!r}")
                continue
            other = first.setdefault(folded(name), thing)
            if other is not thing:
                same = "" if other.text("id") == name else " (upper and lower case do not tell ids apart)"
                self._error(
                    thing,
                    "id",
                    f"another {kind} is called {other.text('id')!r}, line {other.place.line}{same}",
                )

    # -- applications ---------------------------------------------------------------------------------------

    def _check_applications(self) -> None:
        seen: set[tuple[str, str]] = set()
        for application in self._root.each("applications"):
            name, version = application.text("id"), application.text("version") or "1.0"
            if name is not None and not _ID.fullmatch(name):
                self._error(
                    application, "id", f"may hold 1 to 64 letters, digits, `-` and `_`, not {name[:80]!r}"
                )
            elif name is not None and (folded(name), folded(version)) in seen:
                self._error(application, "id", f"stands here twice with the version {version}")
            seen.add((folded(name or ""), folded(version)))
            if not _VERSION.fullmatch(version):
                text = f"may hold 1 to 64 letters, digits, `.`, `-` and `_`, not {version[:80]!r}"
                self._error(application, "version", text)
            self._default_version(application)
            self._source(application)

    def _default_version(self, application: Cursor) -> None:
        name, wanted = application.text("id") or "", application.text("defaultVersion")
        if wanted is None:
            return
        versions = self._versions[folded(name)]
        if self._present is not None and not _holds(versions, wanted):
            versions = versions | (self._present.versions(name) or set())
        if not _holds(versions, wanted):
            text = f"there is no version {wanted[:80]!r} of {name} here; there is {listed(versions)}"
            self._error(application, "defaultVersion", text)
        same = (each for each in self._root.each("applications") if folded(each.text("id") or "") == folded(name))
        if len({folded(other) for each in same if (other := each.text("defaultVersion")) is not None}) > 1:
            self._error(application, "defaultVersion", f"the versions of {name} name different ones; name one")

    def _source(self, application: Cursor) -> None:
        source = application.text("source")
        if source is None:
            return
        path = self._base / source
        if not path.exists():
            text = f"there is no file or folder {path}; paths are relative to this file"
            self._error(application, "source", text)
            return
        try:
            check_source(path)
        except PackageError as exc:
            self._error(application, "source", str(exc))

    def _packages(self, owner: Cursor) -> None:
        for reference in owner.each("applicationPackageReferences"):
            wanted, version = reference.text("applicationId"), reference.text("version")
            if wanted is None:
                continue
            versions = self._versions.get(folded(wanted))
            if self._present is not None and (versions is None or (version and not _holds(versions, version))):
                versions = (versions or set()) | (self._present.versions(wanted) or set()) or None
            if versions is None:
                names = self._applications.values()
                near = nearest(wanted, names)
                hint = f"did you mean {near}?" if near else f"there are {listed(names) or 'none'}"
                self._error(reference, "applicationId", f"there is no application {wanted!r}; {hint}")
            elif version is not None and not _holds(versions, version):
                known = listed(versions)
                self._error(
                    reference, "version", f"there is no version {version!r} of {wanted}; there is {known}"
                )

    # -- jobs -----------------------------------------------------------------------------------------------

    def _schedule(self, schedule: Cursor) -> None:
        recurs = check_schedule(schedule, self._settings.minimum_recurrence_interval, self._problems)
        specification = schedule.get("jobSpecification")
        if specification is None:
            return
        self._job(specification, [], scheduled=True)
        manager = specification.get("jobManagerTask")
        if manager is None:
            text = "needs a jobManagerTask; nothing else gives the jobs of a schedule their tasks"
            self._problems.error(specification.place, specification.path, text)
        elif recurs and _never_ends(specification, manager):
            text = "its jobs would never end, and none would follow; set onAllTasksComplete: terminatejob"
            self._problems.error(specification.place, specification.path, text)

    def _job(self, job: Cursor, tasks: list[Cursor], scheduled: bool = False) -> None:
        manager = job.get("jobManagerTask")
        everything = [manager, *tasks] if manager is not None else tasks
        slots = check_pool_info(job, self._pools, scheduled, self._pool, self._problems)
        self._ids(everything, "task")
        check_environment(job, "commonEnvironmentSettings", self._problems)
        check_job_metadata(job, self._problems)
        if job.whole("priority", 0) not in _PRIORITIES:
            self._error(job, "priority", "must be between -1000 and 1000")
        if (most := job.whole("maxParallelTasks", -1)) != -1 and most < 1:
            self._error(job, "maxParallelTasks", "must be at least 1, or -1, which means without limit")
        self._constraints(job)
        check_dependencies(job, everything, self._problems)
        check_preparation_and_release(job, everything, self._constraints, self._problems)
        own = [job.get("jobPreparationTask"), job.get("jobReleaseTask")]
        check_identities([*own, *everything], self._accounts(job), self._problems)
        for task in everything:
            check_command(task, self._problems)
            check_instances(task, self._pool_of(job), self._problems)
            check_conditions(job, task, self._problems)
            self._packages(task)
            self._affinity(task)
            self._constraints(task)
            needed = task.whole("requiredSlots", 1)
            if needed < 1:
                self._error(task, "requiredSlots", "must be at least 1")
            elif needed > slots:
                self._error(
                    task, "requiredSlots", f"no node of its pool has {needed} slots; they have {slots}"
                )

    def _affinity(self, task: Cursor) -> None:
        info = task.get("affinityInfo")
        if info is not None and info.text("affinityId") == "":
            self._error(info, "affinityId", "must not be empty; leave affinityInfo out if any node will do")

    def _accounts(self, job: Cursor) -> frozenset[str] | None:
        """Names of the user accounts of the job's pool; None: the pool is not known."""
        pool = self._pool_of(job)
        return accounts_of(pool) if pool is not None else None

    def _pool_of(self, job: Cursor) -> Cursor | None:
        info = job.get("poolInfo")
        pool = job.find("poolInfo", "autoPoolSpecification", "pool")
        if pool is None and info is not None:
            pool = self._pools.get(folded(info.text("poolId") or ""))
        return pool

    def _constraints(self, owner: Cursor) -> None:
        constraints = owner.get("constraints")
        if constraints is None:
            return
        if constraints.whole("maxTaskRetryCount", 0) < -1:
            self._error(constraints, "maxTaskRetryCount", "must be at least -1, which means without limit")
        for name in ("maxWallClockTime", "retentionTime"):
            if constraints.duration(name) == timedelta():
                self._error(constraints, name, "must be longer than nothing")

    def _pool(self, pool: Cursor) -> None:
        check_pool(pool, self._offers, self._settings, self._lines, self._problems)
        self._packages(pool)

    def _error(self, cursor: Cursor, name: str, text: str) -> None:
        value = cursor.get(name)
        assert value is not None
        self._problems.error(value.place, value.path, text)


def _specifications(root: Cursor) -> Iterable[Cursor]:
    """Of the jobs of schedules."""
    return (found for each in root.each("jobSchedules") if (found := each.get("jobSpecification")) is not None)


def _holds(names: Iterable[str], wanted: str) -> bool:
    """Is it one of them, however it is spelled?"""
    return folded(wanted) in map(folded, names)


def _never_ends(job: Cursor, manager: Cursor) -> bool:
    """Neither the end of its job manager task nor that of its tasks ends the job."""
    kills = (manager.text("killJobOnCompletion") or "true").lower() != "false"
    return not kills and (job.text("onAllTasksComplete") or "noaction").lower() == "noaction"
