"""What this machine knows of the VMs that are leased: one small file each, written before anything is asked of a host.

The truth about a lease is on the host. The record says where to look, also when the host does not answer.
"""

from __future__ import annotations

import enum
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from .inventory import Host


class Stage(enum.StrEnum):
    INTENT = "intent"  # a host is chosen; nothing was asked of it
    ASKED = "asked"  # it may have the lease
    LEASED = "leased"


@dataclass(frozen=True)
class Record:
    name: str
    deployment: str
    pool_id: str
    node_id: str
    size: str
    low_priority: bool
    created: float  # Instant
    host: Host
    stage: Stage = Stage.INTENT
    tags: Mapping[str, str] = field(default_factory=dict)
    node_root: str = ""  # known when leased; absolute
    host_key: str = ""  # the one that the host showed

    def lease(self) -> dict[str, Any]:
        """What the host keeps of it."""
        return {
            "name": self.name,
            "deployment": self.deployment,
            "pool_id": self.pool_id,
            "node_id": self.node_id,
            "size": self.size,
            "low_priority": self.low_priority,
            "created": self.created,
            "tags": dict(self.tags),
        }


def of_lease(lease: Mapping[str, Any], host: Host, host_key: str) -> Record:
    """The record of a lease that was found on a host and nowhere else."""
    known = {key: lease[key] for key in ("name", "deployment", "pool_id", "node_id", "size", "low_priority", "created")}
    return Record(
        **known, host=host, stage=Stage.LEASED, tags=lease["tags"], node_root=lease["root"], host_key=host_key
    )


class Records:
    """The records of one deployment in a folder that others may use too. Raises OSError."""

    def __init__(self, base: Path, deployment: str) -> None:
        self._base = base
        self._deployment = deployment

    def path(self, name: str) -> Path:
        return self._base / f"{name}.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else, in this process or another, chooses a host meanwhile. Not for long: no network inside."""
        self._base.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._base / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def every(self) -> list[Record]:
        """In name order, those of other deployments too."""
        paths = sorted(self._base.glob("*.json"))
        return [record for record in map(_read, paths) if record is not None]

    def ours(self) -> list[Record]:
        return [record for record in self.every() if record.deployment == self._deployment]

    def get(self, name: str) -> Record | None:
        return _read(self.path(name))

    def put(self, record: Record) -> None:
        """Replace it in one step; before a host is asked, also before the machine can lose power."""
        self._base.mkdir(parents=True, exist_ok=True)
        new = self._new(record.name)
        with open(new, "w", encoding="utf-8") as file:
            json.dump(asdict(record), file)
            if record.stage is Stage.ASKED:
                file.flush()
                os.fsync(file.fileno())
        os.rename(new, self.path(record.name))

    def _new(self, name: str) -> Path:
        return self._base / f"{name}.new"

    def remove(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)
        self._new(name).unlink(missing_ok=True)  # of a controller that was killed


def _read(path: Path) -> Record | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        host = {key: value for key, value in data["host"].items() if key in _HOST}
        host["host_keys"] = tuple(host["host_keys"])
        rest = {key: value for key, value in data.items() if key in _RECORD}
        return Record(**{**rest, "host": Host(**host), "stage": Stage(data["stage"])})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # damaged by hand or by the disk: the lease itself is found on its host


_HOST = {each.name for each in fields(Host)}
_RECORD = {each.name for each in fields(Record)}
