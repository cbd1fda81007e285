"""What other packages and the command line build on."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import formula
from formula import (
    FormulaError,
    PoolValues,
    Samples,
    TimeSeries,
    check,
    compile_formula,
    format_time,
    parse_time,
    samples_from_json,
)

NOW = parse_time("2026-01-05T12:00:00Z")


def test_all_is_what_is_there() -> None:
    assert sorted(formula.__all__) == sorted(set(formula.__all__))
    assert all(hasattr(formula, name) for name in formula.__all__)


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "lark", "numpy", "yaml", "libcloud", "paramiko", "boto3", "sqlalchemy"
    script = f"import formula, sys; print([m for m in {heavy} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert printed.stdout == "[]\n"


def test_the_same_text_is_compiled_once() -> None:
    assert compile_formula("a = 1") is compile_formula("a = 1")


def test_a_syntax_error_raises_with_every_diagnostic() -> None:
    with pytest.raises(FormulaError) as refused:
        compile_formula("a = 1 +;\nb = (2;\nc = nowhere;")
    assert refused.value.code == "AutoScalingFormulaSyntaxError"
    assert [diagnostic.code for diagnostic in refused.value.diagnostics] == ["F117", "F113", "F201"]
    assert "formula:2:5: error F113: this parenthesis is not closed" in str(refused.value)


def test_other_errors_do_not_raise_and_leave_the_targets_alone() -> None:
    compiled = compile_formula("$TargetDedicatedNodes = 3; $PendingTasks = 4;")
    assert [diagnostic.code for diagnostic in compiled.diagnostics] == ["F206"]
    evaluation = compiled.evaluate(Samples(pool=PoolValues(target_dedicated=7)), NOW)
    assert evaluation.dedicated == 7
    assert evaluation.error is not None
    assert evaluation.error.code == "AutoScalingFormulaEvaluationError"


RENDERED = [
    (
        "$TargetDedicatedNodes = max(0, $CurrentDedicatedNode);",
        "a.formula:1:32: error F201: $CurrentDedicatedNode is not defined\n"
        " | $TargetDedicatedNodes = max(0, $CurrentDedicatedNode);\n"
        " |                                ^^^^^^^^^^^^^^^^^^^^^\n"
        " = did you mean $CurrentDedicatedNodes?",
    ),
    (
        "a = 1;\r\n\t$TargetSpotNodes = a;",
        "a.formula:2:2: error F205: there is no variable $TargetSpotNodes\n"
        " | \t$TargetSpotNodes = a;\n"
        " | \t^^^^^^^^^^^^^^^^\n"
        " = Spot nodes are set with $TargetLowPriorityNodes; the name stayed",
    ),
    (
        "a = 1\n$TargetDedicatedNodes = a;",
        "a.formula:1:6: error F105: `;` is missing here, before `$TargetDedicatedNodes`\n"
        " | a = 1\n"
        " |      ^\n"
        " = every statement but the last ends with `;`",
    ),
    (
        '$NodeDeallocationOption = "taskcompletion";',
        "a.formula:1:27: error F306: $NodeDeallocationOption takes one of the words requeue, terminate, "
        "taskcompletion, retaineddata, not string\n"
        ' | $NodeDeallocationOption = "taskcompletion";\n'
        " |                           ^^^^^^^^^^^^^^^^\n"
        " = write taskcompletion, without quotes",
    ),
    (
        "a = $PendingTasks.GetSample(1) > 3;",
        "a.formula:1:32: error F301: `>` cannot compare doubleVec with double\n"
        " | a = $PendingTasks.GetSample(1) > 3;\n"
        " |                                ^\n"
        " = make one number of a vector with max(...), avg(...) or val(..., 0)",
    ),
    (
        "a = avg($PendingTasks.GetSample(180));b = $PendingTasks.GetSamplePercent(180);",
        "a.formula:1:74: error F303: GetSamplePercent takes timestamp or timeinterval here, not double\n"
        " | a = avg($PendingTasks.GetSample(180));b = $PendingTasks.GetSamplePercent(180);\n"
        " |                                                                          ^^^\n"
        " = multiply by TimeInterval_Minute or another interval",
    ),
]


@pytest.mark.parametrize(("text", "rendered"), RENDERED)
def test_a_diagnostic_reads_well(text: str, rendered: str) -> None:
    assert [diagnostic.render("a.formula") for diagnostic in check(text)] == [rendered]


def test_an_evaluation_as_json() -> None:
    text = (
        'n = 1.5; w = 3; v = $PendingTasks.GetSample(2); s = "x"; t = time(); i = TimeInterval_Minute * 1.5;'
        "x = avg(); $TargetDedicatedNodes = 2; $NodeDeallocationOption = taskcompletion;"
    )
    samples = Samples(series={"$PendingTasks": TimeSeries([(NOW - 30, 1), (NOW, 2.5)])})
    evaluation = compile_formula(text).evaluate(samples, NOW)
    data = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert data == {
        "timestamp": "2026-01-05T12:00:00.000Z",
        "results": evaluation.results,
        "error": None,
        "targets": {"dedicated": 2, "lowPriority": 0, "nodeDeallocationOption": "taskcompletion"},
        "variables": {
            "n": 1.5,
            "w": 3,
            "v": [2.5, 1],
            "s": "x",
            "t": "2026-01-05T12:00:00.000Z",
            "i": {"seconds": 90},
            "x": "NaN",
        },
    }


def test_a_failed_evaluation_as_json() -> None:
    evaluation = compile_formula("$PendingTasks.GetSample(TimeInterval_Hour);").evaluate(Samples(), NOW)
    assert evaluation.to_json()["error"] == {
        "code": "InsufficientSampleData",
        "message": "Autoscale evaluation failed due to insufficient sample data",
        "values": [
            {
                "name": "Message",
                "value": "Line 1, Col 24: Insufficient data from data set: "
                "$PendingTasks wanted 70%, received 0%",
            }
        ],
    }


def test_samples_from_json() -> None:
    data = {
        "now": "2026-01-05T12:00:00Z",
        "period": 10,
        "pool": {"targetDedicatedNodes": 3, "usableNodeCount": 2, "taskSlotsPerNode": 4},
        "series": {
            "$PendingTasks": {"values": [4, None, 6]},
            "$RunningTasks": {"end": "2026-01-05T11:59:30Z", "values": [1]},
        },
    }
    samples, now = samples_from_json(data)
    assert now == NOW
    assert samples == Samples(
        10,
        {
            "$PendingTasks": TimeSeries([(NOW - 20, 4), (NOW, 6)]),
            "$RunningTasks": TimeSeries([(NOW - 30, 1)]),
        },
        PoolValues(target_dedicated=3, usable=2, task_slots_per_node=4),
    )
    assert samples_from_json({"series": {}}) == (Samples(), None)
    assert samples_from_json(data, NOW + 60)[1] == NOW + 60


BAD_SAMPLES = [
    ([], "the samples: must be a JSON object, not []"),
    ({}, "the samples need"),
    ({"serie": {}}, "unknown property 'serie'; did you mean series?"),
    (
        {"series": {"PendingTasks": {"values": []}}},
        "series.PendingTasks: there is no such metric; did you mean $Pend",
    ),
    ({"series": {"$CurrentDedicated": {"values": []}}}, "did you mean $CurrentDedicatedNodes?"),
    ({"series": {"$PendingTasks": {"values": [1]}}}, 'say when the last sample was taken, or give "now"'),
    (
        {"now": 0, "series": {"$PendingTasks": {"values": [1, "2"]}}},
        "series.$PendingTasks.values[1]: must be a number",
    ),
    ({"now": 0, "series": {"$PendingTasks": [1]}}, "series.$PendingTasks: must be a JSON object"),
    ({"now": "noon", "series": {}}, "now: 'noon' is not a time: write it like"),
    ({"period": 0, "series": {}}, "period: must be positive, not 0"),
    ({"pool": {"targetNodes": 1}, "series": {}}, "pool: unknown property 'targetNodes'"),
    ({"pool": {"usableNodeCount": True}, "series": {}}, "pool.usableNodeCount: must be a number, not true"),
]


@pytest.mark.parametrize(("data", "message"), BAD_SAMPLES)
def test_bad_samples_name_the_place_and_the_cure(data: object, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        samples_from_json(data)
    assert message in str(refused.value)


def test_rand_follows_the_generator_or_the_time() -> None:
    import random

    compiled = compile_formula("a = rand(); b = rand();")
    seeded = [compiled.evaluate(Samples(), NOW, random.Random(5)).variables for _ in range(2)]
    assert seeded[0] == seeded[1]
    expected = random.Random(5)
    assert seeded[0] == {"a": expected.random(), "b": expected.random()}
    assert compiled.evaluate(Samples(), NOW).variables == compiled.evaluate(Samples(), NOW).variables
    assert compiled.evaluate(Samples(), NOW).variables != compiled.evaluate(Samples(), NOW + 1).variables


def test_a_series_grows_at_its_end_only() -> None:
    series = TimeSeries([(0.0, 1), (30.0, 2)])
    for time, value in ((30.0, 3), (10.0, 3), (60.0, float("nan")), (float("inf"), 1)):
        with pytest.raises(ValueError):
            series.append(time, value)
    assert len(series) == 2


def test_a_trimmed_series_still_counts_right() -> None:
    series = TimeSeries((30.0 * index, float(index)) for index in range(100))
    series.trim(300.0)
    assert (len(series), series.times[0]) == (90, 300.0)
    samples = Samples(series={"$PendingTasks": series})
    text = "a = sum($PendingTasks.GetSample(2 * TimeInterval_Minute, 0))"
    assert compile_formula(text).evaluate(samples, 420.0).variables == {"a": 11 + 12 + 13 + 14}
    series.append(3000.0, 0.5)
    assert compile_formula(text).evaluate(samples, 3000.0).variables == {"a": 97 + 98 + 99 + 0.5}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970", 0.0),
        ("1970-01-02", 86400.0),
        ("1970-01-01T01:00+01:00", 0.0),
        ("1970-01-01T00:00:00.1234567-00:30", 1800.1234567),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 10.0),
        ("1 Feb 1970 00:00:00 GMT", 31 * 86400.0),
    ],
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "1970-13-01", "1970-01-01T25:00Z", "1970-01-01T00:00:00.12345678Z", "70-01-01"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


def test_a_negative_target_of_the_pool_is_told_by_its_name() -> None:
    evaluation = compile_formula("a = 1").evaluate(Samples(pool=PoolValues(target_low_priority=-3)), NOW)
    assert evaluation.low_priority == 0
    assert evaluation.warnings == ("$TargetLowPriorityNodes was -3, which is taken as 0",)


def test_a_long_interval_is_written_out() -> None:
    evaluation = compile_formula("a = -1e305 * TimeInterval_Second").evaluate(Samples(), NOW)
    days, clock = evaluation.results.partition(";a=-")[2].split(".")
    assert (int(days) * 86400 + 16 * 3600 + 10 * 60 + 40, clock) == (int(1e305), "16:10:40")


def test_times_are_written_with_milliseconds() -> None:
    assert format_time(1476386327.805) == "2016-10-13T19:18:47.805Z"
    assert format_time(-62135596800.0) == "0001-01-01T00:00:00.000Z"
