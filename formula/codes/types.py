"""Types and arguments: what cannot be computed."""

from __future__ import annotations

from collections.abc import Mapping

from .code import Code, by_code

TYPES: Mapping[str, Code] = by_code(
    (
        Code(
            "F301",
            "error",
            "the operator does not take these types",
            "Most often a vector of samples stands where one number is wanted: GetSample gives a vector, even for one "
            "sample. Reduce it with max, avg or sum. Times differ by intervals, and a number becomes an interval when "
            "it is multiplied by TimeInterval_Minute. The evaluation fails here and the pool keeps its size.",
            "$TargetDedicatedNodes = $PendingTasks.GetSample(1) > 0 ? 4 : 0;",
            "$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1)) > 0 ? 4 : 0;",
        ),
        Code(
            "F302",
            "error",
            "the condition is not a number",
            "What stands before `?` must be a number: 0 is false, all else is true. A vector, a time or a text is "
            "neither.",
            "$TargetDedicatedNodes = $PendingTasks.GetSample(1) ? 4 : 0;",
            "$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1)) ? 4 : 0;",
        ),
        Code(
            "F303",
            "error",
            "an argument has the wrong type",
            "The function or method takes another kind of value here. GetSamplePercent and GetSample with a window "
            "take intervals: 180 is a number, 180 * TimeInterval_Second is three minutes.",
            "$ready = $PendingTasks.GetSamplePercent(180) >= 70;",
            "$ready = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second) >= 70;",
        ),
        Code(
            "F304",
            "error",
            "wrong number of arguments",
            "The function or method takes more or fewer values. round takes one number and gives a whole one, val "
            "takes a vector and an index, rand and stop take nothing.",
            "$TargetDedicatedNodes = round(2.5, 0);",
            "$TargetDedicatedNodes = round(2.5);",
        ),
        Code(
            "F305",
            "error",
            "a target must be a number",
            "A target is a number of nodes. GetSample gives a vector, which is not one number even if it holds one "
            "sample; max(0, ...) makes a number of it and gives 0 if there is none.",
            "$TargetDedicatedNodes = $PendingTasks.GetSample(1);",
            "$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1));",
        ),
        Code(
            "F306",
            "error",
            "not a node deallocation option",
            "$NodeDeallocationOption takes one of the words requeue, terminate, taskcompletion and retaineddata, "
            "written without quotes. The evaluation fails here, and the pool neither grows nor shrinks.",
            '$NodeDeallocationOption = "taskcompletion";',
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F307",
            "error",
            "a node deallocation option in the wrong place",
            "The words requeue, terminate, taskcompletion and retaineddata mean something only for "
            "$NodeDeallocationOption. They cannot be kept in a variable or be computed with; a choice between two of "
            "them can stand in the assignment itself.",
            "option = taskcompletion;",
            "$NodeDeallocationOption = taskcompletion;",
        ),
        Code(
            "F308",
            "error",
            "methods belong to metrics",
            "Only metrics such as $PendingTasks have methods. Samples, once taken, are a vector, and vectors go into "
            "functions: sum(v), not v.Sum(). Targets have no samples.",
            "$TargetDedicatedNodes = $PendingTasks.GetSample(5).Max();",
            "$TargetDedicatedNodes = max($PendingTasks.GetSample(5));",
        ),
        Code(
            "F309",
            "error",
            "not a date and time",
            "time(...) reads ISO 8601 such as 2026-01-31T08:00:00Z, and RFC 1123 such as Sat, 31 Jan 2026 08:00:00 "
            "GMT. A second has at most seven digits behind the point: programs that write nanoseconds made formulas "
            "which failed at every evaluation.",
            '$age = time() - time("2026-01-31T08:00:00.123456789Z");',
            '$age = time() - time("2026-01-31T08:00:00.1234567Z");',
        ),
        Code(
            "F310",
            "warning",
            "a metric used as a number",
            "A metric is a history of samples. As a number only the node counts and $TaskSlotsPerNode are documented; "
            "others are taken as their newest sample here, and may fail on Azure Batch.",
            "$TargetDedicatedNodes = ceil($PendingTasks / 4);",
            "$TargetDedicatedNodes = ceil(max(0, $PendingTasks.GetSample(1)) / 4);",
        ),
        Code(
            "F311",
            "error",
            "members belong to timestamps",
            "year, month, day, weekday, hour, minute and second are parts of a time, such as time(). A number, an "
            "interval or a vector has none.",
            "$minutes = (10 * TimeInterval_Minute).minute;",
            "$minutes = time().minute;",
        ),
    )
)
