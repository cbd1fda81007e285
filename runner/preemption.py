"""Tasks that make room for those of jobs with a higher priority (Batch REST API: allowTaskPreemption). Pure.

When no node has room for the first task of the queue, tasks of jobs that allow it, and whose priority is lower, go back
to the queue: the lowest priority first, of those the youngest, and no more than it takes. What waits then claims the
node, so that the tasks behind it cannot have what becomes free there; one that has been given back cannot take the
place of what it went for, because its priority is lower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pools import Command, Table

from .commands import RecallExecutions
from .model import Job
from .scheduler import NodeSlots, Placement, Stage
from .task_machine import TaskMachine
from .task_model import Ending, Task

_ROOM = "it made room for a job with a higher priority"
#: Better than all others: priority of the highest that has to go, how many go, how long the youngest has been there.
_Price = tuple[int, int, float]


@dataclass(slots=True)
class _Offer:
    """What a node can give: slots that are or will be free by themselves, and, cheapest first, what could go."""

    free: int
    victims: list[tuple[int, str, Placement]]


class Preemption:
    """For one pass of one pool: what its nodes can give is worked out once."""

    def __init__(
        self, jobs: Table[str, Job], tasks: TaskMachine, say: Callable[[Command], None], pool_id: str, now: float
    ) -> None:
        self._jobs = jobs
        self._tasks = tasks
        self._say = say
        self._now = now
        #: the priorities of jobs whose tasks may have to go
        self._open = {
            job.id: job.spec.priority
            for job in map(jobs.__getitem__, tasks.queue.jobs_at_nodes())
            if job.spec.allow_task_preemption and job.pool_id == pool_id
        }
        self._lowest = min(self._open.values(), default=None)
        self._offers: dict[str, _Offer] = {}

    def claim(self, task: Task, nodes: Iterable[NodeSlots]) -> str | None:
        """Make room for the task at one of the nodes, or see that it comes; the node's id. None: there is no way."""
        priority = self._jobs[task.job_id].spec.priority
        if self._lowest is None or self._lowest >= priority:
            return None
        best: tuple[_Price, NodeSlots, int] | None = None
        for node in nodes:
            needed = node.slots if task.exclusive else task.slots
            price = self._price(self._offer(node), needed, priority)
            if price is not None and (best is None or price < best[0]):
                best = (price, node, needed)
        if best is None:
            return None
        _, node, needed = best
        self._make_room(node, needed)
        return node.node_id

    def claim_several(
        self, task: Task, free: Iterable[NodeSlots], nodes: Iterable[NodeSlots], count: int
    ) -> list[str] | None:
        """Keep the room that there is on the `free` ones, and make room for the task on so many of the others, or see
        that it comes; their ids. None: not on so many."""
        priority = self._jobs[task.job_id].spec.priority
        if self._lowest is None or self._lowest >= priority:
            return None
        prices = [(self._price(self._offer(node), task.slots, priority), node) for node in nodes]
        offers = sorted(((price, node) for price, node in prices if price is not None), key=lambda offer: offer[0])
        if len(offers) < count:
            return None
        for node in free:
            self._offer(node).free -= task.slots
        for _, node in offers[:count]:
            self._make_room(node, task.slots)
        return [node.node_id for _, node in offers[:count]]

    def changed(self, node_id: str) -> None:
        """Something was placed on a node that nobody claims."""
        self._offers.pop(node_id, None)

    def _offer(self, node: NodeSlots) -> _Offer:
        known = self._offers.get(node.node_id)
        if known is not None:
            return known
        free, victims = node.slots, []
        for execution_id, placement in node.placements.items():
            task = self._tasks.tasks[placement.key]
            if placement.stage is Stage.ENDED or placement.going or task.is_ending:
                continue  # its slots are, or will be, free by themselves
            free -= placement.slots
            if task.job_id in self._open:
                victims.append((self._open[task.job_id], execution_id, placement))
        # the lowest priority first, of those the youngest
        victims.sort(key=lambda victim: (victim[0], -victim[2].since, victim[1]))
        offer = self._offers[node.node_id] = _Offer(free, victims)
        return offer

    @staticmethod
    def _price(offer: _Offer, needed: int, priority: int) -> _Price | None:
        """What it takes to have so many slots; None: they cannot be had."""
        free, highest, youngest = offer.free, -(10**6), 0.0
        for count, (own, _, placement) in enumerate(offer.victims):
            if free >= needed:
                return (highest, count, -youngest)
            if own >= priority:
                return None
            free, highest, youngest = free + placement.slots, own, max(youngest, placement.since)
        return (highest, len(offer.victims), -youngest) if free >= needed else None

    def _make_room(self, node: NodeSlots, needed: int) -> None:
        offer = self._offers[node.node_id]
        while offer.free < needed:
            _, execution_id, placement = offer.victims.pop(0)
            offer.free += placement.slots
            placement.going = True
            if placement.stage is Stage.QUEUED:
                self._say(RecallExecutions(node.node_id, (execution_id,)))
            else:
                self._tasks.end(self._tasks.tasks[placement.key], Ending.REQUEUE, self._now, _ROOM)
        offer.free -= needed
