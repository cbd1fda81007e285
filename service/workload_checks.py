"""What must hold between the parts of a workload file: ids, references, intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from runner import PackageError, check_source

from .command_checks import check_command, check_environment
from .cursor import Cursor
from .decoding import listed, nearest
from .iso8601 import format_duration
from .metadata_checks import check_job_metadata, check_schedule_metadata
from .offers import Offer
from .pool_checks import check_pool
from .problems import Problems
from .settings import Settings

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", re.ASCII)
_PRIORITIES = range(-1000, 1001)


class WorkloadChecks:
    def __init__(
        self,
        root: Cursor,
        base: Path,
        offers: Mapping[str, Offer],
        settings: Settings,
        lines: list[str],
        problems: Problems,
    ) -> None:
        self._root = root
        self._base = base
        self._offers = offers
        self._settings = settings
        self._lines = lines
        self._problems = problems
        self._pools = {pool.text("id"): pool for pool in root.each("pools")}
        self._versions: dict[str, set[str]] = {}
        for application in root.each("applications"):
            name = application.text("id") or ""
            self._versions.setdefault(name, set()).add(application.text("version") or "1.0")

    def run(self) -> None:
        root = self._root
        self._applications()
        self._ids(root.each("pools"), "pool")
        for pool in root.each("pools"):
            check_pool(pool, self._offers, self._settings, self._lines, self._problems)
            self._packages(pool)
        self._ids(root.each("jobSchedules"), "job schedule")
        for schedule in root.each("jobSchedules"):
            self._schedule(schedule)
        self._ids(root.each("jobs"), "job")
        schedules = {(schedule.text("id") or "").lower() for schedule in root.each("jobSchedules")}
        for job in root.each("jobs"):
            if (job.text("id") or "").lower() in schedules:
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
            other = first.setdefault(name.lower(), thing)
            if other is not thing:
                same = "" if other.text("id") == name else " (upper and lower case do not tell ids apart)"
                self._error(
                    thing,
                    "id",
                    f"another {kind} is called {other.text('id')!r}, line {other.place.line}{same}",
                )

    # -- applications ---------------------------------------------------------------------------------------

    def _applications(self) -> None:
        seen: set[tuple[str, str]] = set()
        for application in self._root.each("applications"):
            name, version = application.text("id"), application.text("version") or "1.0"
            if name is not None and not _ID.fullmatch(name):
                self._error(
                    application, "id", f"may hold 1 to 64 letters, digits, `-` and `_`, not {name[:80]!r}"
                )
            elif name is not None and (name.lower(), version) in seen:
                self._error(application, "id", f"stands here twice with the version {version}")
            seen.add(((name or "").lower(), version))
            if not _VERSION.fullmatch(version):
                text = f"may hold 1 to 64 letters, digits, `.`, `-` and `_`, not {version[:80]!r}"
                self._error(application, "version", text)
            self._source(application)

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
            if wanted not in self._versions:
                near = nearest(wanted, self._versions)
                hint = f"did you mean {near}?" if near else f"there are {listed(self._versions) or 'none'}"
                self._error(reference, "applicationId", f"there is no application {wanted!r}; {hint}")
            elif version is not None and version not in self._versions[wanted]:
                known = listed(self._versions[wanted])
                self._error(
                    reference, "version", f"there is no version {version!r} of {wanted}; there is {known}"
                )

    # -- jobs -----------------------------------------------------------------------------------------------

    def _schedule(self, schedule: Cursor) -> None:
        check_schedule_metadata(schedule, self._problems)
        least = self._settings.minimum_recurrence_interval
        times = schedule.get("schedule")
        interval = times.duration("recurrenceInterval") if times is not None else None
        if times is not None and interval is not None and interval < least:
            text = (
                f"must be at least {format_duration(least)}, the setting minimumRecurrenceInterval, "
                f"not {format_duration(interval)}"
            )
            self._error(times, "recurrenceInterval", text)
        specification = schedule.get("jobSpecification")
        if specification is None:
            return
        self._job(specification, [])
        manager = specification.get("jobManagerTask")
        if manager is None:
            text = "needs a jobManagerTask; nothing else gives the jobs of a schedule their tasks"
            self._problems.error(specification.place, specification.path, text)
        elif interval is not None and _never_ends(specification, manager):
            text = "its jobs would never end, and none would follow; set onAllTasksComplete: terminatejob"
            self._problems.error(specification.place, specification.path, text)

    def _job(self, job: Cursor, tasks: list[Cursor]) -> None:
        manager = job.get("jobManagerTask")
        everything = [manager, *tasks] if manager is not None else tasks
        slots = self._pool_of(job)
        self._ids(everything, "task")
        check_environment(job, "commonEnvironmentSettings", self._problems)
        check_job_metadata(job, self._problems)
        if job.whole("priority", 0) not in _PRIORITIES:
            self._error(job, "priority", "must be between -1000 and 1000")
        self._constraints(job)
        for task in everything:
            check_command(task, self._problems)
            self._packages(task)
            self._constraints(task)
            needed = task.whole("requiredSlots", 1)
            if needed < 1:
                self._error(task, "requiredSlots", "must be at least 1")
            elif needed > slots:
                self._error(
                    task, "requiredSlots", f"no node of its pool has {needed} slots; they have {slots}"
                )

    def _constraints(self, owner: Cursor) -> None:
        constraints = owner.get("constraints")
        if constraints is None:
            return
        if constraints.whole("maxTaskRetryCount", 0) < -1:
            self._error(constraints, "maxTaskRetryCount", "must be at least -1, which means without limit")
        if constraints.duration("maxWallClockTime") == timedelta():
            self._error(constraints, "maxWallClockTime", "must be longer than nothing")

    def _pool_of(self, job: Cursor) -> int:
        """Checks the reference; the slots of a node of that pool (as many as you like if it is not known)."""
        info = job.get("poolInfo")
        name = info.text("poolId") if info is not None else None
        if info is None or name is None:
            return 256
        pool = self._pools.get(name)
        if pool is None:
            names = [known for known in self._pools if known]
            near = nearest(name, names)
            hint = f"did you mean {near}?" if near else f"there are {listed(names) or 'none'}"
            self._error(info, "poolId", f"there is no pool {name!r}; {hint}")
            return 256
        return max(pool.whole("taskSlotsPerNode", 1), pool.whole("maxTasksPerNode", 1))

    def _error(self, cursor: Cursor, name: str, text: str) -> None:
        value = cursor.get(name)
        assert value is not None
        self._problems.error(value.place, value.path, text)


def _never_ends(job: Cursor, manager: Cursor) -> bool:
    """Neither the end of its job manager task nor that of its tasks ends the job."""
    kills = (manager.text("killJobOnCompletion") or "true").lower() != "false"
    return not kills and (job.text("onAllTasksComplete") or "noaction").lower() == "noaction"
