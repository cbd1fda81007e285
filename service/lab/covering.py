"""The cheapest nodes that cover a demand where a VM costs a minimum that is longer than its boot. Then levels of demand
are not independent: of two nodes one of which can go, the one should whose minimum is used up.

A node that is there from `s` to `e` costs `minimum + max(0, e - s - free)`, where `free = minimum - boot`: it is new
for as long as the minimum pays, then old. Which to start and to keep is a flow of least cost through two lanes of time:

    off   ──────────▶ off          as far as there are more nodes than are needed; backwards freely (a node too many)
     │ minimum          ▲ 0
     ▼ (`free` later)   │
    old   ──────────▶ old          the seconds between

Nodes begin only where demand rises: an earlier begin pays for nothing, and one in place of a node that goes at that
moment is dearer than to keep that. A stretch of demand is a unit from its begin to its end on the lane off, and the
stretches are put through one after another, each by its shortest way (Ahuja, Magnanti, Orlin, "Network Flows", 9.7).
"""

from __future__ import annotations

import heapq
import sys
from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import fsum, inf

from .demand import Demand

#: Steps of the search for ways: 4 to 8 s, enough for some 1500 stretches. Past them what is told is still a bound.
MOST_STEPS = 1_000_000
#: Of more stretches than this no search would come to much.
MOST_STRETCHES = 3_000


@dataclass(frozen=True, slots=True)
class Cover:
    """`node_seconds`: that are paid for; `nodes`: VMs asked for. Not `exact`: the least is as much or more."""

    node_seconds: float
    nodes: int
    exact: bool


def cheapest_cover(demand: Demand, boot: float, minimum: float, most_steps: int = MOST_STEPS) -> Cover:
    """`boot`, `minimum`: seconds, the boot being the shorter. If the steps run out, the prices found by then still say
    what the demand costs at least (weak duality), as does the cost without a minimum."""
    stretches = stretches_of(demand, boot)
    without_minimum = fsum(count * (end - begin + boot) for (begin, end), count in stretches.items())
    nodes = stretches.total()
    if len(stretches) > MOST_STRETCHES:
        return Cover(without_minimum, nodes, False)
    lanes = _Lanes.for_stretches(stretches, boot, minimum)
    # the longest first: they set the prices by which the searches for the others stay short
    for (begin, end), count in sorted(stretches.items(), key=lambda one: one[0][0] - one[0][1]):
        if not lanes.put(begin, end, count, most_steps):
            tolls = fsum(count * lanes.toll(*stretch) for stretch, count in stretches.items())
            return Cover(max(tolls, without_minimum), nodes, False)
    return Cover(lanes.paid(), sum(lanes.started), True)


def stretches_of(demand: Demand, boot: float) -> Counter[tuple[float, float]]:
    """From when until when each level is needed: how often there is such a stretch. A gap that is no longer than a boot
    counts as needed: to keep a node over it is never dearer."""
    found: Counter[tuple[float, float]] = Counter()
    begun: list[float] = []
    ended: list[float] = []
    level = 0
    for now, needed in zip(demand.times, demand.nodes, strict=True):
        while level < needed:
            if level == len(begun):
                begun.append(now)
                ended.append(now)
            elif now - ended[level] > boot:
                found[begun[level], ended[level]] += 1
                begun[level] = now
            level += 1
        while level > needed:
            level -= 1
            ended[level] = now
    found.update(zip(begun, ended, strict=True))
    return found


@dataclass(slots=True)
class _Lanes:
    """The two lanes over the moments `times`: place 2i is off at moment i, 2i + 1 is old there. `price[place]` rises
    along every way that is open by no more than the way costs: what a stretch costs at least is their difference."""

    times: list[float]
    minimum: float
    #: of a node that begins at moment i: the moment at which it is old; -1: none begins there
    old_at: list[int]
    #: the moments at which those begin that are old at i
    begun_at: dict[int, list[int]]
    price: array[float]
    #: nodes that begin at moment i, that are old from i to i + 1, that go at i, and that are too many from i to i + 1
    started: list[int]
    old: list[int]
    gone: list[int]
    spare: list[int]
    steps: int = 0
    place: dict[float, int] = field(default_factory=dict)

    @classmethod
    def for_stretches(cls, stretches: Counter[tuple[float, float]], boot: float, minimum: float) -> _Lanes:
        free = minimum - boot
        begins = {begin for begin, _ in stretches}
        times = sorted(begins | {end for _, end in stretches} | {begin + free for begin in begins})
        place = {time: i for i, time in enumerate(times)}
        old_at = [-1] * len(times)
        begun_at: dict[int, list[int]] = {}
        for begin in begins:
            i, j = place[begin], place[begin + free]
            old_at[i] = j
            begun_at.setdefault(j, []).append(i)
        # half of a node's price: then neither lane is free of charge, and a search stays near its stretch
        price = array("d", [time / 2 for time in times for _ in range(2)])
        none = [0] * len(times)
        return cls(times, minimum, old_at, begun_at, price, none, none[:], none[:], none[:], place=place)

    def toll(self, begin: float, end: float) -> float:
        return self.price[2 * self.place[end]] - self.price[2 * self.place[begin]]

    def paid(self) -> float:
        times, old = self.times, self.old
        kept = fsum((times[i + 1] - times[i]) * old[i] for i in range(len(times) - 1))
        return kept + self.minimum * sum(self.started)

    def put(self, begin: float, end: float, count: int, most_steps: int) -> bool:
        """Cover `count` stretches more. False: that took more steps than there may be, and they are not covered."""
        first, last = 2 * self.place[begin], 2 * self.place[end]
        while count:
            came_from = self._search(first, last, most_steps)
            if came_from is None:
                return False
            way = [last]
            while way[-1] != first:
                way.append(came_from[way[-1]])
            way.reverse()
            pairs = list(pairwise(way))
            units = min(count, *(self._room(a, b) for a, b in pairs))
            for a, b in pairs:
                self._move(a, b, units)
            count -= units
        return True

    def _search(self, first: int, last: int, most_steps: int) -> dict[int, int] | None:
        """The cheapest way between two places: of each place on it the one before. Prices are adjusted."""
        price = self.price
        far = {first: 0.0}
        came_from: dict[int, int] = {}
        settled: list[int] = []
        seen: set[int] = set()
        queue = [(0.0, first)]
        while queue:
            distance, here = heapq.heappop(queue)
            if here in seen:
                continue
            if distance >= far.get(last, inf):
                for place in settled:
                    price[place] += far[place] - far[last]
                return came_from
            self.steps += 1
            if self.steps > most_steps:
                return None
            seen.add(here)
            settled.append(here)
            for there, seconds in self._open(here):
                # never less than nothing, but for rounding
                way = distance + max(0.0, seconds + price[here] - price[there])
                if way < far.get(there, inf):
                    far[there] = way
                    came_from[there] = here
                    heapq.heappush(queue, (way, there))
        raise AssertionError(f"no way from place {first} to {last}")

    def _open(self, place: int) -> list[tuple[int, float]]:
        """Where one can go from a place, and what that costs."""
        i, is_old = divmod(place, 2)
        times = self.times
        ways: list[tuple[int, float]] = []
        if is_old:
            ways.append((place - 1, 0.0))
            if i + 1 < len(times):
                ways.append((place + 2, times[i + 1] - times[i]))
            if i and self.old[i - 1]:
                ways.append((place - 2, times[i - 1] - times[i]))
            ways.extend((2 * begin, -self.minimum) for begin in self.begun_at.get(i, ()) if self.started[begin])
            return ways
        if i:
            ways.append((place - 2, 0.0))
        if self.spare[i]:
            ways.append((place + 2, 0.0))
        if self.gone[i]:
            ways.append((place + 1, 0.0))
        if self.old_at[i] >= 0:
            ways.append((2 * self.old_at[i] + 1, self.minimum))
        return ways

    def _room(self, here: int, there: int) -> int:
        """How many units can go that way."""
        counts, at, sign = self._lane(here, there)
        return counts[at] if sign < 0 else sys.maxsize

    def _move(self, here: int, there: int, units: int) -> None:
        counts, at, sign = self._lane(here, there)
        counts[at] += sign * units

    def _lane(self, here: int, there: int) -> tuple[list[int], int, int]:
        """Which of the counts a unit on that way changes, at which moment, and whether it is one more or one less."""
        i, is_old = divmod(here, 2)
        j, old_there = divmod(there, 2)
        if is_old and old_there:
            return (self.old, i, 1) if j > i else (self.old, j, -1)
        if not is_old and not old_there:
            return (self.spare, i, -1) if j > i else (self.spare, j, 1)
        if is_old:
            return (self.gone, i, 1) if i == j else (self.started, j, -1)
        return (self.gone, i, -1) if i == j else (self.started, i, 1)
