"""From what a scenario says of its workload to the tasks as they arrive."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from datetime import timedelta
from pathlib import Path
from random import Random

from ..iso8601 import format_duration
from ..problems import InputError, Place, Problem
from .arrivals import MOST_TASKS, SHORTEST, Arranged, Arrivals, arrivals_of, ascending
from .csv_trace import csv_tasks
from .generators import generated
from .recurring import TooManyTasks, recurring
from .scenario import NO_DATE, Trace
from .scenario_file import LoadedScenario
from .swf import read_swf, swf_tasks
from .trace_file import FIRST_INSTANT, TracedTasks, TraceError, read_bytes

_ENDINGS = {".swf": "swf", ".csv": "csv", ".tsv": "csv"}


def arranged(loaded: LoadedScenario, random: Random) -> Arranged:
    """The workload of a scenario; the trace that it may name is read here. Raises InputError."""
    spec = loaded.spec
    start = None if spec.start is None else spec.start.timestamp()
    workload, slots = spec.workload, spec.world.task_slots_per_node
    if workload.trace is not None:
        found = _traced(loaded, workload.trace, slots)
        return found if start is None else Arranged(found.arrivals, start, found.notes)
    start = NO_DATE if start is None else start
    try:
        if workload.generate is not None:
            arrivals = generated(workload.generate, start, slots, random)
        else:
            assert workload.recurring is not None
            arrivals = recurring(workload.recurring, start, slots, random, MOST_TASKS)
    except TooManyTasks as exc:
        raise _refused(loaded, f"{exc}; let it recur less often, or for a shorter time") from None
    if not arrivals:
        raise _refused(loaded, "no task arrives; raise how often they do, or for how long, or try another seed")
    return Arranged(arrivals, start)


def _refused(loaded: LoadedScenario, text: str) -> InputError:
    return InputError(str(loaded.path), [Problem(Place(), "workload", text)])


def _traced(loaded: LoadedScenario, trace: Trace, slots: int) -> Arranged:
    path = loaded.base / trace.file
    try:
        tasks = _read(trace, path, slots)
        if not tasks.times:
            raise TraceError(0, "; ".join(("holds no task that can be simulated", *tasks.notes)))
        return _window(trace, tasks)
    except TraceError as exc:
        fault = exc.of(str(path))
        if exc.place.line:
            raise fault from None
        # Of the whole file: to be mended where it is named, perhaps.
        problem = Problem(loaded.trace_place or Place(), "workload.trace.file", str(fault))
        raise InputError(str(loaded.path), [problem]) from None


def _read(trace: Trace, path: Path, slots: int) -> TracedTasks:
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    form = trace.format or _ENDINGS.get(plain.suffix.lower())
    if form is None:
        raise TraceError(0, "its name does not end in .swf or .csv; say in the trace's format what it is")
    data = read_bytes(path)
    if form == "swf":
        return swf_tasks(read_swf(data), trace.unit == "processor", trace.most_per_job)
    if trace.unit == "processor":
        raise TraceError(0, "unit: processor is for SWF; in CSV each row is a task, and may have slots")
    return csv_tasks(data, slots)


def _window(trace: Trace, tasks: TracedTasks) -> Arranged:
    """The part that was asked for, from its beginning on, at the speed that was asked for."""
    notes = tasks.notes
    if not ascending(tasks.times):
        notes += ("the lines were not in the order of time, and have been sorted",)
    whole = arrivals_of(tasks.times, tasks.durations, tasks.slots)
    if whole.times[-1] - whole.times[0] >= FIRST_INSTANT:
        raise TraceError(0, "some times are seconds since the beginning, others since the epoch; write all alike")
    zero, began = 0.0, tasks.began
    if whole.times[0] >= FIRST_INSTANT:
        zero = began = whole.times[0]
    after = trace.after.total_seconds()
    length = None if trace.length is None else trace.length.total_seconds()
    first = bisect_left(whole.times, zero + after)
    last = len(whole) if length is None else bisect_left(whole.times, zero + after + length)
    if first == last:
        end = format_duration(timedelta(seconds=round(whole.times[-1] - zero)))
        raise TraceError(0, f"no task arrives in the part that was asked for; the last one comes {end} after the start")
    shift, speed = zero + after, trace.speed
    arrivals = Arrivals(
        array("d", ((time - shift) / speed for time in whole.times[first:last])),
        array("d", (max(SHORTEST, duration) for duration in whole.durations[first:last])),
        whole.slots[first:last],
        (whole.times[last - 1] - shift if length is None else length) / speed,
    )
    return Arranged(arrivals, NO_DATE if began is None else began + after, notes)
