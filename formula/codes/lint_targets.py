"""Lint: targets, their bounds, and how a pool grows and ebbs."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code
from .lint_demand import LINT_DEMAND

_TARGETS = by_code(
    (
        Code(
            "F501",
            "warning",
            "no target is set",
            "A formula that assigns neither $TargetDedicatedNodes nor $TargetLowPriorityNodes is evaluated without an "
            "error and never changes the pool. Mostly a target's name is misspelt or left to a template.",
            "nodes = min(10, max(0, $PendingTasks.GetSample(1)));",
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F502",
            "warning",
            "a target is set under both of its names",
            "$TargetDedicated and $TargetLowPriority are old names of $TargetDedicatedNodes and "
            "$TargetLowPriorityNodes. If a formula sets both, the full name wins, whatever comes last.",
            "$TargetDedicatedNodes = 2;\n$TargetDedicated = 5;",
            "$TargetDedicatedNodes = 5;",
        ),
        Code(
            "F503",
            "warning",
            "a target is set again before it is read",
            "Only the last assignment of a target counts. One before it matters if something in between reads it.",
            "$TargetDedicatedNodes = 4;\n$TargetDedicatedNodes = time().hour < 6 ? 0 : 2;\n"
            "$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes = 4;\n$TargetDedicatedNodes = time().hour < 6 ? 0 : $TargetDedicatedNodes;\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F504",
            "warning",
            "no $NodeDeallocationOption",
            "Without $NodeDeallocationOption a node that is taken away stops its tasks at once and puts them back "
            "into the queue (requeue): hours of work may begin again. taskcompletion lets the node end its tasks "
            "first. What a run sets does not stay for the next one.",
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1)));",
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F505",
            "warning",
            "a target has no upper bound",
            "However many tasks somebody submits, as many nodes are asked for. The service knows no largest size of a "
            "pool; only the core quota ends the growth, as a resize error. The linter proves a bound, or says that "
            "there is none; targets that are computed from their former value are bounded if they stop growing by "
            "themselves.",
            "$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1));\n$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes = min(20, max(0, $PendingTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F506",
            "warning",
            "a pool without nodes never grows again",
            "The target comes from the pool's own nodes, or from the tasks that run on them. Without nodes all of "
            "that is 0, and 0 times 1.1 is 0. Reading the tasks that wait, or keeping a node, starts the pool.",
            "$TargetDedicatedNodes = min(50, ceil($CurrentDedicatedNodes * 1.1));\n"
            "$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes = min(50, max(1, ceil($CurrentDedicatedNodes * 1.1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F507",
            "info",
            "the pool never ebbs to zero",
            "It is proved that the target is never 0. That may be meant, for tasks then start without waiting for a "
            "node; but the pool costs its least number of nodes for ever, also at night and when the project is over.",
            "$TargetDedicatedNodes = max(1, min(10, $PendingTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes = max(0, min(10, max(0, $PendingTasks.GetSample(1))));\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F508",
            "info",
            "a target can become very large",
            "The target is bounded, but by more than 1000 nodes.",
            "$TargetDedicatedNodes = min(5000, max(0, $PendingTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes = min(500, max(0, $PendingTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F509",
            "info",
            "the targets are always the same",
            "The formula reads samples or the clock, and it is proved that its targets do not depend on them: a "
            "condition is never true, or the least and the largest size are the same.",
            "now = time();\nnight = now.hour < 6 && now.hour > 22;\n$TargetDedicatedNodes = night ? 20 : 0;\n"
            "$NodeDeallocationOption = taskcompletion;",
            "now = time();\nnight = now.hour < 6 || now.hour > 22;\n$TargetDedicatedNodes = night ? 20 : 0;\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F510",
            "info",
            "a target can be negative",
            "A negative target is taken as 0 here, with a warning in each evaluation. What Azure Batch does with it "
            "is not documented; its own samples write max(0, ...).",
            "$TargetDedicatedNodes = min(10, max(0, $PendingTasks.GetSample(1))) - 2;\n"
            "$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes = max(0, min(10, max(0, $PendingTasks.GetSample(1))) - 2);\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F511",
            "info",
            "a target can be NaN",
            "Some results have no value: the mean of no samples, and val(..., 0) of an empty vector. A target of NaN "
            "makes the evaluation fail, and the pool keeps its size until samples come.",
            "newest = val($PendingTasks.GetSample(1), 0);\n$TargetDedicatedNodes = newest > 10 ? 10 : newest;\n"
            "$NodeDeallocationOption = taskcompletion;",
            "newest = max(0, val($PendingTasks.GetSample(1), 0));\n$TargetDedicatedNodes = newest > 10 ? 10 : newest;\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F512",
            "warning",
            "the pool grows at every evaluation for the same tasks",
            "The target adds tasks to the nodes that are there. A new node needs minutes until it takes a task, so "
            "the same task is added at the next evaluation again, until the upper bound is reached.",
            "$TargetDedicatedNodes = min(50, $CurrentDedicatedNodes + max(0, $ActiveTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes = min(50, max(0, $PendingTasks.GetSample(1)));\n"
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F599",
            "info",
            "a comment ignores a code that does not exist",
            "A comment `// ebbtide: ignore F505` on any line of a statement, or alone on the line before it, silences "
            "that code in the statement; `// ebbtide: ignore-file F505` silences it in the whole formula. Several "
            "codes are separated by commas or blanks. Errors cannot be silenced.",
            "$TargetDedicatedNodes = time().hour; // ebbtide: ignore F999",
            "$TargetDedicatedNodes = time().hour; // ebbtide: ignore F504",
        ),
    )
)

LINT_TARGETS: Mapping[str, Code] = {**_TARGETS, **LINT_DEMAND}
