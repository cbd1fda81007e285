"""Pasts of pools: the real pool machine under a workload by chance, and what it records in a real journal."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

from pools import (
    Context,
    CountingIds,
    Deployment,
    Ledger,
    NodeDeallocationOption,
    NodeState,
    PoolMachine,
    PoolSettings,
    PoolSpec,
    TaskCounts,
)
from runner import Journal, open_journal
from service.hindsight import Kept
from service.rest_in_records import records_way
from service.rest_objects import Objects

from ...pools.machine import NoWork, booted

#: In 2025, and not on a whole second, as times of a controller are not.
START = 1_750_000_000.123456
SETTINGS = PoolSettings(
    sample_period=30.0, sample_delay=60.0, minimum_evaluation_interval=60.0, vm_poll_interval=1e6
)

#: What formulas do that look at all there is: windows, counts, the pool itself, chance, errors.
FORMULAS = {
    "window": "$TargetDedicatedNodes = min(9, avg($PendingTasks.GetSample(5 * TimeInterval_Minute, 1)));",
    "count": "$TargetDedicatedNodes = $ActiveTasks.Count() > 2 ? max($ActiveTasks.GetSample(3)) : 1;",
    "pool": "$TargetDedicatedNodes = $CurrentDedicatedNodes < 5 ? $TargetDedicatedNodes + 1 : 0; y = $UsableNodeCount;",
    "chance": "$TargetDedicatedNodes = 4 * rand(); $TargetLowPriorityNodes = rand() > 0.5 ? 1 : 0;",
    "now and then too few": "$TargetDedicatedNodes = sum($RunningTasks.GetSample(TimeInterval_Minute * 10, 90));",
    "now and then divided by 0": "$TargetDedicatedNodes = 6 / (max($RunningTasks.GetSample(1)) - 1);",
    "history": "$TargetDedicatedNodes = $PendingTasks.Count() > 20 ? 2 : 3; h = $PendingTasks.HistoryBeginTime();",
    "nothing": "$TargetDedicatedNodes = 2; $NodeDeallocationOption = taskcompletion;",
}


def spec(formula: str | None, pool_id: str = "p", minutes: float = 5) -> PoolSpec:
    if formula is None:
        return PoolSpec(id=pool_id, vm_size="small", target_dedicated_nodes=2)
    return PoolSpec(
        id=pool_id,
        vm_size="small",
        enable_auto_scale=True,
        auto_scale_formula=formula,
        auto_scale_evaluation_interval=timedelta(minutes=minutes),
    )


class Told:
    """A controller of pools that writes down what it does."""

    def __init__(self, journal: Journal, seed: int = 0) -> None:
        self.journal = journal
        self.chance = Random(seed)
        self.now = START
        self.context = Context(Ledger(), SETTINGS, CountingIds(seed), Deployment("d", "key"))
        self.work = self.context.workload = NoWork()
        self.pools = PoolMachine(self.context)

    def add(self, wanted: PoolSpec) -> None:
        self.pools.add(wanted, "x", "image", self.now)
        self._commit()

    def live(self, hours: float) -> None:
        """Tasks come and go by chance, nodes come up or not, timers ring a little late; what is due at the end does not
        ring yet."""
        end = self.now + hours * 3600
        while (due := self.context.timers.next()) is not None and due < end:
            self.now = max(self.now, due) + self.chance.random() / 50
            for kind, key in self.context.timers.due(self.now):
                self.pools.ring(kind, key, self.now)
            self.work.now = TaskCounts(self.chance.randrange(9), self.chance.randrange(4))
            for node in tuple(self.context.nodes):
                if node.state is NodeState.CREATING and self.chance.random() < 0.5:
                    booted(self.pools, node, self.now)
                elif node.destroying and self.chance.random() < 0.5:
                    self.pools.nodes.vm_destroyed(node.id, self.now)
            self.pools.settle(self.now)
            self.context.commands.clear()
        self.now = end
        self._commit()

    def resize(self, dedicated: int) -> None:
        self.pools.resize("p", (dedicated, None), NodeDeallocationOption.REQUEUE, self.now)
        self.pools.settle(self.now)
        self._commit()

    def _commit(self) -> None:
        self.journal.commit(self.context.ledger.take())


@contextmanager
def told(folder: Path, seed: int = 0) -> Iterator[Told]:
    journal = open_journal(f"sqlite:///{folder / 'past.db'}")
    try:
        yield Told(journal, seed)
    finally:
        journal.close()


@contextmanager
def kept(journal: Journal, pool_id: str = "p") -> Iterator[Kept]:
    """What the commands read."""
    with records_way(journal) as way:
        yield Kept(Objects(way), pool_id)
