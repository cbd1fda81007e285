"""Reading and running case files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formula.cases import (
    CaseFile,
    CaseFileError,
    CaseResult,
    CoveredFormulas,
    case_files,
    coverage_record,
    failure_text,
    read_case_file,
    read_cases,
    run_case,
    updated,
)

HEAD = "formula\n    n = max(0, $PendingTasks.GetSample(1));\n    $TargetDedicatedNodes = n > 3 ? 3 : n;\n"


def read(text: str, folder: Path = Path()) -> CaseFile:
    return read_cases("x.formula-test", text, folder)


def run(text: str, folder: Path = Path()) -> list[CaseResult]:
    return [run_case(case) for case in read(text, folder).cases]


def passes(body: str, head: str = HEAD) -> bool:
    (result,) = run(f"{head}case c\n{body}")
    return result.passed


BODIES = [
    ("$PendingTasks 2\nexpect $TargetDedicatedNodes == 2", True),
    ("$PendingTasks 2\nexpect $TargetDedicatedNodes == 1", False),
    ("$PendingTasks 2\nexpect $TargetDedicated = 2", True),
    ("$PendingTasks 9\nexpect n >= 9\nexpect n < 9.5", True),
    ("$PendingTasks 9\nexpect n > 9", False),
    ("$PendingTasks 9\nexpect n == 10 +- 1", True),
    ("$PendingTasks 9\nexpect n == 10 ± 5%", False),
    ("$PendingTasks 9\nexpect m == 9", False),
    ("expect $TargetLowPriorityNodes == 0\npool targetLowPriorityNodes=4", False),
    ("pool targetLowPriorityNodes=4\nexpect $TargetLowPriorityNodes == 4", True),
    ("pool $TargetLowPriorityNodes=4\nexpect $TargetLowPriority == 4", True),
    ("expect $NodeDeallocationOption == requeue", True),
    ("expect $NodeDeallocationOption == taskcompletion", False),
    ("expect results $TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;n=0", True),
    ("expect results $TargetDedicatedNodes=0;$NodeDeallocationOption=requeue;n=0", False),
    ("expect error", False),
    ("expect no warnings", True),
    ("expect warning x", False),
    ("expect no diagnostic F201", True),
    ("expect diagnostic F201", False),
    ("formula\n  a = b;\nexpect error b is not defined", True),
    ("formula\n  a = b;\nexpect error AutoScalingFormulaEvaluationError", True),
    ("formula\n  a = b;\nexpect error \"c is not\"", False),
    ("formula\n  a = b;\nexpect $TargetDedicatedNodes == 0", False),
    ("formula\n  a = b;\nexpect diagnostic F201", True),
    ("formula\n  a = b;\nexpect diagnostic F201 line 1", True),
    ("formula\n  a = b;\nexpect diagnostic F201 line 2", False),
    ("formula\n  a = b;\nexpect no diagnostics", False),
    ("formula\n  a = b;\nexpect no diagnostic F201", False),
    ("formula\n  a = ;\nexpect a == 1", False),
    ("formula\n  $TargetDedicatedNodes = -1;\nexpect warning taken as 0", True),
    ("formula\n  $TargetDedicatedNodes = -1;\nexpect no warnings", False),
    ("formula\n  a = time().hour;\nexpect a == 12", True),
    ("formula\n  a = time().hour;\nnow 2026-01-05T07:30:00Z\nexpect a == 7", True),
    ("formula\n  a = $PendingTasks.GetSamplePeriod();\nperiod 10s\nexpect a == 10s", True),
    ("formula\n  a = rand();\nseed 7\nexpect a == 0.32383276483316237", True),
    ("formula\n  a = rand();\nseed 8\nexpect a == 0.32383276483316237", False),
    ("formula:\n  a = 1; // not a comment of the case file\nexpect: a == 1 // but this is one", True),
    # What comes later is not seen before.
    ("$PendingTasks 1 | 2\nexpect n == 1\nat +30s\nexpect n == 2", True),
    ("$PendingTasks 1 | 2\nat +29s\nexpect n == 2", False),
    ("$PendingTasks 1 | 2x3\nat +30s to +90s every 30s\nexpect n == 2", True),
    ("$PendingTasks 1 | 2x2 3\nat +30s to +90s every 30s\nexpect n == 2", False),
    ("at 2026-01-05T12:30:00Z\nexpect n == 0", True),
]


@pytest.mark.parametrize(("body", "result"), BODIES)
def test_expectations(body: str, result: bool) -> None:
    assert passes(body) is result


def test_the_pool_reaches_what_was_decided() -> None:
    text = (
        "formula\n  a = $CurrentDedicatedNodes; u = $UsableNodeCount;\n"
        "  $TargetDedicatedNodes = $TargetDedicatedNodes + 1;\n"
        "case c\npool targetDedicatedNodes=2\n"
        "at +0\n expect a == 0\n expect $TargetDedicatedNodes == 3\n"
        "at +5m\n expect a == 3\n expect u == 3\n expect $TargetDedicatedNodes == 4\n"
        "at +10m to +20m every 5m\n"
        "at +25m\n expect a == 7\n pool usableNodeCount=1\n expect u == 1\n expect $TargetDedicatedNodes == 8\n"
    )
    (result,) = run(text)
    assert result.passed, failure_text(result)


def test_a_failed_run_moves_nothing() -> None:
    text = (
        "formula\n  $TargetDedicatedNodes = 5; a = avg($PendingTasks.GetSample(TimeInterval_Minute));\n"
        "case c\npool targetDedicatedNodes=2 currentDedicatedNodes=1\n$PendingTasks | _x4 1x1m\n"
        "at +1m\n expect error InsufficientSampleData\nat +2m\n expect error\n expect $TargetDedicatedNodes == 2\n"
        "at +3m\n expect $TargetDedicatedNodes == 5\n"
    )
    (result,) = run(text)
    assert result.passed, failure_text(result)


def test_cases_share_what_stands_above_them_and_change_it_for_themselves() -> None:
    text = f"{HEAD}$PendingTasks 3\npool targetLowPriorityNodes=1\ncase a\n expect n == 3\ncase b\n $PendingTasks 1\n"
    text += " pool targetLowPriorityNodes=2\n expect n == 1\n expect $TargetLowPriorityNodes == 2\n"
    text += "case c\n expect n == 3\n expect $TargetLowPriorityNodes == 1\n"
    assert [result.passed for result in run(text)] == [True, True, True]


def test_a_failure_shows_the_difference_and_the_reason() -> None:
    (result,) = run(f"{HEAD}case c\n$PendingTasks 7\nexpect $TargetDedicatedNodes == 7\nat +5m\nexpect n < 7")
    assert failure_text(result).splitlines() == [
        "x.formula-test:6: expect $TargetDedicatedNodes == 7",
        "  - $TargetDedicatedNodes == 7",
        "  + $TargetDedicatedNodes = 3",
        "    $TargetDedicatedNodes = n (7) > 3 ? 3 : n",
        "at 2026-01-05T12:05:00.000Z (+5m)",
        "x.formula-test:8: expect n < 7",
        "  - n < 7",
        "  + n = 7",
        "    n = max(0, $PendingTasks.GetSample(1) ([7]))",
    ]


def test_a_syntax_error_is_told_where_it_stands() -> None:
    (result,) = run("case c\n    formula\n\n      a = 1;\n      b = 1 +;\n    expect a == 1\n")
    assert "+ x.formula-test:5:13: F117" in failure_text(result)


BAD_FILES = [
    ("", "x:1: there is no case in it; write `case` and its name"),
    (HEAD, "x:1: there is no case in it"),
    (f"{HEAD}case\nexpect n == 1", "x:4: the case needs a name"),
    ("case c\nexpect a == 1", "x:1: the case has no formula"),
    (f"{HEAD}case c", "x:4: the case expects nothing"),
    (f"{HEAD}case c\nat +5m", "x:4: the case expects nothing"),
    (f"{HEAD}expect n == 1\ncase c\nexpect n == 0", "x:4: `expect` belongs to a case"),
    (f"{HEAD}at +5m\ncase c\nexpect n == 0", "x:4: `at` belongs to a case"),
    (f"{HEAD}case c\nexpct n == 1", "x:5: a line cannot begin with 'expct'; did you mean expect?"),
    (f"{HEAD}case c\nexpect n == 1\nexpct n == 1", "x:6: a line cannot begin with 'expct'; did you mean expect?"),
    (f"{HEAD}case c\nnothing\nexpect n == 1", "known are case, formula, now,"),
    (f"{HEAD}case c\n$PendingTask 1\nexpect n == 1", "x:5: there is no metric $PendingTask; did you mean $Pend"),
    (f"{HEAD}case c\n$CurrentDedicated 1\nexpect n == 1", "did you mean $CurrentDedicatedNodes?"),
    (f"{HEAD}case c\n$PendingTasks 4y\nexpect n == 1", "x:5: '4y' is no sample"),
    (f"{HEAD}case c\nexpect n == 1\n$PendingTasks 4", "x:6: $PendingTasks: must stand before the first `at`"),
    (f"{HEAD}case c\nexpect n == 1\nnow 2026-01-05", "x:6: now: must stand before"),
    (f"{HEAD}case c\nexpect n", "x:5: `expect n` compares nothing; write `expect n == 3`"),
    (f"{HEAD}case c\nexpect n ==", "x:5: `expect n ==`: the value is missing"),
    (f"{HEAD}case c\nexpect 3 == n", "x:5: behind `expect` stands a comparison"),
    (f"{HEAD}case c\nexpect no error", "write `expect no warnings`, `expect no diagnostics`"),
    (f"{HEAD}case c\nexpect diagnostic F20", "x:5: there is no diagnostic F20"),
    (f"{HEAD}case c\nexpect diagnostic F201 at 3", "write it like `diagnostic F201 line 3`"),
    (f"{HEAD}case c\nat 5m\nexpect n == 0", "x:5: '5m' is not a time"),
    (f"{HEAD}case c\nat +5m to +9m\nexpect n == 0", "x:5: write it like `at +5m`"),
    (f"{HEAD}case c\nat +5m to +1m every 1m\nexpect n == 0", "the end is before the beginning"),
    (f"{HEAD}case c\nat +0 to +9w every 1s\nexpect n == 0", "more than 100000 runs"),
    (f"{HEAD}case c\nat +5m\nexpect n == 0\nat +5m\nexpect n == 0", "x:7: at +5m: is not later than the"),
    (f"{HEAD}case c\nnow noon\nexpect n == 0", "x:5: 'noon' is not a time: write it like 2026-"),
    (f"{HEAD}case c\nperiod 0\nexpect n == 0", "x:5: the period must be longer"),
    (f"{HEAD}case c\nseed x\nexpect n == 0", "x:5: the seed is a whole number"),
    (f"{HEAD}case c\npool nodes=3\nexpect n == 0", "x:5: pool: nothing is called nodes"),
    (f"{HEAD}case c\npool usableNodeCount = 3\nexpect n == 0", "without spaces around ="),
    (f"{HEAD}case c\npool usableNodeCount=-3\nexpect n == 0", "a number from 0 on, not '-3'"),
    (f"{HEAD}case c\npool\nexpect n == 0", "x:5: pool: write it like"),
    ("formula nowhere.formula\ncase c\nexpect n == 0", "nowhere.formula: No such file or directory; the path is"),
    ("formula\ncase c\nexpect n == 0", "x:1: write the formula's lines below, indented deeper, or its file"),
    (f"{HEAD}case c\nexpect warning", "x:5: write what warning is expected: `expect warning TEXT`"),
    (f"{HEAD}case c\n$PendingTasks 1\n$PendingTasks 2\nexpect n == 0", "x:6: $PendingTasks has samples in line 5"),
    (f"$PendingTasks 1\n$PendingTasks 2\n{HEAD}case c\nexpect n == 0", "x:2: $PendingTasks has samples in line 1"),
    (f"{HEAD}samples nowhere.json\ncase c\nexpect n == 0", "x:4: nowhere.json: No such file"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_bad_files_name_the_place_and_the_cure(text: str, message: str) -> None:
    with pytest.raises(CaseFileError) as refused:
        read_cases("x", text, Path())
    assert message in str(refused.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(CaseFileError) as refused:
        read_cases("x", f"{HEAD}case c\nexpct n == 1\nexpect n == 1\nsed 3\ncase d\n", Path())
    assert [problem.split()[0] for problem in refused.value.problems] == ["x:5:", "x:7:", "x:8:"]


PIECES = [*HEAD.split(" "), "case c", "expect", "n == 1", "at", "+5m", "\n"]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        file = read(text)
    except CaseFileError as refused:
        assert refused.problems
    else:
        for case in file.cases:
            run_case(case)


def test_case_files_of_a_directory(tmp_path: Path) -> None:
    names = ("b.formula-test", "sub/a.formula-test", ".hidden/c.formula-test", "d.txt")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert case_files([tmp_path, tmp_path / "b.formula-test"]) == [tmp_path / name for name in names[:2]]
    assert case_files([tmp_path / "d.txt"]) == [tmp_path / "d.txt"]
    with pytest.raises(CaseFileError, match="no such file"):
        case_files([tmp_path / "e"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(CaseFileError, match="there is no case file; their names end in"):
        case_files([tmp_path / "empty"])


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.formula-test").write_bytes(b"\xff\xfe")
    with pytest.raises(CaseFileError, match="is not UTF-8"):
        read_case_file(tmp_path / "x.formula-test")


def test_update_writes_what_came_out() -> None:
    before = (
        f"{HEAD}case a\n$PendingTasks 2 | 3\n"
        "expect n  ==  1 // two\n"
        "expect $TargetDedicatedNodes = 1 +- 0.5\n"
        "expect n > 5\n"
        "expect results n=1\n"
        "at +0m30s to +5m every 30s\nexpect n == 4\n"
        "at +6m to +7m every 30s\nexpect n == 3\n"
    )
    file = read(before)
    text, changed = updated(file, [run_case(case) for case in file.cases])
    expected = before.replace("==  1 //", "==  2 //").replace("= 1 +- 0.5", "= 2 +- 0.5").replace("n == 4", "n == 3")
    expected = expected.replace(
        "results n=1",
        "results $TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;n=2",
    )
    assert (text, changed) == (expected, 4)


def test_what_runs_do_not_agree_on_is_not_updated() -> None:
    file = read(f"{HEAD}case a\n$PendingTasks | 1 2\nat +30s to +1m every 30s\nexpect n == 3\n")
    assert updated(file, [run_case(case) for case in file.cases]) == (file.text, 0)
    file = read(f"{HEAD}case a\n$PendingTasks | 1 2\nat +30s to +1m every 30s\nexpect n == 1\n")
    assert updated(file, [run_case(case) for case in file.cases]) == (file.text, 0)


def test_coverage_of_formulas_in_case_files() -> None:
    covered = CoveredFormulas()
    results = run(f"{HEAD}case a\n$PendingTasks 9\nexpect n == 9\n")
    covered.add(coverage_record(results[0]))
    assert covered.lines() == [
        " 50.0 %  x.formula-test:2: 1 of 2 branches",
        "         x.formula-test:3:41: never taken: n (its condition was never false)",
        " 50.0 %  of all branches",
    ]
    for result in run(f"{HEAD}case a\nexpect n == 0\n"):
        covered.add(json.loads(json.dumps(coverage_record(result))))
    assert covered.percent == 100.0
