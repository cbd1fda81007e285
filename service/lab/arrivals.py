"""The tasks of a workload, as they arrive: what every part of the lab reads."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import le

#: Tasks of one workload at most: 16 bytes each, and seconds of simulation for every hundred thousand.
MOST_TASKS = 10_000_000
#: No task takes less (seconds): one that takes nothing would need nothing.
SHORTEST = 0.001


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Tasks in the order of their arrival: columns of the same length."""

    #: seconds since the start of the scenario, ascending
    times: array[float]
    #: seconds that the task takes on a node, > 0
    durations: array[float]
    #: task slots that it takes, from 1 to those of a node
    slots: array[int]
    #: seconds until the workload's end: the length that was asked for, else the last arrival
    horizon: float

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Arranged:
    """A workload that can be simulated. `start`: the Instant that the scenario's seconds are counted from; `notes`:
    lines for people, on what became of a trace."""

    arrivals: Arrivals
    start: float
    notes: tuple[str, ...] = ()


def arrivals_of(
    times: Sequence[float], durations: Iterable[float], slots: Iterable[int], horizon: float | None = None
) -> Arrivals:
    """From columns in any order of time; tasks of one moment keep theirs. `horizon` None: the last arrival."""
    columns = (array("d", times), array("d", durations), array("i", slots))
    if not ascending(columns[0]):
        order = sorted(range(len(times)), key=times.__getitem__)
        columns = (
            array("d", map(columns[0].__getitem__, order)),
            array("d", map(columns[1].__getitem__, order)),
            array("i", map(columns[2].__getitem__, order)),
        )
    last = columns[0][-1] if columns[0] else 0.0
    return Arrivals(*columns, last if horizon is None else horizon)


def ascending(times: Sequence[float]) -> bool:
    return all(map(le, times, times[1:]))
