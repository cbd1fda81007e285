"""Which task runs on which node: priority first, then age; task slots per node; a short queue at busy nodes.
Pure.

A node that works off millisecond tasks would idle for a network round trip after each one, so tasks of jobs
whose tasks are known to be short are sent ahead (`AHEAD` seconds of work) and wait at the node. They stay
`active`, and are called back if they wait there for long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from .task_model import TaskKey

#: Seconds of work that may wait at a node; covers the round trip to a node at the other end of the world.
AHEAD = 0.25
#: At most this many tasks wait at a node per slot.
AHEAD_MAX = 64


class Stage(Enum):
    """Where an execution stands on its node."""

    QUEUED = "waits there for a slot"
    HOLDS = "has its slots"
    ENDED = "has ended, its output is being brought in"


@dataclass(slots=True)
class Placement:
    key: TaskKey
    slots: int
    #: when it came to this stage
    since: float
    stage: Stage
    #: another task is to have its slots; it has been asked to go
    going: bool = False


@dataclass(slots=True)
class NodeSlots:
    """What the scheduler knows of a node: by execution id, what is placed there and not yet recorded as
    ended."""

    node_id: str
    pool_id: str
    slots: int
    placements: dict[str, Placement] = field(default_factory=dict)
    used: int = 0
    #: slots that those need which wait there: whatever becomes free is theirs
    queued: int = 0
    #: when it last told of an execution
    heard: float = 0.0
    #: of records there, that have been told
    damages: frozenset[str] = frozenset()
    #: is told whenever slots were taken, or became free
    changed: Callable[[NodeSlots], None] | None = field(default=None, compare=False, repr=False)

    @property
    def free(self) -> int:
        return self.slots - self.used - self.queued

    def place(self, execution_id: str, placement: Placement) -> None:
        self.placements[execution_id] = placement
        self._count(placement, +1)
        if self.changed is not None:
            self.changed(self)

    def move(self, execution_id: str, stage: Stage, now: float) -> None:
        """The execution has come to another stage."""
        placement = self.placements[execution_id]
        if placement.stage is stage:
            placement.since = now
            return
        self._count(placement, -1)
        placement.stage, placement.since = stage, now
        placement.going = False  # what waited has begun before it could be called back
        self._count(placement, +1)
        if self.changed is not None:
            self.changed(self)

    def flowing(self, before: float) -> int:
        """Slots that are free, or were given away after the time `before`: what waits for one may soon have
        it."""
        stuck = (p.slots for p in self.placements.values() if p.stage is Stage.HOLDS and p.since <= before)
        return self.slots - sum(stuck)

    def unplace(self, execution_id: str) -> None:
        placement = self.placements.pop(execution_id, None)
        if placement is not None:
            self._count(placement, -1)
            if self.changed is not None:
                self.changed(self)

    def _count(self, placement: Placement, by: int) -> None:
        if placement.stage is Stage.HOLDS:
            self.used += by * placement.slots
        elif placement.stage is Stage.QUEUED:
            self.queued += by * placement.slots


class Durations:
    """How long the executions of each job last, as far as is known; decides what may be sent ahead."""

    def __init__(self) -> None:
        #: by job: how many, their mean, the shortest
        self._seen: dict[str, tuple[int, float, float]] = {}

    def add(self, job_id: str, seconds: float) -> None:
        count, mean, shortest = self._seen.get(job_id, (0, 0.0, seconds))
        # a long one counts at once, short ones count by and by
        mean = seconds if count == 0 or seconds > AHEAD else mean + 0.2 * (seconds - mean)
        self._seen[job_id] = (count + 1, mean, min(shortest, seconds))

    def ahead(self, job_id: str) -> int:
        """Tasks of the job that may wait at a node per slot."""
        count, mean, _ = self._seen.get(job_id, (0, 0.0, 0.0))
        if count < 4 or mean > AHEAD / 2:
            return 0
        return min(AHEAD_MAX, int(AHEAD / max(mean, 1e-4)))

    def shortest(self, job_id: str) -> float:
        """Seconds; 0: not known."""
        return self._seen.get(job_id, (0, 0.0, 0.0))[2]

    def forget(self, job_id: str) -> None:
        self._seen.pop(job_id, None)


def choose(nodes: list[NodeSlots], needed: int, whole_node: bool, pack: bool) -> NodeSlots | None:
    """The node for a task that needs `needed` slots, or all slots of a node; None if none has room."""
    best: NodeSlots | None = None
    best_free = 0
    for node in nodes:
        free = node.free
        if free < (node.slots if whole_node else needed) or free <= 0:
            continue
        if best is None or (free < best_free if pack else free > best_free):
            best, best_free = node, free
    return best


def choose_several(
    nodes: list[NodeSlots], needed: int, count: int, pack: bool, first: str | None
) -> list[NodeSlots]:
    """The nodes for a task that needs `needed` slots on each of `count` nodes; none if too few have room. `first`: the
    one that is to come first, if it has room."""
    free = [node for node in nodes if node.free >= needed]
    if len(free) < count:
        return []
    free.sort(key=lambda node: (node.node_id != first, node.free if pack else -node.free))
    return free[:count]
