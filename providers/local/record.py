"""What the disk says about one local VM. Standard library only: the node process reads and writes these too.

A VM is a directory `<base>/<vm name>/`. Each file in it has one writer and is replaced atomically:

- vm.json: the intent, what was asked for; it is there from the moment that the directory is
- node.json, by the node process: its pid and start time early, port and host key when it listens, why it ended
- end.json, by whoever preempts the VM
- reboot.json, by whoever reboots it, until it listens again
- host_key: the private host key, which outlives a reboot
- node.lock: locked (flock) by the node process for its life, so that there is never a second one
- node.log: what the node process says when it fails
- root/ home/: the node's files
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ..processes import ProcessId, boot_id, is_alive

VM_FILE, NODE_FILE, END_FILE = "vm.json", "node.json", "end.json"
LOCK_FILE, LOG_FILE = "node.lock", "node.log"
#: while the VM is started anew; holds the port that it had
REBOOT_FILE = "reboot.json"
#: the private host key of a local node
KEY_FILE = "host_key"


@dataclass(frozen=True)
class VmRecord:
    name: str
    deployment: str
    pool_id: str
    node_id: str
    size: str
    image: str
    low_priority: bool
    public_key: str
    idle_timeout: float  # seconds without a word from a controller after which the node ends itself
    created: float  # Instant
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeRecord:
    pid: int
    start: int  # clock ticks since boot
    boot_id: str
    user: str
    port: int | None = None
    host_key: str | None = None
    ended: str | None = None  # why the node ended itself

    def alive(self) -> bool:
        return self.boot_id == boot_id() and is_alive(ProcessId(self.pid, self.start))


@dataclass(frozen=True)
class EndRecord:
    """The VM was preempted."""

    reason: str


@dataclass(frozen=True)
class RebootRecord:
    """The VM starts anew. `port`: where it listened, and is to listen again if that can be had."""

    port: int | None = None


Record = TypeVar("Record", VmRecord, NodeRecord, EndRecord, RebootRecord)


def write(path: Path, record: VmRecord | NodeRecord | EndRecord | RebootRecord, durable: bool = False) -> None:
    """Replace the file in one step. `durable`: also before the machine can lose power. Raises OSError."""
    new = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            json.dump(asdict(record), file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.rename(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def read(path: Path, kind: type[Record]) -> Record | None:
    """The record, or None if there is no such file. Raises ValueError if it is damaged, OSError if
    unreadable.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    data: Any = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError(f"{path} does not hold a record")
    known = {f.name for f in fields(kind)}
    try:
        return kind(**{key: value for key, value in data.items() if key in known})
    except TypeError as exc:
        raise ValueError(f"{path}: {exc}") from exc
