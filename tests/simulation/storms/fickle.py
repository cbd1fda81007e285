"""Somebody who asks for a thing and takes it back at once: now and then, and as a node is connected, before that is
heard."""

from __future__ import annotations

from pools import Node, NodeDeallocationOption
from runner import DisableJob, DisableScheduling, EnableJob, EnableScheduling, Event
from runner.simulation import Request

from .driver import StormSimulation
from .faults import StormFaults

#: What has begun may go on, most of the time: only then the node is asked.
_OFF = tuple(getattr(NodeDeallocationOption, name) for name in ("REQUEUE", "TERMINATE", *("TASK_COMPLETION",) * 2))
_HOW = ("requeue", "wait", "wait")


class Fickle:
    def __init__(self, sim: StormSimulation, faults: StormFaults) -> None:
        self._sim = sim
        self._faults = faults
        self._rng = faults.chances.stream("fickle")
        self._every = self._rng.choice((10.0, 40.0, 160.0))
        self._chance = self._rng.choice((0.0, 0.3, 1.0))
        self._disabled: set[str] = set()
        self.asked: list[Request] = []
        sim.effects.on_open.append(self._is_connected)
        sim.at(sim.now + self._every, self._now_and_then)

    def _now_and_then(self, now: float) -> None:
        if self._faults.calm:
            for job_id in sorted(self._disabled):  # a request that was not answered may have come after the next one
                self._request(EnableJob(job_id))
            return
        nodes = list(self._sim.journal.table("nodes").values())
        if nodes:
            self._about(self._rng.choice(nodes), 1.0)
        self._sim.at(now + self._every * self._rng.uniform(0.2, 2.0), self._now_and_then)

    def _is_connected(self, node_id: str) -> None:
        node = self._sim.journal.table("nodes").get(node_id)
        if node is not None:
            self._about(node, self._chance)

    def _about(self, node: Node, chance: float) -> None:
        there = sorted({key[0] for key, task in self._sim.journal.table("tasks").items() if task.node_id == node.id})
        if there and self._rng.random() < 0.5:
            job_id = self._rng.choice(there)
            self._both(chance, DisableJob(job_id, self._rng.choice(_HOW)), EnableJob(job_id))
        else:
            names = node.pool_id, node.id
            self._both(chance, DisableScheduling(*names, self._rng.choice(_OFF)), EnableScheduling(*names))

    def _both(self, chance: float, event: Event, opposite: Event) -> None:
        if self._faults.strikes(f"fickle/{type(event).__name__}", chance, event):
            if isinstance(event, DisableJob):
                self._disabled.add(event.job_id)
            self._request(event)
            self._request(opposite)

    def _request(self, event: Event) -> None:
        self.asked.append(self._sim.request(event))
