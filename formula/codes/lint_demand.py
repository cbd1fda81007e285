"""Lint: how tasks become nodes."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

_OPTION = "\n$NodeDeallocationOption = taskcompletion;"
_MEAN = (
    "tasks = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5) < 70 ? max(0, $PendingTasks.GetSample(1))\n"
    "    : avg($PendingTasks.GetSample(TimeInterval_Minute * 5));\n"
)

LINT_DEMAND: Mapping[str, Code] = by_code(
    (
        Code(
            "F513",
            "warning",
            "one task gets no node",
            "Fractions of a node are cut off: a target of 0.5 is 0 nodes. With few tasks the quotient of tasks and "
            "task slots is under 1, so that the pool does not start for them and they wait for ever. floor(...) "
            "and round(...) make 0 of it just so; ceil(...) rounds up.",
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1)) / 4);" + _OPTION,
            "$TargetDedicatedNodes = min(10, ceil(max(0, $PendingTasks.GetSample(1)) / 4));" + _OPTION,
        ),
        Code(
            "F514",
            "info",
            "a part of a node is cut off",
            "Fractions of a node are cut off: 2.9 is 2 nodes. After a division the last tasks wait until others "
            "have ended; where a mean over a window sets the target, the pool is late, for a new task counts only "
            "when the mean has reached 1. ceil(...) rounds up.",
            _MEAN + "$TargetDedicatedNodes = min(10, tasks);" + _OPTION,
            _MEAN + "$TargetDedicatedNodes = min(10, ceil(tasks));" + _OPTION,
        ),
        Code(
            "F515",
            "warning",
            "running tasks are not counted",
            "$ActiveTasks are the tasks that wait. As soon as the last of them has started, the formula sees no "
            "work and takes away nodes that are busy. $PendingTasks counts the tasks that wait and those that run.",
            "$TargetDedicatedNodes = min(10, max(0, $ActiveTasks.GetSample(1)));" + _OPTION,
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1)));" + _OPTION,
        ),
        Code(
            "F516",
            "warning",
            "tasks are counted twice",
            "$PendingTasks is $ActiveTasks + $RunningTasks. Adding one of them to it counts those tasks twice, and "
            "the pool becomes up to twice as large as it need be.",
            "tasks = max(0, $PendingTasks.GetSample(1)) + max(0, $RunningTasks.GetSample(1));\n"
            "$TargetDedicatedNodes = min(10, tasks);" + _OPTION,
            "tasks = max(0, $ActiveTasks.GetSample(1)) + max(0, $RunningTasks.GetSample(1));\n"
            "$TargetDedicatedNodes = min(10, tasks);" + _OPTION,
        ),
        Code(
            "F517",
            "warning",
            "both targets take the whole demand",
            "Dedicated and low-priority nodes run the same tasks. If both targets come from the same number, every "
            "task gets two nodes. Let one kind take what the other leaves.",
            "tasks = max(0, $PendingTasks.GetSample(1));\n$TargetDedicatedNodes = min(2, tasks);\n"
            "$TargetLowPriorityNodes = min(10, tasks);" + _OPTION,
            "tasks = max(0, $PendingTasks.GetSample(1));\n$TargetDedicatedNodes = min(2, tasks);\n"
            "$TargetLowPriorityNodes = min(10, max(0, tasks - $TargetDedicatedNodes));" + _OPTION,
        ),
        Code(
            "F518",
            "warning",
            "the smallest sample of a window counts",
            "min(10, $PendingTasks.GetSample(window)) puts the cap and every sample into one min: what comes out is "
            "the smallest of them. One sample without tasks makes the target 0. Reduce the window with max or avg "
            "first.",
            "$TargetDedicatedNodes = min(10, $PendingTasks.GetSample(TimeInterval_Minute * 5, 0));" + _OPTION,
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(TimeInterval_Minute * 5, 0)));" + _OPTION,
        ),
        Code(
            "F519",
            "warning",
            "a new pool starts at its largest size",
            "GetSample(1) of a pool without samples is an empty vector, and min(10, nothing) is 10: a new pool "
            "starts all of its nodes before the first sample is there. max(0, ...) around the samples makes nothing "
            "0.",
            "$TargetDedicatedNodes = min(10, $PendingTasks.GetSample(1));" + _OPTION,
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1)));" + _OPTION,
        ),
        Code(
            "F520",
            "warning",
            "a small pool cannot grow",
            "Fractions of a node are cut off, so that a pool that grows by a tenth stays as it is while it has less "
            "than ten nodes: 9 times 1.1 is 9.9, which is 9 nodes. ceil(...) adds one node at least.",
            "$TargetDedicatedNodes = min(50, max(1, $CurrentDedicatedNodes * 1.1));" + _OPTION,
            "$TargetDedicatedNodes = min(50, max(1, ceil($CurrentDedicatedNodes * 1.1)));" + _OPTION,
        ),
        Code(
            "F521",
            "warning",
            "more tasks get fewer nodes",
            "Few tasks get a node, and a larger number of them gets none. Mostly two conditions leave a gap: less than "
            "a number is one case, more than it the other, and nobody thought of as many.",
            "tasks = max(0, $PendingTasks.GetSample(1));\n"
            "few = tasks > 0 && tasks < 4 ? 1 : 0;\n"
            "$TargetDedicatedNodes = tasks > 4 ? min(10, ceil(tasks / 4)) : few;" + _OPTION,
            "tasks = max(0, $PendingTasks.GetSample(1));\n"
            "few = tasks > 0 && tasks < 4 ? 1 : 0;\n"
            "$TargetDedicatedNodes = tasks >= 4 ? min(10, ceil(tasks / 4)) : few;" + _OPTION,
        ),
    )
)
