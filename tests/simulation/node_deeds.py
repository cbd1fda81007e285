"""What the fault test asks of nodes: reboots, reimages, scheduling off and on, and to leave their pools, or to stay."""

from __future__ import annotations

import random
from functools import partial

from pools import Node, NodeDeallocationOption
from runner import (
    DisableScheduling,
    EnableScheduling,
    Event,
    RebootNode,
    ReimageNode,
    RemoveNodes,
    ResizePool,
    StopResize,
)
from runner.simulation import Request, Simulation

from .chaos import RandomFaults

_OPTIONS = tuple(NodeDeallocationOption)
_OFF = tuple(option for option in _OPTIONS if option is not NodeDeallocationOption.RETAINED_DATA)
#: How a pool without a formula is brought back to its size after nodes were taken out.
_SIZE = {"fixed": (1, 1)}


class Operator:
    """Somebody who cannot let the nodes alone, until the faults end."""

    def __init__(self, sim: Simulation, faults: RandomFaults, seed: int) -> None:
        self._sim = sim
        self._faults = faults
        #: its own, so that the rest of a story is as it is without it
        self._rng = random.Random(seed + 4_000_000)
        self._every = self._rng.choice((5.0, 20.0, 80.0))
        self.asked: list[Request] = []
        sim.at(sim.now + self._every, self._ask)

    def _ask(self, now: float) -> None:
        nodes: list[Node] = sorted(self._sim.journal.table("nodes").values(), key=lambda node: node.id)
        if self._faults.calm:
            for node in nodes:
                self._request(EnableScheduling(node.pool_id, node.id))
            for pool_id, size in _SIZE.items():
                self._request(ResizePool(pool_id, *size))
            if any(not node.scheduling_enabled for node in nodes):
                self._sim.at(now + 20.0, self._ask)
            return
        if nodes:
            self._deed(self._rng.choice(nodes), now)
        self._sim.at(now + self._every * self._rng.uniform(0.2, 2.0), self._ask)

    def _deed(self, node: Node, now: float) -> None:
        rng, names = self._rng, (node.pool_id, node.id)
        deed = rng.choice(("reboot", "reboot", "reimage", "disable", "remove"))
        if deed == "reboot":
            self._request(RebootNode(*names, rng.choice(_OPTIONS)))
        elif deed == "reimage":
            self._request(ReimageNode(*names, rng.choice(_OPTIONS)))
        elif deed == "disable":
            self._request(DisableScheduling(*names, rng.choice(_OFF)))
            self._sim.at(now + rng.uniform(1, 90), partial(self._later, EnableScheduling(*names)))
        elif node.pool_id in ("fixed", "ebbing"):  # the pool of a job would not grow again
            self._request(RemoveNodes(node.pool_id, (node.id,), rng.choice(_OPTIONS)))
            self._sim.at(now + rng.uniform(0, 30), partial(self._unless_calm, StopResize(node.pool_id)))
            if node.pool_id in _SIZE:
                size = _SIZE[node.pool_id]
                self._sim.at(now + rng.uniform(1, 60), partial(self._later, ResizePool(node.pool_id, *size)))

    def _unless_calm(self, event: Event, now: float) -> None:
        if not self._faults.calm:  # in the end all nodes are wanted again
            self._request(event)

    def _later(self, event: Event, now: float) -> None:
        self._request(event)

    def _request(self, event: Event) -> None:
        self.asked.append(self._sim.request(event))
