"""The tasks that a formula is searched on, and others that it is checked on: who is good at the first alone has only
learnt them by heart."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, replace

from msgspec import structs

from ...problems import InputError
from ..arrivals import Arranged, Arrivals
from ..scenario_file import LoadedScenario
from ..streams import stream
from ..workloads import arranged
from .measuring import Part


@dataclass(frozen=True, slots=True)
class Parts:
    """`search`, and `check`: of a trace, what comes after `split` seconds of it; else the same scenario with another
    seed. `split` None: there is no such part, or nothing to hold out. `notes`: lines for people."""

    search: Part
    check: Part
    split: float | None = None
    notes: tuple[str, ...] = ()


def parts_of(loaded: LoadedScenario, held_out: float) -> Parts:
    """`held_out`: of a trace, this share of its time is for the check alone. Raises InputError."""
    seed = loaded.spec.seed
    whole = arranged(loaded, stream(seed, "arrivals"))
    other = seed + 1
    if loaded.spec.workload.trace is None:
        seeded = replace(loaded, spec=structs.replace(loaded.spec, seed=other))
        try:
            check = arranged(seeded, stream(other, "arrivals"))
        except InputError:  # no task arrives with that seed
            check = whole
        return Parts(Part(whole, seed), Part(check, other), None, whole.notes)
    split = whole.arrivals.horizon * (1 - held_out)
    first = bisect_left(whole.arrivals.times, split)
    if held_out == 0 or not 0 < first < len(whole.arrivals):
        notes = () if held_out == 0 else ("all tasks of the trace come at one time, and none can be held out",)
        return Parts(Part(whole, seed), Part(whole, other), None, (*whole.notes, *notes))
    search, check = _between(whole, 0.0, split), _between(whole, split, whole.arrivals.horizon)
    return Parts(Part(search, seed), Part(check, other), split, whole.notes)


def _between(whole: Arranged, start: float, end: float) -> Arranged:
    """The tasks from `start` (seconds) on and before `end`, or until the last one if it is the workload's end."""
    arrivals = whole.arrivals
    first = bisect_left(arrivals.times, start)
    last = len(arrivals) if end >= arrivals.horizon else bisect_left(arrivals.times, end)
    times = array("d", (time - start for time in arrivals.times[first:last]))
    part = Arrivals(times, arrivals.durations[first:last], arrivals.slots[first:last], end - start)
    return Arranged(part, whole.start + start)
