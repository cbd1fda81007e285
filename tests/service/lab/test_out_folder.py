"""The folder of `simulate --out` and `tune --out`: what is in it is of one run, and whole."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main

from .full_disk import needs_mounts, small_disk
from .small_worlds import scenario_file

SCENARIO = """
workload: {generate: {rate: 60, duration: PT4M, for: PT1H}}
world: {boot: PT90S, pricePerHour: {dedicated: 3.6}, quota: {lowPriority: 0}}
formulas: [pool.formula]
"""
FORMULA = "most = 20; $TargetDedicatedNodes = min(most, max(0, $PendingTasks.GetSample(1)));\n"
TUNE = ("--param", "most=10:20", "--trials", 2, "--jobs", 1)
COMMANDS = {
    "simulate": ((), {"outcome.json", "report.html"}),
    "tune": (TUNE, {"outcome.json", "report.html", "tuned.formula", "tuning.json"}),
}


@pytest.fixture
def scenario(tmp_path):
    return scenario_file(tmp_path, "hour.yaml", SCENARIO, pool=FORMULA)


def run(command: str, scenario: Path, *words: object) -> Result:
    return CliRunner().invoke(main, [command, str(scenario), *map(str, (*COMMANDS[command][0], *words))])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_run_does_not_write_it_removes_of_its_own_names(scenario, tmp_path, command):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("report.png", "notes.txt"):
        (out / name).write_text("of before", encoding="utf-8")
    assert run(command, scenario, "--out", out).exit_code == 0
    assert set(contents(out)) == COMMANDS[command][1] | {"notes.txt"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_picture_that_cannot_be_made_leaves_none_of_before(scenario, tmp_path, monkeypatch, command):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.png").write_text("of before", encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))
    told = run(command, scenario, "--out", out, "--png")
    assert told.exit_code == 1 and "apt-get install chromium" in told.stderr
    assert set(contents(out)) == COMMANDS[command][1]


def test_a_search_that_finds_nothing_leaves_no_tuned_formula_of_before(scenario, tmp_path):
    out = tmp_path / "out"
    assert run("tune", scenario, "--out", out).exit_code == 0
    assert (out / "tuned.formula").exists()
    told = run("tune", scenario, "--longest", 1, "--out", out)
    assert told.exit_code == 1 and "no trial keeps the limit" in told.stderr
    assert set(contents(out)) == COMMANDS["tune"][1] - {"tuned.formula"}
    assert json.loads((out / "tuning.json").read_bytes())["best"] is None


@needs_mounts
@pytest.mark.parametrize(("command", "first"), [("simulate", "outcome.json"), ("tune", "tuned.formula")])
def test_on_a_full_disk_the_earlier_report_stays(scenario, tmp_path, command, first):
    out = tmp_path / "out"
    with small_disk(out, 4) as fill:
        assert run(command, scenario, "--out", out).exit_code == 0
        fill()
        before = contents(out)
        told = run(command, scenario, "--seed", 5, "--out", out)
        assert told.exit_code == 1
        cure = "No space left on device; free space there, then give this command again"
        assert f"ebbtide: error: {out / first}: {cure}\n" in told.stderr
        assert contents(out) == before


WRONG = {
    "empty": ("", "'--out': is empty; give the name of a folder"),
    "a file": ("file", "--out: file: is no folder; name a folder that is there, or that can be made"),
    "below a file": ("file/x", "--out: file/x: cannot be made: Not a directory; name a folder that is there, or"),
    "a name of two lines": ("fi\nle/x", "--out: fi\\nle/x: cannot be made: Not a directory; name a folder"),
    "a dead link": ("link", "--out: link: is no folder; name a folder"),
    "too long a name": ("x" * 300, "x: cannot be made: File name too long; name a folder"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_folder_is_refused(scenario, tmp_path, monkeypatch, command, name):
    monkeypatch.chdir(tmp_path)
    for file in ("file", "fi\nle"):
        Path(file).touch()
    Path("link").symlink_to("nowhere")
    before = sorted(os.listdir())
    given, said = WRONG[name]
    told = run(command, scenario, "--out", given)
    assert told.exit_code == 2 and said in told.stderr, told.stderr
    assert sorted(os.listdir()) == before


@needs_mounts
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_takes_nothing_is_refused_before_the_work(scenario, tmp_path, command):
    out = tmp_path / "out"
    with small_disk(out, 1):
        subprocess.run(["mount", "-o", "remount,ro", str(out)], check=True)
        told = run(command, scenario, "--out", out)
        assert told.exit_code == 2 and told.stdout == ""
        assert f"--out: {out}: nothing can be written there; make it writable, or name another" in told.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_names_of_two_lines_are_told_in_one(scenario, tmp_path, command):
    odd = tmp_path / "o\nd\x1bd"
    odd.mkdir()
    for file, name in ((tmp_path / "pool.formula", "po\x1bol.formula"), (scenario, "ho\nur.yaml")):
        file.rename(odd / name)
    hour = odd / "ho\nur.yaml"
    hour.write_text(SCENARIO.replace("pool.formula", '"po\\eol.formula"'), encoding="utf-8")
    told = run(command, hour, "--out", odd / "out")
    assert told.exit_code == 0, told.output
    assert f"report: {tmp_path}/o\\nd\ufffdd/out/report.html\n" in told.stderr
    assert "po\ufffdol" in told.stdout and "\x1b" not in told.output and "\nur" not in told.output
    hour.write_text("workload: {}\n", encoding="utf-8")
    for wrong in (hour, odd / "no\nne.yaml"):
        told = run(command, wrong)
        name = str(wrong).replace("\n", "\\n").replace("\x1b", "\ufffd")
        assert told.exit_code == 2 and f"ebbtide: error: {name}:" in told.stderr, told.stderr
        assert "\x1b" not in told.stderr and "\nd" not in told.stderr
