"""A journal in memory: what a commit has written survives a crash of the controller, and nothing else
does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pools import AutoScaleRun, Boot, Change, Prefix, Sample, folded

from .stored import Stored
from .task_model import Done, Task, TaskKey
from .task_tally import DoneTotals


class MemoryJournal:
    def __init__(self) -> None:
        #: records by table and key; they are immutable, so these are as good as copies
        self.tables: dict[str, dict[Any, Any]] = {}
        self.commits = 0

    def commit(self, changes: Iterable[Change]) -> None:
        """Write all changes, or (never, here) none."""
        self.commits += 1
        for table, key, record in changes:
            rows = self.tables.setdefault(table, {})
            if isinstance(key, Prefix):
                for gone in [each for each in rows if each[: len(key.parts)] == key.parts]:
                    del rows[gone]
            elif record is None:
                rows.pop(key, None)
            else:
                rows[key] = record

    def table(self, name: str) -> dict[Any, Any]:
        return self.tables.setdefault(name, {})

    def load(self) -> Stored:
        """What a new controller starts from."""
        samples: list[Sample] = sorted(self.table("samples").values(), key=lambda sample: sample.time)
        tasks: list[Task] = sorted(self.table("tasks").values(), key=lambda task: task.sequence)
        done: dict[str, dict[str, int]] = {}
        totals: dict[str, DoneTotals] = {}
        for task in tasks:
            if (flags := task.done) is None:
                continue
            if self.table("jobs")[task.job_id].end_time is None:
                done.setdefault(task.job_id, {})[task.id] = flags
            ended = (1, 0) if flags & Done.SUCCEEDED else (0, 1)
            sums = DoneTotals(*ended, task.cost, task.unpriced_seconds)
            totals[task.job_id] = totals.get(task.job_id, DoneTotals()) + sums
        return Stored(
            pools=dict(self.table("pools")),
            nodes=dict(self.table("nodes")),
            jobs=dict(self.table("jobs")),
            tasks={task.key: task for task in tasks if task.done is None},
            done=done,
            totals=totals,
            sequence=tasks[-1].sequence if tasks else 0,
            job_nodes=dict(self.table("job_nodes")),
            gone={key: each for key, each in self.table("gone").items() if not each.task_id},
            job_schedules=dict(self.table("job_schedules")),
            applications=dict(self.table("applications")),
            samples=tuple(samples),
        )

    def task(self, key: TaskKey) -> Task | None:
        found: Task | None = self.table("tasks").get(key)
        if found is None:
            same = (task for task in self.table("tasks").values() if task.job_id == key[0])
            found = next((task for task in same if folded(task.id) == folded(key[1])), None)
        return found

    def boots(self) -> list[Boot]:
        """How long nodes took to come up, oldest first."""
        return sorted(self.table("boots").values(), key=lambda boot: (boot.time, boot.node_id))

    def runs(self) -> list[AutoScaleRun]:
        """Autoscale runs in the order of time."""
        return sorted(self.table("autoscale_runs").values(), key=lambda run: run.timestamp)
