"""What the tables cannot say: notes, and examples with their values on one small history. Tests run every example.

The history: a sample of $PendingTasks every 30 seconds for 10 minutes, newest first 4, 6, 2 and 17 times 0, and none of
$ActiveTasks in the newest 5 minutes; it is Monday 2026-03-02, 14:30:00 UTC; the pool has 3 dedicated and 2
low-priority nodes with 4 task slots each.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..samples import PoolValues, Samples, TimeSeries
from .entry import Example

NOW = 1772461800.0  # 2026-03-02T14:30:00Z
_PERIOD = 30.0
_PENDING = (4.0, 6.0, 2.0) + (0.0,) * 17  # newest first


def example_samples() -> Samples:
    """The history on which the values of the examples stand."""
    pending = [(NOW - _PERIOD * index, value) for index, value in enumerate(_PENDING)]
    active = [(NOW - _PERIOD * index, 1.0) for index in range(10, 20)]
    return Samples(
        period=_PERIOD,
        series={"$PendingTasks": TimeSeries(reversed(pending)), "$ActiveTasks": TimeSeries(reversed(active))},
        pool=PoolValues(3, 2, 3, 2, usable=5, task_slots_per_node=4),
    )


def _examples(*pairs: tuple[str, str]) -> tuple[Example, ...]:
    return tuple(Example(expression, value) for expression, value in pairs)


EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "$TargetDedicatedNodes": _examples(("$TargetDedicatedNodes + 1", "4")),
    "$TargetLowPriorityNodes": _examples(("$TargetLowPriorityNodes + 1", "3")),
    "$CurrentDedicatedNodes": _examples(("$CurrentDedicatedNodes + $CurrentLowPriorityNodes", "5")),
    "$PendingTasks": _examples(
        ("max($PendingTasks.GetSample(5 * TimeInterval_Minute, 1))", "6"),
        ("ceil(avg($PendingTasks.GetSample(5 * TimeInterval_Minute)))", "2"),
    ),
    "$TaskSlotsPerNode": _examples(("ceil(max($PendingTasks.GetSample(1)) / $TaskSlotsPerNode)", "1")),
    "GetSample": _examples(
        ("$PendingTasks.GetSample(3)", "[4,6,2]"),
        ("$PendingTasks.GetSample(TimeInterval_Minute)", "[4,6]"),
        ("len($PendingTasks.GetSample(TimeInterval_Minute, 6 * TimeInterval_Minute))", "10"),
        ("len($ActiveTasks.GetSample(10 * TimeInterval_Minute, 30))", "10"),
    ),
    "GetSamplePercent": _examples(
        ("$PendingTasks.GetSamplePercent(3 * TimeInterval_Minute)", "100"),
        ("$ActiveTasks.GetSamplePercent(3 * TimeInterval_Minute)", "0"),
        ("$ActiveTasks.GetSamplePercent(10 * TimeInterval_Minute)", "50"),
    ),
    "GetSamplePeriod": _examples(("$PendingTasks.GetSamplePeriod()", "00:00:30")),
    "Count": _examples(("$PendingTasks.Count()", "20")),
    "HistoryBeginTime": _examples(("$PendingTasks.HistoryBeginTime()", "2026-03-02T14:20:30.000Z")),
    "avg": _examples(("avg(1, 2, 6)", "3"), ("avg($PendingTasks.GetSample(3), 0)", "3")),
    "ceil": _examples(("ceil(0.5)", "1"), ("ceil(vec(0.2, 1))", "[1,1]")),
    "floor": _examples(("floor(2.9)", "2")),
    "round": _examples(("round(2.5)", "3"), ("round(-2.5)", "-3")),
    "len": _examples(("len($PendingTasks.GetSample(3))", "3"), ("len()", "0")),
    "lg": _examples(("lg(8)", "3")),
    "ln": _examples(("ln(1)", "0")),
    "log": _examples(("log(1000)", "3"), ("log(vec(1, 10))", "[0,1]")),
    "max": _examples(("max(0, $PendingTasks.GetSample(3))", "6"), ("max(2, 5, 3)", "5")),
    "min": _examples(("min(25, max($PendingTasks.GetSample(3)))", "6")),
    "norm": _examples(("norm(3, 4)", "5")),
    "percentile": _examples(("percentile($PendingTasks.GetSample(10), 90)", "4")),
    "range": _examples(("range($PendingTasks.GetSample(3))", "4")),
    "std": _examples(("std(1, 2, 3)", "1")),
    "sum": _examples(("sum($PendingTasks.GetSample(3))", "12"), ("sum()", "0")),
    "time": _examples(
        ("time()", "2026-03-02T14:30:00.000Z"),
        ('time("2026-03-01")', "2026-03-01T00:00:00.000Z"),
        ("time() - 90 * TimeInterval_Minute", "2026-03-02T13:00:00.000Z"),
    ),
    "val": _examples(("val($PendingTasks.GetSample(3), 1)", "6")),
    "vec": _examples(("vec(1, $PendingTasks.GetSample(2))", "[1,4,6]"), ("vec(1, 2) * 3", "[3,6]")),
    "year": _examples(("time().year", "2026")),
    "month": _examples(("time().month", "3")),
    "day": _examples(("time().day", "2")),
    "weekday": _examples(("time().weekday", "1"), ('time("2026-03-01").weekday', "0")),
    "hour": _examples(("time().hour", "14"), ("(time() - 5 * TimeInterval_Hour).hour", "9")),
    "minute": _examples(("time().minute", "30")),
    "second": _examples(("time().second", "0")),
    "? :": _examples(("3 > 2 ? 10 : 0", "10"), ("0 ? 1 / 0 : 7", "7")),
    "&&": _examples(("1 && 0", "0"), ("0 && 1 / 0", "0")),
    "||": _examples(("2 || 0", "1")),
    "!": _examples(("!0", "1")),
    "+": _examples(("1 + 2", "3"), ("TimeInterval_Hour + TimeInterval_Minute", "01:01:00")),
    "-": _examples(("-(2 - 5)", "3"), ('time("2026-03-02") - time("2026-03-01")', "1.00:00:00")),
    "*": _examples(("2 * TimeInterval_Minute", "00:02:00"), ("vec(1, 2) * vec(3, 4)", "[3,8]")),
    "/": _examples(("7 / 2", "3.5")),
    "==": _examples(("time().weekday == 1", "1")),
}

NOTES: Mapping[str, str] = {
    "$TargetDedicatedNodes": "Read before it is assigned, it is the pool's present target. A fraction is cut off: "
    "2.9 is 2 and 0.5 is 0, so round up with ceil(). Below 0 counts as 0. If it is not assigned, the target stays.",
    "$TargetLowPriorityNodes": "There is no name with Spot in it. Read, cut off and kept as $TargetDedicatedNodes is.",
    "$PendingTasks": "Counts tasks, not slots: divide by $TaskSlotsPerNode to get nodes, and round up.",
    "$ActiveTasks": "Tasks that run are not in it: a pool that follows this number alone takes busy nodes away.",
    "$CurrentLowPriorityNodes": "Take $PreemptedNodeCount away for those that can work.",
    "$CPUPercent": "From 0 to 100, averaged over the nodes that gave a sample. Without nodes there are no samples.",
    "GetSample": "Samples are in order from the newest to the oldest. With a count: the newest so many, whatever "
    "their age, perhaps fewer, never an error. With an interval or a time: the samples since then, or between the two; "
    "if fewer than `percent` of the possible samples are there, the evaluation stops with InsufficientSampleData and "
    "the targets stay. Without `percent` it wants 70. A sample is taken every 30 seconds and is visible about a minute "
    "later, so the newest minute is often empty.",
    "GetSamplePercent": "From 0 to 100, not from 0 to 1. Ask it before GetSample over a window, with the same "
    "window.",
    "Count": "On a new pool 0.",
    "HistoryBeginTime": "Without samples the evaluation stops with InsufficientSampleData.",
    "avg": "A fraction, mostly: as a target it is cut off, so round up with ceil().",
    "max": "max(0, samples) is 0 when there are no samples; max(samples) fails then.",
    "percentile": "Always one of the elements. A percentage outside of that, or a vector of nothing, is an "
    "evaluation error.",
    "norm": "Of nothing 0.",
    "log": "Of 0 -Infinity, of less NaN; so are ln and lg.",
    "stop": "What was assigned so far is applied, what comes later is not done. It has no value: write `stop();`.",
    "std": "Fewer than two elements give NaN.",
    "time": "Always UTC; add an interval for local time. All time() of one evaluation are the same instant. The "
    "string is ISO 8601 or RFC 1123, with at most seven digits for fractions of a second.",
    "val": "A fraction of an index is cut off. An index behind the end is an evaluation error.",
    "rand": "For tests it can be seeded: `ebbtide formula eval --seed 1`.",
    "weekday": "UTC. Microsoft documents only that 1 is Monday; that Sunday is 0 is ebbtide's decision.",
    "hour": "UTC: add an interval to the time first for local hours, and remember daylight saving.",
    "TimeInterval_Year": "365 days.",
    "? :": "Only the branch that is taken is computed. Non-zero is true; NaN is an evaluation error. Several in a "
    "row group to the right.",
    "&&": "Stops at the operand that decides. The value is 1 or 0.",
    "||": "Stops at the operand that decides. The value is 1 or 0.",
    "/": "Division by zero is an evaluation error.",
    "==": "The value of a comparison is 1 or 0. Both sides must have the same type; vectors cannot be compared.",
}
