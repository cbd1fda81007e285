"""`ebbtide formula check` on scenarios: the formulas that stand in them, and the files that they name."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
GOOD = "$TargetDedicatedNodes = 3;\n$NodeDeallocationOption = taskcompletion;\n"
BAD = "a = 1;\n$TargetDedicatedNodes = min(a, foo);\n$NodeDeallocationOption = taskcompletion;\n"
WORKLOAD = "workload: {recurring: {every: PT1H, tasks: 3, duration: PT4M, for: PT5H}}\n"
SCENARIO = f"""formulas:
  - ../good.formula
  - name: mine
    formula: |
      a = 1;
      $TargetDedicatedNodes = min(a, bar);
      $NodeDeallocationOption = taskcompletion;
  - $TargetDedicatedNodes = baz;
  - formula: bad.formula
{WORKLOAD}"""


def check(*words, stdin=None):
    return CliRunner().invoke(main, ["formula", "check", *map(str, words)], input=stdin)


def places(run):
    """Errors, by file, line and column."""
    found = json.loads(run.stdout)
    return [(each["file"], each["line"], each["column"], each["code"]) for each in found if each["severity"] == "error"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    (tmp_path / "lab").mkdir()
    Path(tmp_path, "good.formula").write_text(GOOD)
    Path(tmp_path, "lab", "bad.formula").write_text(BAD)
    Path(tmp_path, "lab", "s.yaml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)


def test_every_fault_has_its_place_in_the_file_that_holds_it():
    run = check("lab/s.yaml", "--json")
    assert run.exit_code == 1
    assert places(run) == [
        ("lab/s.yaml", 6, 38, "F201"),
        ("lab/s.yaml", 8, 29, "F201"),
        ("lab/bad.formula", 2, 32, "F201"),
    ]
    assert check("lab/s.yaml").stderr.endswith("3 files, 3 errors\n")


def test_scenarios_in_json():
    formulas = ["$TargetDedicatedNodes = baz;", {"name": "x", "formula": "bad.formula"}]
    workload = {"recurring": {"every": "PT1H", "tasks": 3, "duration": "PT4M", "for": "PT5H"}}
    Path("lab/s.json").write_text(json.dumps({"formulas": formulas, "workload": workload}))
    column = json.dumps({"formulas": formulas}).index("baz") + 1
    assert places(check("lab/s.json", "--json")) == [
        ("lab/s.json", 1, column, "F201"), ("lab/bad.formula", 2, 32, "F201"),
    ]  # fmt: skip


def test_a_folder_tells_every_file_once():
    run = check(".", "--json")
    assert [place[0] for place in places(run)] == ["lab/bad.formula", "lab/s.yaml", "lab/s.yaml"]
    run = check("lab/s.yaml", "lab/bad.formula", "lab/s.yaml", "--json")
    assert [place[0] for place in places(run)] == ["lab/s.yaml", "lab/s.yaml", "lab/bad.formula"]


def test_what_only_the_scenario_names_is_not_mended():
    Path("lab/bad.formula").write_text("a = 1\n$TargetDedicatedNodes = a;\n")
    Path("lab/s.yaml").write_text("formulas: [bad.formula]\n" + WORKLOAD)
    run = check("lab/s.yaml", "--fix")
    assert run.exit_code == 1 and "lab/bad.formula:1:6: error F105" in run.stdout
    assert Path("lab/bad.formula").read_text().startswith("a = 1\n")
    assert check("lab", "--fix").exit_code == 0
    assert Path("lab/bad.formula").read_text().startswith("a = 1;\n")


def test_texts_in_a_scenario_are_mended():
    first = "  - |\n    a = 1\n    $TargetDedicatedNodes = a;\n"
    second = "  - name: x\n    formula: |\n      b = 1\n      $TargetDedicatedNodes = b;\n"
    text = f"formulas:\n{first}{second}"
    Path("lab/s.yaml").write_text(text + WORKLOAD)
    run = check("lab/s.yaml", "--fix", "--select", "F1")
    assert (run.exit_code, run.stderr) == (0, "lab/s.yaml: mended F105 (2)\n1 file, no faults\n")
    assert Path("lab/s.yaml").read_text() == text.replace("= 1\n", "= 1;\n") + WORKLOAD


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.formula", "lab/s.yaml:1:12: formulas[0]: lab/none.formula: cannot be read: No such file or directory"),
        ("'a\\0b'", "lab/s.yaml:1:12: formulas[0]: "),
        ("empty.formula", "lab/s.yaml:1:12: formulas[0]: no formula found in lab/empty.formula"),
        ("{formula: .}", "lab/s.yaml:1:22: formulas[0].formula: lab: cannot be read: Is a directory"),
    ],
)
def test_a_file_that_is_none(name, said):
    Path("lab/empty.formula").write_text("\n")
    Path("lab/s.yaml").write_text(f"formulas: [ {name} ]\n".replace("[ ", "[").replace("'a\\0b'", '"a\\0b"') + WORKLOAD)
    run = check("lab/s.yaml")
    assert run.exit_code == 2 and said in run.stderr, run.stderr


def test_other_documents_with_formulas_are_no_scenarios():
    Path("lab/s.yaml").write_text("formulas: [none.formula, a = b;]\n")
    run = check("lab/s.yaml")
    assert run.exit_code == 2 and "no formula found in lab/s.yaml: looked for" in run.stderr


def test_who_follows_no_names_says_where_the_formulas_are():
    Path("lab/s.yaml").write_text("formulas: [bad.formula]\n" + WORKLOAD)
    run = CliRunner().invoke(main, ["formula", "fmt", "lab/s.yaml"])
    assert run.exit_code == 2 and "no formula found in lab/s.yaml: they are in bad.formula" in run.stderr


def test_the_examples_have_no_errors():
    run = check(ROOT / "examples" / "scenarios", "--json")
    assert run.exit_code == 0 and places(run) == []
    told = check(*sorted((ROOT / "examples" / "scenarios").glob("*.yaml"))).stderr
    assert "4 files" in told  # two formulas in files, and the two scenarios that hold some
