"""What case files read from elsewhere: formulas of documents, and recorded samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from formula.cases import (
    CaseFileError,
    CaseResult,
    CoveredFormulas,
    coverage_record,
    failure_text,
    read_cases,
    read_given,
    run_case,
)

HEAD = "formula\n    n = max(0, $PendingTasks.GetSample(1));\n    $TargetDedicatedNodes = n > 3 ? 3 : n;\n"


def run(text: str, folder: Path) -> list[CaseResult]:
    return [run_case(case) for case in read_cases("x.formula-test", text, folder).cases]


def test_formulas_of_documents(tmp_path: Path) -> None:
    pools = [{"id": name, "autoScaleFormula": f"a = {name};\n"} for name in ("1", "2")]
    (tmp_path / "pools.json").write_text(json.dumps(pools), encoding="utf-8")
    (tmp_path / "one.formula").write_text("a = 3;", encoding="utf-8")
    text = "case a\nformula pools.json#[1]\nexpect a == 2\ncase b\nformula one.formula\nexpect a == 3\n"
    assert [result.passed for result in run(text, tmp_path)] == [True, True]
    with pytest.raises(CaseFileError, match="has several formulas; choose one with pools"):
        run("formula pools.json\ncase a\nexpect a == 2\n", tmp_path)
    with pytest.raises(CaseFileError, match=r"no formula at \[7\]; there are: "):
        run("formula pools.json#[7]\ncase a\nexpect a == 2\n", tmp_path)


TERRAFORM = """\
resource "azurerm_batch_pool" "p" {
  auto_scale {
    formula = <<EOF
      cap = ${var.most} + ${ max(1, 2) }; // ${var.about}
      $TargetDedicatedNodes = cap > ${var.most} ? cap : 2;
EOF
  }
}
"""


def test_placeholders_get_their_values(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(TERRAFORM, encoding="utf-8")
    text = "formula main.tf\ngiven var.most 20\ngiven ${max(1, 2)} = 0.5\n"
    text += "case a\nexpect $TargetDedicatedNodes == 20\ncase b\ngiven var.most 4\nexpect cap == 4.5\n"
    text += "case c\ngiven max(1, 2) -1\nexpect $TargetDedicatedNodes == 2\n"
    with pytest.raises(CaseFileError) as refused:
        run(text.replace("given var.most 20\n", ""), tmp_path)
    assert refused.value.problems[0].endswith("the formula has placeholders: var.most; write `given var.most 20`")
    results = run(text.replace("${max(1, 2)}", "${ max(1,  2) }"), tmp_path)
    assert [result.passed for result in results] == [True, True, True]
    # Places are those in the document, also behind longer and shorter numbers.
    formula = results[0].case.formula
    assert formula.position(formula.text.index("2;")) == (5, 57)
    covered = CoveredFormulas()
    for result in results:
        covered.add(coverage_record(result))
    (entry,) = covered.formulas
    assert (len(entry.coverage.points), entry.coverage.percent) == (2, 100.0)
    with pytest.raises(CaseFileError, match="write the placeholder and its number"):
        run(text.replace("most 20", "most many"), tmp_path)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("var.most 20", ("var.most", "20")),
        ("var.most=20", ("var.most", "20")),
        ("${ var.most } = -0.5", ("var.most", "-0.5")),
        ("max(1,  2) 3.", ("max(1, 2)", "3.")),
        ("parameters('n')  4", ("parameters('n')", "4")),
    ],
)
def test_how_values_of_placeholders_are_written(text: str, given: tuple[str, str]) -> None:
    assert read_given(text) == given


@pytest.mark.parametrize("text", ["", "20", "= 20", "var.most", "var.most 1e3 x", "var.most 20%"])
def test_what_is_no_value_of_a_placeholder(text: str) -> None:
    with pytest.raises(ValueError, match=r"write the placeholder and its number, like var.most = 20"):
        read_given(text)


def test_samples_of_a_recording(tmp_path: Path) -> None:
    recording = {
        "now": "2026-02-01T00:00:00Z",
        "pool": {"targetLowPriorityNodes": 5},
        "series": {"$PendingTasks": {"values": [1, 2]}, "$RunningTasks": {"values": [9]}},
    }
    (tmp_path / "recorded.json").write_text(json.dumps(recording), encoding="utf-8")
    (tmp_path / "recorded.csv").write_text(
        "time,$PendingTasks\n2026-01-05T12:00:00Z,1\n2026-01-05T12:00:30Z,2\n", encoding="utf-8"
    )
    text = f"{HEAD}case a\nsamples recorded.json\nexpect n == 2\nexpect $TargetLowPriorityNodes == 5\n"
    text += "case b\nsamples recorded.json\n$PendingTasks 3\npool targetLowPriorityNodes=1\nexpect n == 3\n"
    text += "expect $TargetLowPriorityNodes == 1\n"
    text += "case c\nnow 2026-01-05T12:00:00Z\nsamples recorded.csv\nexpect n == 1\nat +1m\nexpect n == 2\n"
    for result in run(text, tmp_path):
        assert result.passed, failure_text(result)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.csv", "time,PendingTasks,CurrentDedicatedNodes\n0,1,7\n30,2,8\n60,3,9\n"),
        (
            "s.json",
            '{"pool": {"currentDedicatedNodes": 8}, "series": {"$PendingTasks": '
            '{"end": "1970-01-01T00:01:00Z", "values": [1, 2, 3]}}}',
        ),
    ],
)
def test_a_recording_stays_where_it_is_when_time_goes_on(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    head = "formula\n    n = $PendingTasks.GetSample(9);\n    c = $CurrentDedicatedNodes;\n"
    story = "now 1970-01-01T00:00:30Z\nexpect n == [2, 1]\nexpect c == 8\nat +5m\nexpect n == [3, 2, 1]\n"
    (result,) = run(f"{head}case a\nsamples {name}\n{story}", tmp_path)
    assert result.passed, failure_text(result)


def test_a_recording_without_times_ends_when_the_case_plays(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"series": {"$PendingTasks": {"values": [1, 2]}}}', encoding="utf-8")
    head = "formula\n    age = time() - $PendingTasks.HistoryBeginTime();\n"
    story = "now 2026-01-05\nexpect age == 30s\nat +5m\nexpect age == 330s\n"
    (result,) = run(f"{head}case a\nsamples s.json\n{story}", tmp_path)
    assert result.passed, failure_text(result)
