"""`ebbtide formula test` and `ebbtide formula explain`: what they print, and their exit codes."""

import json
import os
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from service.cli.formula.sparkline import numbers, sparkline
from service.cli.main import main

FORMULA = """\
n = max(0, $PendingTasks.GetSample(1));
$TargetDedicatedNodes = n > 3 ? 3 : n;
"""
CASES = """\
formula pool.formula
case few tasks
    $PendingTasks 2
    expect $TargetDedicatedNodes == 2
case many tasks
    $PendingTasks 7
    expect $TargetDedicatedNodes == 7
"""
GOOD = CASES.replace("== 7", "== 3")
HALF = CASES.split("case many")[0]


def ebbtide(*words, stdin=None):
    return CliRunner().invoke(main, ["formula", *(str(word) for word in words)], input=stdin)


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pool.formula").write_text(FORMULA)

    def written(text, name="pool.formula-test"):
        (tmp_path / name).write_text(text)
        return name

    return written


# -- test ------------------------------------------------------------------------------------------------------


def test_all_passed(write):
    result = ebbtide("test", write(GOOD))
    assert (result.exit_code, result.stdout) == (0, "2 cases: 2 passed, 0 failed\n")


def test_a_failure_is_a_difference(write):
    write(CASES)
    result = ebbtide("test", ".")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "FAILED pool.formula-test:5: many tasks",
        "  pool.formula-test:7: expect $TargetDedicatedNodes == 7",
        "    - $TargetDedicatedNodes == 7",
        "    + $TargetDedicatedNodes = 3",
        "      $TargetDedicatedNodes = n (7) > 3 ? 3 : n",
        "",
        "2 cases: 1 passed, 1 failed",
    ]


def test_json(write):
    data = json.loads(ebbtide("test", write(CASES), "--json").stdout)
    assert (data["passed"], data["failed"], data["coverage"]["percent"]) == (1, 1, 100.0)
    assert data["cases"][0] == {
        "file": "pool.formula-test", "line": 2, "name": "few tasks", "passed": True, "failures": [],
    }  # fmt: skip
    assert data["cases"][1]["failures"] == [
        {
            "line": 7,
            "time": "2026-01-05T12:00:00.000Z",
            "expectation": "$TargetDedicatedNodes == 7",
            "expected": ["$TargetDedicatedNodes == 7"],
            "actual": ["$TargetDedicatedNodes = 3"],
            "notes": ["$TargetDedicatedNodes = n (7) > 3 ? 3 : n"],
        }
    ]


@pytest.mark.parametrize(
    ("text", "options", "code", "told"),
    [
        (HALF, ["--coverage"], 0, " 50.0 %  pool.formula: 1 of 2 branches"),
        (HALF, ["--coverage"], 0, "pool.formula:2:33: never taken: 3 (its condition was never true)"),
        (HALF, ["--fail-under", "50"], 0, " 50.0 %  of all branches"),
        (HALF, ["--fail-under", "50.1"], 1, "coverage is 50.0 %, less than 50.1 %"),
        (GOOD, ["--coverage", "--fail-under", "100"], 0, "100.0 %  pool.formula: 2 of 2 branches"),
    ],
)
def test_coverage(write, text, options, code, told):
    result = ebbtide("test", write(text), *options)
    assert result.exit_code == code
    assert told in result.output


def test_junit(write):
    ebbtide("test", write(CASES.replace("many tasks", "many <\x01> tasks")), "--junit", "report.xml")
    (suite,) = ElementTree.parse("report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    few, many = suite
    assert (few.get("name"), few.get("line"), len(few)) == ("few tasks", "2", 0)
    assert many.get("name") == "many <\ufffd> tasks"
    assert "+ $TargetDedicatedNodes = 3" in (many[0].text or "")


def test_update(write, tmp_path):
    name = write(CASES)
    os.chmod(name, 0o640)
    assert ebbtide("test", name, "--update").exit_code == 1
    assert (tmp_path / name).read_text() == GOOD
    assert os.stat(name).st_mode & 0o777 == 0o640
    assert ebbtide("test", name, "--update").exit_code == 0
    assert (tmp_path / name).read_text() == GOOD


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere: there is no such file or directory"),
        (["empty"], "empty: there is no case file"),
        (["bad.formula-test"], "bad.formula-test:1: a line cannot begin with 'cas'; did you mean case?"),
        (["good.formula-test", "--fail-under", "101"], "--fail-under"),
    ],
)
def test_what_cannot_be_run(write, tmp_path, words, message):
    write("cas x\n", "bad.formula-test")
    write(GOOD, "good.formula-test")
    (tmp_path / "empty").mkdir()
    result = ebbtide("test", *words)
    assert result.exit_code == 2
    assert message in result.stderr


# -- explain ---------------------------------------------------------------------------------------------------

SAMPLES = {
    "now": "2026-01-05T12:00:00Z",
    "series": {"$PendingTasks": {"values": [4, 4, None, 5]}, "$RunningTasks": {"values": [1]}},
}


def explained(write, text, *options):
    write(json.dumps(SAMPLES), "samples.json")
    return ebbtide("explain", write(text, "x.formula"), "--samples", "samples.json", *options)


def test_explain(write):
    text = """\
// most
cap = 3;
n = $PendingTasks.GetSamplePercent(2 * TimeInterval_Minute) < 70
    ? 1 : avg($PendingTasks.GetSample(2 * TimeInterval_Minute));
a = cap > 5 && n > 1;
$TargetDedicatedNodes = min(cap, n);
b = avg($RunningTasks.GetSample(2 * TimeInterval_Minute));
c = 1;
"""
    result = explained(write, text)
    assert result.exit_code == 1
    error = (
        "InsufficientSampleData: Autoscale evaluation failed due to insufficient sample data "
        "(Line 7, Col 32: Insufficient data from data set: $RunningTasks wanted 70%, received 25%)"
    )
    seen = "$PendingTasks 11:58:00 to 12:00:00: 3 of 4 samples (75 %"
    assert result.stdout.splitlines() == [
        "   2  cap = 3",
        "      = 3",
        "   3  n = $PendingTasks.GetSamplePercent(2 * TimeInterval_Minute) < 70",
        "      ? 1 : avg($PendingTasks.GetSample(2 * TimeInterval_Minute))",
        f"        {seen}): 4 4 _ 5",
        f"        {seen}, wanted 70 %): 4 4 _ 5",
        "        $PendingTasks.GetSamplePercent(2 * TimeInterval_Minute) (75) < 70 is false, so "
        "avg($PendingTasks.GetSample(2 * TimeInterval_Minute) ([5, 4, 4]))",
        "      = 4.33333",
        "   5  a = cap > 5 && n > 1",
        "        cap (3) > 5 && n > 1",
        "        cap (3) > 5 is false, so n > 1 was not computed",
        "      = 0",
        "   6  $TargetDedicatedNodes = min(cap, n)",
        "        min(cap (3), n (4.33333))",
        "      = 3",
        "   7  b = avg($RunningTasks.GetSample(2 * TimeInterval_Minute))",
        "        $RunningTasks 11:58:00 to 12:00:00: 1 of 4 samples (25 %, wanted 70 %): _ _ _ 1",
        f"      failed: {error}",
        "   8  c = 1",
        "      not reached",
        "",
        "at 2026-01-05T12:00:00.000Z",
        "$TargetDedicatedNodes = 0",
        "$TargetLowPriorityNodes = 0",
        "$NodeDeallocationOption = requeue",
        f"error: {error}",
        "the targets stay as they were",
        "results: $TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;"
        "a=0;cap=3;n=4.333333333333333",
    ]


def test_explain_stops_and_warns(write):
    result = explained(write, "$TargetDedicatedNodes = -1; stop(); a = $PendingTasks.Count();")
    assert result.exit_code == 0
    assert "      stopped: what was assigned so far counts\n" in result.stdout
    assert "warning: $TargetDedicatedNodes was -1, which is taken as 0\n" in result.stdout


def test_explain_as_json(write):
    result = explained(write, "a = rand();", "--json", "--seed", "7", "--now", "2026-01-05T13:00:00Z")
    data = json.loads(result.stdout)
    assert data["timestamp"] == "2026-01-05T13:00:00.000Z"
    assert data["statements"][0]["value"] == data["variables"]["a"] == 0.32383276483316237


def test_eval_takes_a_seed(write):
    write(json.dumps(SAMPLES), "samples.json")
    write("a = rand();", "x.formula")
    data = json.loads(ebbtide("eval", "x.formula", "--samples", "samples.json", "--seed", "7", "--json").stdout)
    assert data["variables"]["a"] == 0.32383276483316237


@pytest.mark.parametrize(("command", "equals"), [("explain", " = "), ("eval", "=")])
def test_documents_and_standard_input(write, command, equals):
    write(json.dumps(SAMPLES), "samples.json")
    write(json.dumps([{"autoScaleFormula": f"a = {number};"} for number in (1, 2)]), "pools.json")
    result = ebbtide(command, "pools.json", "--samples", "samples.json", "--where", "[1].autoScaleFormula")
    assert f"a{equals}2" in result.stdout
    assert f"a{equals}3" in ebbtide(command, "-", "--samples", "samples.json", stdin="a = 3;").stdout
    assert ebbtide(command, "pools.json", "--samples", "samples.json").exit_code == 2
    assert ebbtide(command, "pools.json", "--samples", "absent.json").exit_code == 2


@pytest.mark.parametrize("command", ["explain", "eval"])
def test_placeholders_want_values(write, command):
    write(json.dumps(SAMPLES), "samples.json")
    write('auto_scale {\n  formula = "a = ${var.most} + 1;"\n}\n', "main.tf")
    words = [command, "main.tf", "--samples", "samples.json"]
    assert "a=21" in ebbtide(*words, "--given", "var.most=20").stdout
    refused = ebbtide(*words)
    assert refused.exit_code == 2
    assert "write --given 'var.most=20'" in refused.stderr
    assert ebbtide(*words, "--given", "var.most").exit_code == 2


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a = ;", [], "x.formula:1:"),
        ("a = 1;", ["--now", "noon"], "--now"),
        ("a = 1;", ["--where", "nowhere"], "nowhere"),
    ],
)
def test_explain_refuses(write, text, options, message):
    result = explained(write, text, *options)
    assert result.exit_code == 2
    assert message in result.stderr


# -- samples in one line ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "bars", "digits"),
    [
        ([], "", ""),
        ([0, 0], "▁▁", "0 0"),
        ([0, None, 4, 8], "▁·▅█", "0 _ 4 8"),
        ([None], "·", "_"),
        ([-8, 0, 8], "▁▅█", "-8 0 8"),
        ([0.5, 1], "▅█", "0.5 1"),
    ],
)
def test_samples_in_one_line(values, bars, digits):
    assert (sparkline(values), numbers(values)) == (bars, digits)


def test_many_samples_share_bars():
    bars = sparkline([0.0] * 300 + [8.0] + [0.0] * 299 + [None] * 600)
    assert (len(bars), bars.count("█"), bars.count("·")) == (60, 1, 30)
    assert numbers([1.0] * 50) == "... " + " ".join(["1"] * 40)
