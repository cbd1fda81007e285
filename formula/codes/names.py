"""Names: what a formula refers to."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

NAMES: Mapping[str, Code] = by_code(
    (
        Code(
            "F201",
            "error",
            "undefined variable",
            "A name is read before anything assigned it. The service takes such a formula, and each of its evaluations "
            "fails here, so that the pool keeps its size. Upper and lower case count, and the `$` belongs to the name.",
            "maxNodes = 4;\n$TargetDedicatedNodes = maxNode;",
            "maxNodes = 4;\n$TargetDedicatedNodes = maxNodes;",
        ),
        Code(
            "F202",
            "error",
            "unknown function",
            "The language has few functions, all in lower case: avg, ceil, floor, len, lg, ln, log, max, min, norm, "
            "percentile, rand, range, round, std, stop, sum, time, val and vec. An evaluation that meets another "
            "fails, and the pool keeps its size.",
            "$TargetDedicatedNodes = Max(1, 2);",
            "$TargetDedicatedNodes = max(1, 2);",
        ),
        Code(
            "F203",
            "error",
            "unknown method",
            "A metric has the methods GetSample, GetSamplePercent, GetSamplePeriod, Count and HistoryBeginTime, with "
            "these capital letters. For the mean of samples there is no method: write "
            "avg($PendingTasks.GetSample(10)).",
            "$TargetDedicatedNodes = max(0, $PendingTasks.getSample(1));",
            "$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1));",
        ),
        Code(
            "F204",
            "error",
            "unknown member",
            "A time has the members year, month, day, weekday, hour, minute and second, without parentheses. Methods "
            "of metrics such as Count() need them.",
            "$TargetDedicatedNodes = time().hours < 8 ? 1 : 4;",
            "$TargetDedicatedNodes = time().hour < 8 ? 1 : 4;",
        ),
        Code(
            "F205",
            "error",
            "no such service variable",
            "The name looks like a variable of the service and is none. Spot nodes go by the names of low-priority "
            "nodes, which stayed when the product was renamed, and names of 2015 have gone.",
            "$TargetSpotNodes = 3;",
            "$TargetLowPriorityNodes = 3;",
        ),
        Code(
            "F206",
            "error",
            "assignment to something read-only",
            "Metrics are measured, constants are fixed, and the four words of $NodeDeallocationOption are reserved. "
            "The evaluation fails at such an assignment and the pool keeps its size. Only the targets and the "
            "deallocation option can be set, and variables of your own.",
            "$CurrentDedicatedNodes = 3;",
            "$TargetDedicatedNodes = 3;",
        ),
        Code(
            "F207",
            "warning",
            "differs from a service variable only in upper and lower case",
            "Upper and lower case count: this makes a variable of the formula's own, and the pool is not resized by "
            "it. Nobody documents what the service does; that it may take the name as meant is no reason to rely on "
            "it.",
            "$targetDedicatedNodes = 3;",
            "$TargetDedicatedNodes = 3;",
        ),
    )
)
