"""The same trace as others would simulate it: a textbook's loop over a heap of events, a tight one, and SimPy.

A formula by hand, first come first served, nodes without names; no records, no commands, no journal, no reasons.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from heapq import heappop, heappush
from importlib import import_module
from typing import Any

EVERY, PERIOD, DELAY = 300.0, 30.0, 60.0
_ARRIVAL, _END, _BOOTED, _SAMPLE, _EVALUATION = range(5)


def textbook(
    times: Sequence[float], durations: Sequence[float], boot: float, most: int, tight: bool = False
) -> tuple[int, float]:
    """How many events there were, and how long all tasks waited together. All arrivals are in the heap from the
    beginning; `tight`: the next one alone, so that it stays small."""
    ahead = 1 if tight else len(times)
    heap: list[tuple[float, int, int]] = [(0.0, _SAMPLE, 0), (0.0, _EVALUATION, 0)]
    for first in range(ahead):
        heappush(heap, (times[first], _ARRIVAL, first))
    queue: deque[int] = deque()
    seen: deque[tuple[float, int]] = deque()
    samples = [0]
    idle = running = booting = done = events = 0
    target = 0
    waited = 0.0
    while done < len(times):
        now, kind, number = heappop(heap)
        events += 1
        if kind == _ARRIVAL:
            queue.append(number)
            if number + ahead < len(times):
                heappush(heap, (times[number + ahead], _ARRIVAL, number + ahead))
        elif kind == _END:
            running -= 1
            done += 1
            if running + idle + booting < target:
                idle += 1
        elif kind == _BOOTED:
            booting -= 1
            idle += 1
        elif kind == _SAMPLE:
            seen.append((now, len(queue) + running))
            while seen and seen[0][0] <= now - DELAY:
                samples.append(seen.popleft()[1])
            heappush(heap, (now + PERIOD, _SAMPLE, 0))
        else:
            target = min(most, samples[-1])
            idle -= max(0, min(idle, running + idle + booting - target))
            for _ in range(target - running - idle - booting):
                booting += 1
                heappush(heap, (now + boot, _BOOTED, 0))
            heappush(heap, (now + EVERY, _EVALUATION, 0))
        while queue and idle:
            first = queue.popleft()
            idle -= 1
            running += 1
            waited += now - times[first]
            heappush(heap, (now + durations[first], _END, first))
    return events, waited


class InSimPy:
    """Tasks, boots, samples and the formula as processes; idle nodes in a store."""

    def __init__(self, times: Sequence[float], durations: Sequence[float], boot: float, most: int) -> None:
        simpy: Any = import_module("simpy")
        self._env = simpy.Environment()
        self._idle = simpy.Store(self._env)
        self._times, self._durations, self._boot, self._most = times, durations, boot, most
        self._pending = self._present = self._target = self._left = 0
        self._samples = [0, 0, 0]
        self._done = self._env.event()

    def run(self) -> int:
        """How many tasks have ended."""
        self._left = len(self._times)
        self._env.process(self._arrivals())
        self._env.process(self._sampling())
        self._env.process(self._formula())
        self._env.run(until=self._done)
        return len(self._times) - self._left

    def _arrivals(self) -> Generator[Any, Any, None]:
        for time, duration in zip(self._times, self._durations, strict=True):
            yield self._env.timeout(time - self._env.now)
            self._pending += 1
            self._env.process(self._task(duration))

    def _task(self, duration: float) -> Generator[Any, Any, None]:
        yield self._idle.get()
        yield self._env.timeout(duration)
        self._pending -= 1
        self._left -= 1
        if self._present > self._target:
            self._present -= 1
        else:
            self._idle.put(None)
        if not self._left:
            self._done.succeed()

    def _booting(self) -> Generator[Any, Any, None]:
        yield self._env.timeout(self._boot)
        self._idle.put(None)

    def _sampling(self) -> Generator[Any, Any, None]:
        while True:
            self._samples.append(self._pending)
            yield self._env.timeout(PERIOD)

    def _formula(self) -> Generator[Any, Any, None]:
        while True:
            self._target = min(self._most, self._samples[-1 - int(DELAY / PERIOD)])
            for _ in range(self._target - self._present):
                self._present += 1
                self._env.process(self._booting())
            while self._present > self._target and self._idle.items:
                self._idle.items.pop()
                self._present -= 1
            yield self._env.timeout(EVERY)
