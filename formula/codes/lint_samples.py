"""Lint: samples, their coverage, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

_GUARDED = """\
window = 5 * TimeInterval_Minute;
ready = $PendingTasks.GetSamplePercent(window) >= 70;
tasks = ready ? avg($PendingTasks.GetSample(window)) : max(0, $PendingTasks.GetSample(1));
$TargetDedicatedNodes = min(8, ceil(tasks));"""

LINT_SAMPLES: Mapping[str, Code] = by_code(
    (
        Code(
            "F401",
            "warning",
            "nothing guards a window of samples",
            "GetSample over a window fails unless 70 % of its samples are there; the documentation speaks only of the "
            "percentage that one may give. A new pool has no samples, and samples get lost, so the evaluation fails, "
            "and the pool keeps its size, whatever it costs. Ask GetSamplePercent over the same window first, and "
            "decide without the window if it is under 70.",
            "tasks = avg($PendingTasks.GetSample(5 * TimeInterval_Minute));\n"
            "$TargetDedicatedNodes = min(8, ceil(tasks));",
            _GUARDED,
        ),
        Code(
            "F402",
            "warning",
            "a guard lets too few samples pass",
            "The guard is content with fewer samples than GetSample demands: 70 % if it names no percentage. Between "
            "the two the branch is taken and the evaluation fails. Compare with 70, or give GetSample the percentage "
            "of the guard as its last argument. With its branches exchanged a guard lets nothing but too few pass.",
            _GUARDED.replace("70", "50"),
            _GUARDED,
        ),
        Code(
            "F403",
            "warning",
            "a guard looks at another metric or window",
            "That there are samples of one metric, or in one window, says little of another. The guarded call can "
            "still fail, and then the pool keeps its size. Ask GetSamplePercent of the metric and the window that "
            "GetSample reads; a variable for the window keeps the two equal.",
            _GUARDED.replace("Percent(window)", "Percent(10 * TimeInterval_Minute)"),
            _GUARDED,
        ),
        Code(
            "F404",
            "warning",
            "a window too short for a sample",
            "A sample is taken every 30 seconds, so that a shorter window holds one at times and at times none. The "
            "percentage of an empty window is 0, and GetSample fails on it. Several minutes are a good window.",
            "$ready = $PendingTasks.GetSamplePercent(15 * TimeInterval_Second) >= 70;",
            "$ready = $PendingTasks.GetSamplePercent(5 * TimeInterval_Minute) >= 70;",
        ),
        Code(
            "F405",
            "warning",
            "a window in the newest minute",
            "It takes about a minute until a sample can be seen, so a window that goes back one minute is empty most "
            "of the time. Begin further back; the samples of the newest minute are missing then, and 70 % of the "
            "others are enough.",
            "$ready = $PendingTasks.GetSamplePercent(TimeInterval_Minute) >= 70;",
            "$ready = $PendingTasks.GetSamplePercent(5 * TimeInterval_Minute) >= 70;",
        ),
        Code(
            "F406",
            "info",
            "a window of more than a day",
            "How long samples are kept is not documented. If the window is longer than that, it never holds 70 % of "
            "its samples and the evaluation always fails. Also, in a mean over days the work of the last hour hardly "
            "shows.",
            "$ready = $PendingTasks.GetSamplePercent(3 * TimeInterval_Day) >= 70;",
            "$ready = $PendingTasks.GetSamplePercent(3 * TimeInterval_Hour) >= 70;",
        ),
        Code(
            "F407",
            "warning",
            "the newest sample decides alone",
            "One sample is one moment. If it falls between two tasks, the nodes go, and are ordered again minutes "
            "later; if it falls on a peak, nodes come that find nothing to do. The newest samples of $RunningTasks are "
            "often 0 besides. Take the mean or the maximum of some minutes too, with a guard.",
            "$TargetDedicatedNodes = min(8, max(0, $PendingTasks.GetSample(1)));",
            _GUARDED,
        ),
        Code(
            "F408",
            "warning",
            "a fraction taken for a percentage",
            "Percentages of samples run from 0 to 100. `< 0.7` is true only if there is hardly any sample, so that the "
            "guard opens at the first ones and GetSample fails behind it. The other way round, the quotient of a part "
            "and the whole runs from 0 to 1 and never gets to 25.",
            _GUARDED.replace("70", "0.7"),
            _GUARDED,
        ),
        Code(
            "F409",
            "warning",
            "the scale of $CPUPercent",
            "$CPUPercent runs from 0 to 100 here. Examples in the service's documentation compare it with 0.7 and say "
            "70 percent, which contradicts its name; with 0.7 a pool grows as soon as anything runs. Look at the "
            "samples of your pool before you choose.",
            "$busy = max(0, $CPUPercent.GetSample(10)) > 0.7;",
            "$busy = max(0, $CPUPercent.GetSample(10)) > 70;",
        ),
        Code(
            "F410",
            "warning",
            "seconds taken for a percentage",
            "The percentage of samples that GetSample demands is a plain number and its last argument. With a time "
            "unit it is the other end of the window: here the newest 70 seconds are cut off, and 70 % are demanded "
            "because that is the default.",
            "$v = $PendingTasks.GetSample(180 * TimeInterval_Second, 70 * TimeInterval_Second);",
            "$v = $PendingTasks.GetSample(180 * TimeInterval_Second, 70);",
        ),
        Code(
            "F411",
            "info",
            "a metric that may be 0 or NaN",
            "The documentation calls $PreemptedNodeCount unavailable, and 0 then; $CPUPercent has no samples while "
            "there are no nodes, and gave NaN to somebody in spite of full coverage. A formula that relies on them "
            "alone may see nothing at all. Tasks are counted always.",
            "$lost = max(0, $PreemptedNodeCount.GetSample(1));",
            "$lost = max(0, $PendingTasks.GetSample(1));",
        ),
        Code(
            "F412",
            "info",
            "a metric that Azure Batch may no longer measure",
            "Memory, disk, network and the like were announced to end in March 2024. Without their samples a window "
            "fails on Azure Batch, and max(0, ...) of the newest is 0 for ever. ebbtide measures them on its nodes.",
            "$memory = max(0, $MemoryBytes.GetSample(1));",
            "$tasks = max(0, $PendingTasks.GetSample(1));",
        ),
        Code(
            "F413",
            "info",
            "an element of several samples",
            "In which order GetSample gives its samples is not documented. Here the newest is first; if it is last "
            "elsewhere, val(v, 0) is the oldest of the window, and the formula decides from the past.",
            "$newest = val($PendingTasks.GetSample(10), 0);",
            "$newest = val($PendingTasks.GetSample(1), 0);",
        ),
        Code(
            "F414",
            "warning",
            "an element that is not there",
            "Elements count from 0, so the last of one sample is number 0. Behind the last there is nothing: the "
            "evaluation fails each time and the pool keeps its size.",
            "$newest = val($PendingTasks.GetSample(1), 1);",
            "$newest = val($PendingTasks.GetSample(1), 0);",
        ),
        Code(
            "F415",
            "warning",
            "the extreme of no samples",
            "GetSample with a count never fails, but on a new pool it gives nothing, and the maximum of nothing is an "
            "error: the first evaluations change nothing and the first tasks wait. A number beside it helps: max(0, "
            "...).",
            "$tasks = max($PendingTasks.GetSample(1));",
            "$tasks = max(0, $PendingTasks.GetSample(1));",
        ),
        Code(
            "F416",
            "warning",
            "a count of no samples",
            "GetSample with one plain number gives so many of the newest samples. Less than 1 gives none. For a time, "
            "multiply by TimeInterval_Minute or another unit.",
            "$tasks = max(0, $PendingTasks.GetSample(0.5));",
            "$tasks = max(0, $PendingTasks.GetSample(1));",
        ),
        Code(
            "F417",
            "info",
            "vectors of different windows joined",
            "Vectors are added element by element and must have equal lengths. Two metrics, or two windows, can miss "
            "different samples; then the evaluation fails. Make one number of each before you add.",
            "$tasks = avg($ActiveTasks.GetSample(10) + $RunningTasks.GetSample(10));",
            "$tasks = avg($ActiveTasks.GetSample(10)) + avg($RunningTasks.GetSample(10));",
        ),
        Code(
            "F418",
            "info",
            "an old name",
            "$TargetDedicated, $TargetLowPriority, $CurrentDedicated and $CurrentLowPriority are names of 2015 for "
            "what now ends in Nodes. They work, but if a formula sets a target under both names the full one wins, and "
            "the other assignment is lost without a word.",
            "$TargetDedicated = 2;",
            "$TargetDedicatedNodes = 2;",
        ),
        Code(
            "F419",
            "info",
            "a number taken for the end of a window",
            "A plain number behind a window is the percentage of samples that must be there, and 0 demands none: "
            "without samples the vector is empty, and what is made of it is no number. If the present was meant as the "
            "end of the window, leave it out, or write TimeInterval_Zero.",
            "$tasks = avg($PendingTasks.GetSample(5 * TimeInterval_Minute, 0));",
            "$tasks = avg($PendingTasks.GetSample(5 * TimeInterval_Minute, TimeInterval_Zero));",
        ),
    )
)
