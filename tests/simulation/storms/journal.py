"""A journal whose writes fail, are not confirmed, or are torn by the controller's end.

What is in it stands in memory; in some stories it is written to a real SQLite journal as well, which is torn as a file
is, and what a new controller starts from is read from there, and must be the same.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from pools import Change, Changes
from runner.journal import Journal, JournalError, open_journal
from runner.memory_journal import MemoryJournal
from runner.stored import Stored
from runner.task_model import Task, TaskKey
from runner.task_tally import DoneTotals

from ..invariants import require
from .faults import StormFaults

FILE = "journal.db"


class FailingJournal(MemoryJournal):
    def __init__(self, faults: StormFaults, crash: Callable[[], NoReturn], observe: Callable[[Changes], None]) -> None:
        super().__init__()
        self._faults = faults
        self._crash = crash
        self._observe = observe
        #: what was written since somebody looked last
        self.recent: list[Change] = []
        #: the same changes as last time are tried again
        self._again = False

    def commit(self, changes: Iterable[Change]) -> None:
        if not isinstance(changes, Changes):
            changes = Changes.of(changes)
        faults = self._faults
        if faults.crashes("commit"):
            self._crash()
        if faults.crashes("torn"):
            self._tear(changes)
            self._crash()
        if faults.strikes("journal/failed", faults.journal_chance * (10 if self._again else 1)):
            self._again = True
            raise JournalError("the disk is full, by chance")
        self._write(changes)
        self._again = False
        self._observe(changes)
        if faults.strikes("journal/unconfirmed", faults.journal_chance):
            self._again = True
            raise JournalError("the connection broke in the answer to COMMIT, by chance")

    def task(self, key: TaskKey) -> Task | None:
        if self._faults.strikes("journal/read", self._faults.journal_chance, key):
            raise JournalError("nothing can be read, by chance")
        return super().task(key)

    def _write(self, changes: Changes) -> None:
        MemoryJournal.commit(self, changes)
        self.recent += changes

    def _tear(self, changes: Changes) -> None:
        """A part of the changes is written when the controller ends: the next one finds nothing of them."""

    def close(self) -> None:
        pass


class KeptJournal(FailingJournal):
    """In a file too."""

    def __init__(self, faults: StormFaults, crash: Callable[[], NoReturn], observe: Callable[[Changes], None]) -> None:
        super().__init__(faults, crash, observe)
        memory = Path("/dev/shm")
        self._home = Path(tempfile.mkdtemp(prefix="ebbtide-storm-", dir=memory if memory.is_dir() else None))
        self._number = 0
        self._folder = self._home / "0"
        self._folder.mkdir()
        self._kept = self._open()
        #: how often it was torn
        self.torn = 0

    def _open(self) -> Journal:
        return open_journal(f"sqlite:///{self._folder / FILE}")

    def _write(self, changes: Changes) -> None:
        self._kept.commit(changes)
        super()._write(changes)

    def _tear(self, changes: Changes) -> None:
        """The log is cut off somewhere in what the commit has written, as by a power cut; or by the end of the process
        between two writes."""
        log = self._folder / f"{FILE}-wal"
        before = log.stat().st_size if log.exists() else 0
        self._kept.commit(changes)
        after = log.stat().st_size if log.exists() else 0
        self._number += 1
        torn = self._home / str(self._number)
        torn.mkdir()
        if after <= before:  # it began at the log's start again: what stands there now is whole
            before = after = 0
        for name in (FILE, f"{FILE}-wal"):
            shutil.copyfile(self._folder / name, torn / name)
        if after:
            with (torn / f"{FILE}-wal").open("r+b") as file:
                file.truncate(self._faults.chances.stream("torn").randrange(before, after))
            self.torn += 1
        else:
            super()._write(changes)
        self._kept.close()
        shutil.rmtree(self._folder)
        self._folder = torn
        self._kept = self._open()

    def load(self) -> Stored:
        stored, kept = super().load(), self._kept.load(0.0)
        for name in stored.__struct_fields__:
            one, other = getattr(stored, name), getattr(kept, name)
            if name == "done":  # the file names jobs of which no task is done
                other = {job_id: done for job_id, done in other.items() if done}
            if name == "job_nodes":  # nobody asks what was done for jobs that are over
                one = {key: each for key, each in one.items() if stored.jobs[key[0]].end_time is None}
            require(_same(one, other), "the journal holds something else", name, one, other)
        return kept

    def close(self) -> None:
        self._kept.close()
        shutil.rmtree(self._home, ignore_errors=True)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float):
        return math.isclose(one, other, abs_tol=1e-9)
    if isinstance(one, DoneTotals):
        return all(_same(getattr(one, name), getattr(other, name)) for name in one.__struct_fields__)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(each, other[key]) for key, each in one.items())
    return bool(one == other)
