"""What a state need not keep any longer, and its removal: jobs that ended long ago, old samples, stray files.

Works on the state alone, or beside the controller that works on it (then jobs are let go by that).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import msgspec

from pools import Change, Prefix
from runner import CHECKPOINTS, DatabaseSize, JobState, Journal, ObjectStore, StoreError, forgotten

from .clock import now
from .settings import Settings
from .state import StateDirectory

#: A file that is younger (seconds) may belong to a record that is about to be written.
YOUNG = 3600.0
#: Tables of what is measured, and kept for the setting sampleRetention.
MEASURED = ("samples", "autoscale_runs", "planner_passes", "boots")
_NODE_OUTPUTS = "node_outputs"


class OldJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    #: an Instant
    end_time: float
    tasks: int
    outputs: int
    #: of the outputs
    bytes: int
    #: files that they stand in
    files: tuple[str, ...] = ()


class OldFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    path: str
    bytes: int


class Waste(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What may go, or has gone."""

    jobs: tuple[OldJob, ...]
    #: kept streams that no record names: of attempts that were tried again
    outputs: tuple[OldFile, ...]
    #: application packages that no record names
    packages: tuple[OldFile, ...]
    #: checkpoints of tasks in the object store, whose job is over or gone
    checkpoints: tuple[OldFile, ...]
    #: rows that are older than sampleRetention, by table; and of what nodes printed that are gone, "node_outputs"
    measured: dict[str, int]
    #: of the database, before or after
    database: DatabaseSize
    #: why checkpoints were left that may go, or not looked at
    store_error: str | None = None

    @property
    def bytes(self) -> int:
        files = (*self.outputs, *self.packages, *self.checkpoints)
        return sum(job.bytes for job in self.jobs) + sum(file.bytes for file in files)


class Retention:
    def __init__(
        self,
        state: StateDirectory,
        settings: Settings,
        journal: Journal,
        store: ObjectStore,
        letting_go: Callable[[OldJob], AbstractContextManager[bool]] | None = None,
        awaits_record: Callable[[str], bool] = lambda name: False,
    ) -> None:
        """`letting_go`: asks the controller that works on this state whether the job is still the one that was found.
        If so, nothing else gets its id until its other rows are gone, and it goes in the end. None: there is no
        controller. `awaits_record`: may that controller yet record the output or package in the file of this name,
        however old that is?"""
        self._state = state
        self._settings = settings
        self._journal = journal
        self._store = store
        self._letting_go = letting_go or self._forgotten_from_journal
        self._awaits_record = awaits_record

    def find(self, now: float) -> Waste:
        """Raises JournalError, OSError."""
        checkpoints, store_error = list[OldFile](), None
        try:
            checkpoints = list(self._checkpoints(now))
        except StoreError as exc:
            store_error = str(exc)
        outputs = self._files(self._state.outputs, now)  # before the names are read: what comes after is young
        packages = self._files(self._state.packages, now)
        named = self._journal.output_files()
        wanted = {f"{package.sha256}.zip" for package in self._journal.applications()}
        live = {job.id for job in self._journal.jobs() if job.end_time is None}
        forgetting, before = self._journal.forgetting, now - self._settings.sample_retention.total_seconds()
        measured = {table: forgetting.forget_older(table, before, dry_run=True) for table in MEASURED}
        measured[_NODE_OUTPUTS] = forgetting.forget_node_outputs(self._nodes_before(now), dry_run=True)
        return Waste(
            jobs=tuple(self._old_jobs(now)),
            outputs=tuple(file for file in outputs if Path(file.path).name not in named),
            packages=tuple(file for file in packages if Path(file.path).name not in wanted),
            checkpoints=tuple(each for each in checkpoints if each.path.split("/", 1)[0] not in live),
            measured=measured,
            database=forgetting.size(),
            store_error=store_error,
        )

    def remove(self, waste: Waste, now: float) -> Waste:
        """What has gone; in bounded batches, so that nobody waits long. What was interrupted goes the next time, and
        what is wanted again since it was found does not. Raises JournalError, OSError."""
        before = now - self._settings.sample_retention.total_seconds()
        # files first: they may be what fills the disk, and the journal cannot be written then
        outputs = tuple(file for file in waste.outputs if _remove_old(Path(file.path), now - YOUNG))
        packages = tuple(file for file in waste.packages if _remove_old(Path(file.path), now - YOUNG))
        jobs = tuple(job for job in waste.jobs if self._remove_job(job))
        for table in MEASURED:
            self._journal.forgetting.forget_older(table, before)
        self._journal.forgetting.forget_node_outputs(self._nodes_before(now))
        checkpoints, store_error = self._remove_checkpoints(waste)
        return msgspec.structs.replace(
            waste,
            jobs=jobs,
            outputs=outputs,
            packages=packages,
            checkpoints=checkpoints,
            database=self._journal.forgetting.size(),
            store_error=store_error,
        )

    def _remove_checkpoints(self, waste: Waste) -> tuple[tuple[OldFile, ...], str | None]:
        """Their names hold the uids of their tasks: none comes again."""
        gone, error = list[OldFile](), waste.store_error
        for checkpoint in waste.checkpoints:
            try:
                self._store.delete(CHECKPOINTS, checkpoint.path)
                gone.append(checkpoint)
            except StoreError as exc:
                if exc.code != "BlobNotFound":  # somebody else was first
                    error = str(exc)
        return tuple(gone), error

    def _nodes_before(self, now: float) -> float:
        return now - self._settings.node_output_retention.total_seconds()

    def _remove_job(self, job: OldJob) -> bool:
        with self._letting_go(job) as ours:
            if ours:
                self._journal.forgetting.forget_tasks(job.id)
        for name in job.files if ours else ():
            (self._state.outputs / name).unlink(missing_ok=True)
        return ours

    def _old_jobs(self, now: float) -> Iterable[OldJob]:
        before = now - self._settings.job_retention.total_seconds()
        newest = {schedule.recent_job_id for schedule in self._journal.job_schedules()}
        for job in self._journal.jobs():
            old = job.state is JobState.COMPLETED and job.end_time is not None and job.end_time < before
            if old and job.id not in newest:
                assert job.end_time is not None
                kept = self._journal.forgetting.kept_of_job(job.id)
                size = kept.inline + sum(_size(self._state.outputs / name) for name in kept.files)
                yield OldJob(
                    id=job.id,
                    end_time=job.end_time,
                    tasks=kept.tasks,
                    outputs=kept.outputs,
                    bytes=size,
                    files=kept.files,
                )

    def _checkpoints(self, now: float) -> Iterable[OldFile]:
        """Those that are not young; their names begin with the id of their job."""
        after: str | None = ""
        while after is not None:
            try:
                page = self._store.page(CHECKPOINTS, after=after)
            except StoreError as exc:
                if exc.code == "ContainerNotFound":
                    return
                raise
            for blob in page.blobs:
                if blob.modified < now - YOUNG:
                    yield OldFile(path=blob.name, bytes=blob.size)
            after = page.after

    def _files(self, directory: Path, now: float) -> list[OldFile]:
        """Those that are not young, and that no record is about to name."""
        found = []
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            try:
                status = path.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_mtime < now - YOUNG and not self._awaits_record(path.name):
                found.append(OldFile(path=str(path), bytes=status.st_size))
        return found

    @contextmanager
    def _forgotten_from_journal(self, job: OldJob) -> Iterator[bool]:
        kept = self._journal.job(job.id)
        # before its tasks: should this end half way, nobody takes those that have gone for new ones
        self._journal.commit(forgotten(kept, now()) if kept is not None else ())
        yield True
        gone = (Change("job_nodes", Prefix((job.id,)), None), Change("jobs", job.id, None))
        self._journal.commit(gone)


def _remove_old(path: Path, before: float) -> bool:
    """Unless it was written or touched since `before`: whoever wants it again does that first, and writes it anew if it
    is not there. Looked at when nobody finds it any more."""
    aside = path.with_name(f"{path.name}.old")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return False
    if aside.stat().st_mtime >= before:
        with suppress(FileExistsError):  # written anew meanwhile
            os.link(aside, path)
        aside.unlink()
        return False
    aside.unlink()
    return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
