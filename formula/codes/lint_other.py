"""Lint: conditions, time, names and style."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

LINT_OTHER: Mapping[str, Code] = by_code(
    (
        Code(
            "F601",
            "warning",
            "a condition that is always the same",
            "What the condition compares has limits, and they decide it: no day is before Monday and after Friday, and "
            "a maximum with 1 is never under 1. One branch is never taken, which nobody meant who wrote it. Settings, "
            "that is names with a number of their own, are taken to be meant.",
            "now = time();\n$TargetDedicatedNodes = now.weekday < 1 && now.weekday > 5 ? 0 : 4;",
            "now = time();\n$TargetDedicatedNodes = now.weekday < 1 || now.weekday > 5 ? 0 : 4;",
        ),
        Code(
            "F602",
            "warning",
            "Sunday taken for day 7",
            "Monday is 1 and Saturday 6; Sunday is 0 here and not 7. `weekday > 5` holds on Saturday and not on "
            "Sunday, `weekday <= 5` holds on Sunday too. Ask for Monday to Friday, and take everything else for the "
            "weekend.",
            "$TargetDedicatedNodes = time().weekday > 5 ? 0 : 4;",
            "$now = time();\n$TargetDedicatedNodes = $now.weekday >= 1 && $now.weekday <= 5 ? 4 : 0;",
        ),
        Code(
            "F603",
            "info",
            "the number of Sunday",
            "The documentation says that Monday is 1 and does not say whether Sunday is 0 or 7. Here it is 0. A "
            "condition that names the days from 1 to 6 means the same in either case.",
            "$TargetDedicatedNodes = time().weekday == 0 ? 0 : 4;",
            "$now = time();\n$TargetDedicatedNodes = $now.weekday >= 1 && $now.weekday <= 6 ? 4 : 0;",
        ),
        Code(
            "F604",
            "warning",
            "comparisons in a chain",
            "Comparisons are done from left to right and give 1 or 0, so that 8 <= hour < 18 compares 1 or 0 with 18 "
            "and is always true. Two comparisons are joined with &&.",
            "$TargetDedicatedNodes = 8 <= time().hour < 18 ? 4 : 0;",
            "$TargetDedicatedNodes = 8 <= time().hour && time().hour < 18 ? 4 : 0;",
        ),
        Code(
            "F605",
            "warning",
            "`!` before a comparison",
            "`!` binds to what stands right behind it: !tasks > 5 is (!tasks) > 5, which compares 1 or 0 with 5 and is "
            "never true.",
            "tasks = max(0, $PendingTasks.GetSample(1));\n$TargetDedicatedNodes = !tasks > 5 ? 1 : 4;",
            "tasks = max(0, $PendingTasks.GetSample(1));\n$TargetDedicatedNodes = !(tasks > 5) ? 1 : 4;",
        ),
        Code(
            "F606",
            "warning",
            "both branches are the same",
            "The condition decides nothing, since both branches are written alike. Often one was copied and not "
            "changed.",
            "$TargetDedicatedNodes = time().hour < 8 ? 4 : 4;",
            "$TargetDedicatedNodes = time().hour < 8 ? 1 : 4;",
        ),
        Code(
            "F607",
            "info",
            "fractions compared with ==",
            "A mean or a quotient is seldom exactly a whole number: three samples of 3, 3 and 2 have the mean 2.67. "
            "The branch for the equal case is hardly ever taken. Compare with < or >, or round first.",
            "$full = avg($PendingTasks.GetSample(10)) == 3;",
            "$full = round(avg($PendingTasks.GetSample(10))) == 3;",
        ),
        Code(
            "F608",
            "warning",
            "a divisor that can be 0",
            "Division by zero fails the evaluation, and the pool keeps its size. A pool without nodes has 0 current "
            "nodes, and an idle one 0 tasks; since nothing changes then, it fails at every evaluation until somebody "
            "looks.",
            "$load = max(0, $PendingTasks.GetSample(1)) / $CurrentDedicatedNodes;",
            "$load = max(0, $PendingTasks.GetSample(1)) / max(1, $CurrentDedicatedNodes);",
        ),
        Code(
            "F609",
            "info",
            "hours of the UTC clock",
            "time() is UTC, and formulas know neither time zones nor daylight saving. For people in Berlin, a pool "
            "that starts at 8 starts at 9 or 10. Add the distance of your zone; half of the year it will be an hour "
            "off.",
            "$TargetDedicatedNodes = time().hour >= 8 ? 4 : 0;",
            "$local = time() + 1 * TimeInterval_Hour;\n$TargetDedicatedNodes = $local.hour >= 8 ? 4 : 0;",
        ),
        Code(
            "F610",
            "warning",
            "a date that has passed",
            "Formulas are often written with the date of the pool's creation, to start with some nodes. Copied to "
            "another pool with the old date, the pool is old from its first minute, and the branch for its start is "
            "never taken. Only with the present at hand can this be found.",
            'age = time() - time("2015-01-31");\n$TargetDedicatedNodes = age < TimeInterval_Hour ? 4 : 0;',
            "$TargetDedicatedNodes = $PendingTasks.Count() < 20 ? 4 : 0;",
        ),
        Code(
            "F611",
            "info",
            "a variable that nothing reads",
            "The value goes nowhere but into the results of the run. Perhaps a line that used it was deleted, or "
            "another variable is read in its place.",
            "maxNodes = 8;\n$TargetDedicatedNodes = 4;",
            "maxNodes = 8;\n$TargetDedicatedNodes = min(maxNodes, 4);",
        ),
        Code(
            "F612",
            "warning",
            "a value that is overwritten unread",
            "The variable gets another value before anything reads this one, so that the first statement does nothing. "
            "If both were to count, the second must read the first.",
            "nodes = 4;\nnodes = 8;\n$TargetDedicatedNodes = nodes;",
            "nodes = 4;\nnodes = nodes + 4;\n$TargetDedicatedNodes = nodes;",
        ),
        Code(
            "F613",
            "info",
            "x and $x",
            "The `$` belongs to the name, so nodes and $nodes are two variables here. No document says so, and no "
            "reader keeps them apart.",
            "nodes = 4;\n$nodes = 2;\n$TargetDedicatedNodes = nodes - $nodes;",
            "most = 4;\n$nodes = 2;\n$TargetDedicatedNodes = most - $nodes;",
        ),
        Code(
            "F614",
            "info",
            "a variable named like a function",
            "Functions and variables do not meet: max = 4 leaves max(1, 2) as it was. People who read it may stumble.",
            "max = 4;\n$TargetDedicatedNodes = max;",
            "maxNodes = 4;\n$TargetDedicatedNodes = maxNodes;",
        ),
        Code(
            "F615",
            "warning",
            "a value thrown away",
            "An expression that is not assigned changes nothing. It can only fail, and keep the pool as it is. Often "
            "the name and the `=` before it were lost.",
            "min(4, max(0, $PendingTasks.GetSample(1)));",
            "$TargetDedicatedNodes = min(4, max(0, $PendingTasks.GetSample(1)));",
        ),
        Code(
            "F616",
            "warning",
            "statements behind stop()",
            "stop() ends the evaluation where it stands; what was assigned before counts. Behind a stop() without a "
            "condition nothing is ever computed.",
            "stop();\n$TargetDedicatedNodes = 4;",
            "time().hour < 8 ? stop() : 0;\n$TargetDedicatedNodes = 4;",
        ),
        Code(
            "F617",
            "info",
            "an empty statement",
            "A `;` ends a statement, and here is none. It is accepted here; that the service does so is not "
            "documented.",
            "$TargetDedicatedNodes = 4;;",
            "$TargetDedicatedNodes = 4;",
        ),
        Code(
            "F618",
            "warning",
            "a comment that swallows statements",
            "A comment ends with its line. If the line ends get lost on the way into JSON or through a template, the "
            "whole formula is one line and everything behind the first // is a comment.",
            "nodes = 4; // at most $TargetDedicatedNodes = nodes;",
            "nodes = 4; // at most\n$TargetDedicatedNodes = nodes;",
        ),
        Code(
            "F619",
            "info",
            "an undocumented operator",
            "The documentation has a table of what can be added to what. Taking an interval from a time is not in it, "
            "nor is a number with a vector to its right. Both work here, and may fail on Azure Batch.",
            "$before = time() - TimeInterval_Hour;",
            "$before = time() + -1 * TimeInterval_Hour;",
        ),
        Code(
            "F620",
            "warning",
            "a misspelt target",
            "The name looks like a target and is none: its `$` is missing, which belongs to the names of the service, "
            "or a letter or a word is not right. The statement sets a variable that nothing reads, and the pool stays "
            "as it is.",
            "TargetDedicatedNodes = 4;",
            "$TargetDedicatedNodes = 4;",
        ),
    )
)
