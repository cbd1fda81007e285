"""The formats in which `ebbtide formula check` tells machines what it found."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .test_formula_check import BAD, COMPUTED, GOOD, TERRAFORM, WARNED, check, uri_of


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_json():
    Path("main.tf").write_text(TERRAFORM)
    run = check("main.tf", "--json", "--select", "F201")
    assert run.exit_code == 1
    assert json.loads(run.stdout) == [
        {
            "file": "main.tf", "code": "F201", "severity": "error", "message": "foo is not defined", "hint": None,
            "line": 5, "column": 49, "endLine": 5, "endColumn": 52,
        }
    ]  # fmt: skip
    Path("good.formula").write_text(GOOD)
    assert json.loads(check("good.formula", "--format", "json").stdout) == []


def test_github():
    Path("a,b:c%.formula").write_text(BAD)
    Path("w.formula").write_text(WARNED)
    run = check("a,b:c%.formula", "w.formula", "absent", "--format", "github", "--select", "F107,F310")
    assert run.exit_code == 2
    first, second, third = run.stdout.splitlines()
    assert first == (
        "::error file=a%2Cb%3Ac%25.formula,line=2,col=42,endLine=2,endColumn=47,title=F107::"
        "invalid character `#`: it does not start a comment%0Acomments start with // and go to the end of the line"
    )
    assert second.startswith("::warning file=w.formula,line=1,col=32,endLine=1,endColumn=45,title=F310::")
    assert third.startswith("::error file=absent::absent: cannot be read: No such file")
    assert check("w.formula", "--strict", "--format", "github").stdout.startswith("::error file=w.formula,")


def test_sarif():
    Path("bad.formula").write_text("\ufeff" + BAD)
    Path("p q.json").write_text('{"autoScaleFormula": "a = 1\\n\\tb = a;"}')
    Path("main.tf").write_text(COMPUTED)
    run = check("bad.formula", "p q.json", "main.tf", "absent", "--format", "sarif")
    assert run.exit_code == 2
    log = json.loads(run.stdout)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (told,) = log["runs"]
    assert told["columnKind"] == "unicodeCodePoints"
    (invocation,) = told["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "absent: cannot be read" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    rules = told["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for result in told["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"] and result["level"] in ("error", "warning", "note")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"] and min(region.values()) >= 1
    by_code = {(result["ruleId"], uri_of(result)): result for result in told["results"]}
    assert by_code["F701", "main.tf"]["level"] == "warning"
    mended = by_code["F105", "p%20q.json"]
    assert mended["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "autoScaleFormula"}]
    assert replaced(Path("p q.json").read_text(), mended) == '{"autoScaleFormula": "a = 1;\\n\\tb = a;"}'
    assert replaced(BAD, by_code["F107", "bad.formula"]) == BAD.replace("# one", "// one")


def replaced(content, result):
    """The document after the fix of a SARIF result."""
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    starts = [0, *(match.end() for match in re.finditer("\n", content))]
    start = starts[region["startLine"] - 1] + region["startColumn"] - 1
    end = starts[region["endLine"] - 1] + region["endColumn"] - 1
    return content[:start] + replacement["insertedContent"]["text"] + content[end:]


def test_junit():
    Path("bad.formula").write_text(BAD)
    Path("p.json").write_text(json.dumps([{"autoScaleFormula": GOOD}, {"autoScaleFormula": WARNED}]))
    run = check("bad.formula", "p.json", "absent", "--format", "junit")
    assert run.exit_code == 2
    suites = ElementTree.fromstring(run.stdout)
    cases = {(case.get("classname"), case.get("name")): case for case in suites.iter("testcase")}
    assert set(cases) == {
        ("bad.formula", "bad.formula"),
        ("p.json", "[0].autoScaleFormula"),
        ("p.json", "[1].autoScaleFormula"),
        ("absent", "absent"),
    }
    assert "F201: foo is not defined" in cases["bad.formula", "bad.formula"].findtext("failure", "")
    assert list(cases["p.json", "[0].autoScaleFormula"]) == []
    assert "F310" in cases["p.json", "[1].autoScaleFormula"].findtext("system-out", "")
    assert [error.get("message") for error in cases["absent", "absent"]] == [
        "absent: cannot be read: No such file or directory"
    ]
    assert [(suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in suites] == [
        ("1", "1", "0"),
        ("2", "0", "0"),
        ("1", "0", "1"),
    ]
