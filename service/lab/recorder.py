"""What a simulation commits, kept as what the lab tells of it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from pools import AutoScaleError, Changes, TaskCounts
from runner import Task, TaskState

from .arrivals import Arrivals
from .node_account import NodeAccount
from .outcome import AutoscaleRuns, RecordedSamples
from .pool_rows import PoolRows
from .virtual_world import POOL

_READ = ("current_dedicated", "current_low_priority", "preempted", "usable")


class Recorder:
    """`metrics`: whose samples are kept. `targets`: of the pool at its beginning."""

    def __init__(
        self,
        arrivals: Arrivals,
        start: float,
        minimum: float,
        metrics: Sequence[str],
        targets: tuple[int, int] = (0, 0),
    ) -> None:
        self._arrivals = arrivals
        self._start = start
        self.nodes = NodeAccount(start, minimum)
        self.rows = PoolRows(arrivals.horizon)
        #: of tasks that ended, in the order of their ends
        self.waits: array[float] = array("d")
        #: of which the last ended then, since the start
        self.makespan = 0.0
        self.evictions = 0
        self.thrown_away = 0.0
        #: tasks that have come and not ended, and their slots
        self.open = self.slots = 0
        #: when anything last became of a task
        self.moved = start
        self.targets = targets
        #: when the targets changed, and by how many nodes
        self.changes: list[tuple[float, int]] = []
        self.made: dict[str, list[Any]] = {name: [] for name in AutoscaleRuns.__struct_fields__ if name != "errors"}
        self.errors: dict[int, str] = {}
        self._requeued: dict[str, int] = {}
        self._noted: tuple[int, ...] = ()
        self._samples: dict[str, list[float | None]] = {name: [] for name in metrics}
        #: set by whoever makes the simulation
        self.clock: Callable[[], float] = lambda: start
        self.counts: Callable[[str], TaskCounts] = lambda pool_id: TaskCounts()

    # -- what happens --------------------------------------------------------------------------------------------

    def arrived(self, first: int, last: int) -> None:
        self.open += last - first
        self.slots += sum(self._arrivals.slots[first:last])

    def commit(self, changes: Changes) -> None:
        """What would be written."""
        now, tables = self.clock(), changes.by_table
        told = False
        if "nodes" in tables:
            self.nodes.advance(now)
            for node_id, node in tables["nodes"].items():
                told = self.nodes.change(node_id, node, now) or told
        if "tasks" in tables:
            told = True
            self.moved = now
            self._see_tasks(tables["tasks"].values(), now)
        if "pools" in tables:
            for pool in tables["pools"].values():
                told = self._see_targets((pool.target_dedicated, pool.target_low_priority), now) or told
        if "samples" in tables:
            self._see_samples(tables["samples"].values())
        if "autoscale_runs" in tables:
            for run in tables["autoscale_runs"].values():
                self._see_run(run, now)
        if told:
            self._note(now)

    def _note(self, now: float) -> None:
        nodes = self.nodes
        nodes.advance(now)
        # also those wait that something stands in the way of, which the pool's counts leave out
        row = (self.slots, *self.targets, *nodes.counts, self.open - self.counts(POOL).running)
        if row != self._noted:
            self._noted = row
            self.rows.note(now - self._start, row, nodes.spent)

    def _see_tasks(self, tasks: Iterable[Task], now: float) -> None:
        times, completed = self._arrivals.times, TaskState.COMPLETED
        for task in tasks:
            if task.requeue_count:
                self._see_requeued(task)
            if task.state is completed:
                number = int(task.id)
                self.open -= 1
                self.slots -= self._arrivals.slots[number]
                began = task.start_time if task.start_time is not None else now
                self.waits.append(max(0.0, round(began - self._start - times[number], 3)))
                self.makespan = max(self.makespan, round((task.end_time or now) - self._start, 3))

    def _see_requeued(self, task: Task) -> None:
        before = self._requeued.get(task.id, 0)
        if task.requeue_count > before:
            self._requeued[task.id] = task.requeue_count
            self.evictions += task.requeue_count - before
            last = task.earlier[-1] if task.earlier else None
            if last is not None and last.start_time is not None and last.end_time is not None:
                self.thrown_away += last.end_time - last.start_time

    def _see_targets(self, targets: tuple[int, int], now: float) -> bool:
        if targets == self.targets:
            return False
        moved = sum(targets) - sum(self.targets)
        self.targets = targets
        self.changes.append((now - self._start, moved))
        return True

    def _see_samples(self, samples: Iterable[Any]) -> None:
        for sample in samples:
            number = round((sample.time - self._start) / self.period)
            for name, values in self._samples.items():
                values.extend([None] * (number - len(values)))
                values.append(sample.values.get(name))

    def _see_run(self, run: Any, now: float) -> None:
        made, pool = self.made, run.pool
        if run.error is not None:
            self.errors[len(made["times"])] = _told(run.error)
        made["times"].append(now - self._start)
        made["dedicated"].append(run.target_dedicated)
        made["low_priority"].append(run.target_low_priority)
        for name in _READ:
            made[name].append(int(getattr(pool, name)))

    # -- what is told of it --------------------------------------------------------------------------------------

    #: seconds between two samples
    period = 30.0

    def samples(self, delay: float, retention: float) -> RecordedSamples:
        due = int((self.clock() - self._start) // self.period) + 1
        for values in self._samples.values():
            values.extend([None] * (due - len(values)))  # the last ones may have been lost
        return RecordedSamples(period=self.period, delay=delay, retention=retention, values=self._samples)

    def autoscale(self) -> AutoscaleRuns:
        return AutoscaleRuns(**self.made, errors=self.errors)

    def flaps(self, soon: float) -> int:
        """How often the targets went one way and at most `soon` seconds later the other."""
        moves = [(time, moved) for time, moved in self.changes if moved]
        return sum(
            (before < 0) != (after < 0) and later - earlier <= soon
            for (earlier, before), (later, after) in pairwise(moves)
        )


def _told(error: AutoScaleError) -> str:
    details = "; ".join(value.value for value in error.values)
    return f"{error.code}: {error.message}" + (f" ({details})" if details else "")
