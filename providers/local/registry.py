"""The local VMs of one base directory: the disk is the truth, whatever became of the controllers.

    <base>/<vm name>/           a VM (see record.py)
    <base>/.ending/<vm name>/   one that is being destroyed; as long as it holds vm.json, processes may be left
    <base>/.staging/            intents that are being written
    <base>/.lock                held while a VM is admitted, so that two creates cannot both take the last place

A VM is admitted by renaming its finished directory into place and leaves by being renamed away: both are one
step, need no free disk space, and a crash before or after them leaves a state that the next call understands.
"""

from __future__ import annotations

import enum
import fcntl
import logging
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..sweep import StubbornProcessesError, end_all
from .record import (
    END_FILE,
    NODE_FILE,
    REBOOT_FILE,
    VM_FILE,
    EndRecord,
    NodeRecord,
    RebootRecord,
    VmRecord,
    read,
    write,
)

log = logging.getLogger(__name__)


class Phase(enum.Enum):
    PENDING = "pending"
    RUNNING = "running"
    PREEMPTED = "preempted"
    DEAD = "dead"
    DAMAGED = "damaged"  # its record cannot be read


@dataclass(frozen=True)
class Entry:
    """One VM as the disk and /proc show it."""

    name: str
    path: Path
    phase: Phase
    reason: str | None
    vm: VmRecord | None
    node: NodeRecord | None

    @property
    def lives(self) -> bool:
        return self.phase in (Phase.PENDING, Phase.RUNNING)

    @property
    def haunted(self) -> bool:
        """The machine is over, but processes of it may still run."""
        if self.phase is Phase.PREEMPTED:  # whoever preempts ends them; unless they crashed in the middle
            return self.node is not None and self.node.alive()
        return self.phase is Phase.DEAD


class Registry:
    """Methods raise OSError (ENOSPC and others) where the disk refuses."""

    #: what a new VM's directory holds beside its record
    folders: ClassVar[tuple[str, ...]] = ("root", "home")

    def __init__(self, base: Path) -> None:
        self._base = base.absolute()
        self._ending = self._base / ".ending"
        self._staging = self._base / ".staging"

    def path(self, name: str) -> Path:
        return self._base / name

    def add(self, record: VmRecord, admit: Callable[[list[Entry]], None]) -> bool:
        """Note the intent to have this VM; False if there is (or just was) one of that name.

        `admit` sees the entries that exist and raises what it likes to refuse the new one; nothing is left
        then.
        """
        for directory in (self._ending, self._staging):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self.path(record.name)
        staged = self._staging / f"{record.name}~{os.getpid()}-{threading.get_ident()}"
        try:
            with self._admission():
                if target.exists() or (self._ending / record.name / VM_FILE).exists():
                    return False
                admit(self.entries())
                staged.mkdir()
                staged.chmod(0o711)  # the node may let other users through to what it opens to them
                for folder in self.folders:
                    (staged / folder).mkdir(mode=0o700)
                write(staged / VM_FILE, record, durable=True)
                os.rename(staged, target)
                return True
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    @contextmanager
    def _admission(self) -> Iterator[None]:
        # who can read it could hold it
        file = os.open(self._base / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def entries(self) -> list[Entry]:
        """Every VM, in name order."""
        found = [self._entry(name, self._base) for name in _names(self._base)]
        found += [self._entry(name, self._ending) for name in _names(self._ending)]
        return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.name)

    def get(self, name: str) -> Entry | None:
        return self._entry(name, self._base) or self._entry(name, self._ending)

    def _entry(self, name: str, parent: Path) -> Entry | None:
        path = parent / name
        try:
            vm = read(path / VM_FILE, VmRecord)
            node = read(path / NODE_FILE, NodeRecord)
            end = read(path / END_FILE, EndRecord)
        except (OSError, ValueError) as exc:
            return Entry(name, path, Phase.DAMAGED, f"its record cannot be read: {exc}", None, None)
        if vm is None:  # gone between two looks, or only files are left
            return None
        if parent == self._ending:
            return Entry(name, path, Phase.DEAD, "being destroyed", vm, node)
        if end is not None:
            return Entry(name, path, Phase.PREEMPTED, end.reason, vm, node)
        if node is None or ((path / REBOOT_FILE).exists() and not node.alive()):
            return Entry(name, path, Phase.PENDING, None, vm, None)
        if node.ended is not None:
            return Entry(name, path, Phase.DEAD, node.ended, vm, node)
        if not node.alive():
            return Entry(name, path, Phase.DEAD, self.epitaph(path), vm, node)
        phase = Phase.RUNNING if node.port is not None else Phase.PENDING
        return Entry(name, path, phase, None, vm, node)

    def epitaph(self, path: Path) -> str:
        """Why the machine is over, if it did not say so itself."""
        return "the node process died (killed or crashed)"

    def tidy(self) -> None:
        """Remove the files of VMs that were destroyed by a controller that did not live to remove them."""
        for name in _names(self._ending):
            if not (self._ending / name / VM_FILE).exists():
                _remove_tree(self._ending / name)

    def preempt(self, name: str, reason: str) -> None:
        """The machine is gone at once; its record stays until `destroy`. Raises StubbornProcessesError."""
        write(self.path(name) / END_FILE, EndRecord(reason))
        end_all(name.__eq__)

    def stop_for_reboot(self, entry: Entry) -> None:
        """End all that runs of the VM; from now on it is one that is yet to start. What it has written stays. Raises
        StubbornProcessesError."""
        marker = entry.path / REBOOT_FILE
        if not marker.exists():
            write(marker, RebootRecord(entry.node.port if entry.node is not None else None))
        end_all(entry.name.__eq__)
        (entry.path / NODE_FILE).unlink(missing_ok=True)

    def bury(self, names: Iterable[str]) -> None:
        """End what processes are left of machines that have died: on a dead machine nothing runs.

        What does not end yet is left to `destroy`, which reports it.
        """
        dead = set(names)
        if dead:
            try:
                end_all(dead.__contains__, within=1.0)
            except StubbornProcessesError as exc:
                log.warning("%s", exc)

    def destroy(self, name: str) -> None:
        """End every process of the VM and remove its files. Idempotent. Raises StubbornProcessesError.

        The rename comes first: a node process that starts only now no longer finds its directory, and ends.
        """
        grave = self._ending / name
        self._ending.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.rename(self.path(name), grave)
        except FileNotFoundError:
            pass  # destroyed before, or by another caller, or never there
        except OSError:  # ENOTEMPTY: files of an earlier VM of this name are in the way
            _remove_tree(grave)
            os.rename(self.path(name), grave)
        end_all(name.__eq__)
        (grave / VM_FILE).unlink(missing_ok=True)  # from here on there is no such VM, only files
        _remove_tree(grave)
        for left in self._staging.glob(f"{name}~*"):
            _remove_tree(left)


def _names(directory: Path) -> list[str]:
    try:
        return [name for name in os.listdir(directory) if not name.startswith(".")]
    except FileNotFoundError:
        return []


def _remove_tree(path: Path) -> None:
    """Remove what a node's tasks left, locked folders too, and however deep they are; what cannot be removed is
    reported, not fatal.
    """
    with suppress(RecursionError):  # tasks can do that on purpose
        shutil.rmtree(path, ignore_errors=True)
    if not path.exists():
        return
    # these follow no links, and keep no folders open on their way down
    for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        if os.geteuid() or command[0] == "rm":  # root is not kept out by locks
            quiet = subprocess.DEVNULL
            subprocess.run([*command, "--", path], stdin=quiet, stdout=quiet, stderr=quiet, check=False)
    if path.exists():
        log.warning("files of a destroyed node are left in %s (another user's?); remove them by hand", path)
