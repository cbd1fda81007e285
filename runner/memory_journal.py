"""A journal in memory: what a commit has written survives a crash of the controller, and nothing else
does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pools import AutoScaleRun, Boot, Change, Sample

from .core import Stored


class MemoryJournal:
    def __init__(self) -> None:
        #: records by table and key; they are immutable, so these are as good as copies
        self.tables: dict[str, dict[Any, Any]] = {}
        self.commits = 0

    def commit(self, changes: Sequence[Change]) -> None:
        """Write all changes, or (never, here) none."""
        self.commits += 1
        for table, key, record in changes:
            rows = self.tables.setdefault(table, {})
            if record is None:
                rows.pop(key, None)
            else:
                rows[key] = record

    def table(self, name: str) -> dict[Any, Any]:
        return self.tables.setdefault(name, {})

    def load(self) -> Stored:
        """What a new controller starts from."""
        samples: list[Sample] = sorted(self.table("samples").values(), key=lambda sample: sample.time)
        return Stored(
            pools=dict(self.table("pools")),
            nodes=dict(self.table("nodes")),
            jobs=dict(self.table("jobs")),
            tasks=dict(self.table("tasks")),
            job_schedules=dict(self.table("job_schedules")),
            applications=dict(self.table("applications")),
            samples=tuple(samples),
        )

    def boots(self) -> list[Boot]:
        """How long nodes took to come up, oldest first."""
        return sorted(self.table("boots").values(), key=lambda boot: (boot.time, boot.node_id))

    def runs(self) -> list[AutoScaleRun]:
        """Autoscale runs in the order of time."""
        return sorted(self.table("autoscale_runs").values(), key=lambda run: run.timestamp)
