"""The nodes of a trial as files and processes: what is there, and what is done to it."""

from __future__ import annotations

import json
import os
import random
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from providers.processes import marker_of
from runner.agent.spool import OUTCOMES, SIZE, _unpack


def uptime() -> float:
    """The clock of the notes."""
    return float(Path("/proc/uptime").read_text().split()[0])


@dataclass(frozen=True)
class LocalNode:
    """A node that listens. `path`: of its VM."""

    path: Path
    pid: int
    port: int
    low_priority: bool

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def private(self) -> Path:
        return self.path / "root/.ebbtide"

    def slots(self) -> list[Path]:
        """Of its task slots."""
        try:
            return sorted(each for each in (self.private / "slots").iterdir() if each.name.isdigit())
        except FileNotFoundError:
            return []

    def kill(self) -> bool:
        """The machine is gone."""
        return _kill(self.pid, self.name)

    def kill_agent(self) -> bool:
        return self._kill_owner(self.private / "lock")

    def kill_supervisor(self, slot: Path) -> bool:
        return self._kill_owner(slot / "lock")

    def _kill_owner(self, lock: Path) -> bool:
        try:
            text = lock.read_text().strip()
        except OSError:
            return False
        return text.isdigit() and _kill(int(text), self.name)


def nodes_in(base: Path) -> list[LocalNode]:
    """Those that live, by name."""
    found = []
    for path in sorted(base.glob("*/node.json")):
        with suppress(OSError, ValueError, KeyError):
            record, vm = json.loads(path.read_text()), json.loads((path.parent / "vm.json").read_text())
            over = record["ended"] or (path.parent / "end.json").exists() or not Path(f"/proc/{record['pid']}").exists()
            if record["port"] and not over:
                found.append(LocalNode(path.parent, record["pid"], record["port"], vm["low_priority"]))
    return found


def _kill(pid: int, name: str) -> bool:
    """Only what is this node's: numbers are used again."""
    try:
        if pid <= 1 or marker_of(pid) != name:
            return False
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def fill(root: Path) -> Path | None:
    """Until nothing more fits. The file to be removed; None if the disk is not one of its own."""
    if not os.path.ismount(root):
        return None
    filler, size = root / "filler", 1 << 24
    with open(filler, "wb", buffering=0) as file:
        while size:
            try:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
            except OSError:
                size = size >> 4 if size > 1 else 0
    return filler


def damage(slot: Path, rng: random.Random) -> str | None:
    """Flip bytes of records, or cut the spool short; what was done, None if there is no spool."""
    path = slot / "spool"
    try:
        data = bytearray(path.read_bytes())
    except OSError:
        return None
    held = [at for at in range(0, len(data), SIZE) if _unpack(bytes(data[at : at + SIZE])) is not None]
    how = rng.choice(("flip", "flip", "cut", "empty"))
    if how == "flip":
        struck = [at for at in held if rng.random() < 0.7] or held[:1]
        with suppress(OSError), open(path, "r+b") as file:
            for at in struck:
                place = at + rng.randrange(80)
                file.seek(place)
                file.write(bytes((data[place] ^ 1 << rng.randrange(8),)))
        return f"flipped a byte in {len(struck)} of {len(held)} records"
    length = 0 if how == "empty" else rng.randrange(SIZE * (OUTCOMES + 1))
    with suppress(OSError):
        os.truncate(path, length)
    return f"cut to {length} bytes, {len(held)} records"


