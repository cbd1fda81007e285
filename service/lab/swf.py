"""Logs in the Standard Workload Format, as the Parallel Workloads Archive keeps them.

Format (version 2.2): https://www.cs.huji.ac.il/labs/parallel/workload/swf.html. Comments begin with `;`, those at the
head as `; Name: value`. A line is a job: up to 18 fields parted by blanks, -1 where something is not known. Old logs
have fewer fields, others more. Lines of status 2, 3 and 4 are parts of a job between two swaps; the line before them
(status 0 or 1) has the whole of it, and alone counts. A byte order mark at the beginning counts for nothing.
"""

from __future__ import annotations

import codecs
import re
from array import array
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from .arrivals import MOST_TASKS
from .distributions import LONGEST
from .trace_file import LAST_INSTANT, TracedTasks, TraceError, counted

_HEAD = re.compile(rb"[;\s]*(\w+)\s*:\s*(.*)")
#: Fields that a job has at least: its run time is the fourth.
_LEAST_FIELDS = 4
_PARTS = frozenset((b"2", b"3", b"4"))
#: Those that are read: their names, and what they stay below.
_READ = {
    1: ("submit time", LAST_INSTANT),
    3: ("run time", LONGEST),
    4: ("allocated processors", 2**31),
    7: ("requested processors", 2**31),
}

NOT_SUBMITTED = "no submit time is known"
NO_RUN_TIME = "no run time is known, as of jobs that were cancelled before they ran"
DID_NOT_RUN = "the run time is 0"
PART = "they are parts of jobs that are counted as a whole"


class SwfLog(NamedTuple):
    """Jobs that ran: columns of the same length, in the order of the file. `head`: comments by name; `left_out`: jobs
    by the reason why they count for nothing."""

    submits: array[float]
    runs: array[float]
    processors: array[int]
    head: Mapping[str, str]
    left_out: Mapping[str, int]

    @property
    def began(self) -> float | None:
        """The Instant of submit time 0, if the head says so."""
        try:
            found = float(self.head.get("UnixStartTime", "").split()[0])
        except (IndexError, ValueError):
            return None
        return found if 0 < found < LAST_INSTANT else None


def read_swf(data: bytes) -> SwfLog:
    """Raises TraceError."""
    submits, runs, processors = array("d"), array("d"), array("i")
    head: dict[str, str] = {}
    left_out: Counter[str] = Counter()
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).splitlines(), 1):
        fields = line.split(None, 11)
        if not fields:
            continue
        if fields[0][:1] == b";":
            _comment(line, head)
            continue
        if len(fields) < _LEAST_FIELDS:
            raise TraceError(number, f"has {len(fields)} fields; a job of SWF has 18, and its run time is the fourth")
        try:
            submit, run = float(fields[1]), float(fields[3])
            width = _processors(fields)
        except (ValueError, OverflowError):
            raise _fault(number, fields) from None
        if not (submit < LAST_INSTANT and run < LONGEST):
            raise _fault(number, fields)
        if len(fields) > 10 and fields[10] in _PARTS:
            left_out[PART] += 1
        elif submit < 0:
            left_out[NOT_SUBMITTED] += 1
        elif run <= 0:
            left_out[NO_RUN_TIME if run else DID_NOT_RUN] += 1
        else:
            submits.append(submit)
            runs.append(run)
            processors.append(width)
    return SwfLog(submits, runs, processors, head, left_out)


def swf_tasks(log: SwfLog, each_processor: bool = False, most: int | None = None) -> TracedTasks:
    """A job as one task, or as one for each of its processors, but at most `most`. Raises TraceError."""
    notes = counted(log.left_out, "job")
    if not each_processor:
        return TracedTasks(log.submits, log.runs, array("i", [1]) * len(log.runs), log.began, notes)
    counts = log.processors if most is None else array("i", (min(most, count) for count in log.processors))
    tasks = sum(counts)
    if tasks > MOST_TASKS:
        text = f"would be {tasks} tasks, and a workload has at most {MOST_TASKS}; give mostPerJob, or unit: task"
        raise TraceError(0, text)
    cut = sum(map(int.__lt__, counts, log.processors))
    if cut:
        notes += (f"{cut} job{'' if cut == 1 else 's'} of more than {most} processors became {most} tasks each",)
    times, durations = array("d"), array("d")
    for submit, run, count in zip(log.submits, log.runs, counts, strict=True):
        if count == 1:
            times.append(submit)
            durations.append(run)
        else:
            times.extend([submit] * count)
            durations.extend([run] * count)
    return TracedTasks(times, durations, array("i", [1]) * tasks, log.began, notes)


def _processors(fields: list[bytes]) -> int:
    """Those that were allocated, else those that were asked for, else 1."""
    count = float(fields[4]) if len(fields) > 4 else -1.0
    if count <= 0 and len(fields) > 7:
        count = float(fields[7])
    return int(count) if 1 <= count < 2**31 else _one(count)


def _one(count: float) -> int:
    if count != count or count >= 2**31:
        raise ValueError(count)
    return 1


def _fault(number: int, fields: list[bytes]) -> TraceError:
    """Which field of a line is no number, or no time that can be."""
    for at, (name, limit) in _READ.items():
        text = fields[at] if at < len(fields) else b"-1"
        try:
            if float(text) < limit:
                continue
        except ValueError:
            pass
        shown = text[:40].decode("utf-8", "replace")
        return TraceError(number, f"field {at + 1}, the {name}, is {shown!r}; it must be a number that can be, or -1")
    raise AssertionError("every field is right")


def _comment(line: bytes, head: dict[str, str]) -> None:
    """Of the same name, the first one counts. Names of people are in any encoding."""
    found = _HEAD.match(line)
    if found is not None:
        head.setdefault(found[1].decode("ascii", "replace"), found[2].decode("utf-8", "replace").strip())
