"""`ebbtide formula`: files that cannot be read or written, closed streams, and what stays of a file."""

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.cli.formula.reading import store
from service.cli.main import main

from .stage import COMMAND, PATIENCE

FORMULA = "$TargetDedicatedNodes = 1;\n$NodeDeallocationOption = taskcompletion;\n"
SAMPLES = '{"now": "2026-01-31T12:00:00Z", "series": {"$PendingTasks": {"values": [4, null, 6]}}}'
CASES = "formula\n    a = 1;\ncase one\n    expect a == 2\n"
POOLS = '[{"autoScaleFormula": "a = 1;"}, {"autoScaleFormula": "a = 2;"}]'
TEMPLATE = 'autoscale_formula = "$TargetDedicatedNodes = ${var.most};"\n'
WRITES_EVERYTHING = os.geteuid() == 0


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def formula(*words, stdin=None):
    return CliRunner().invoke(main, ["formula", *words], input=stdin)


def shell(line):
    """The words of a shell after `ebbtide formula`, with its redirections."""
    return subprocess.run(
        ["sh", "-c", f"ulimit -f 0; exec {shlex.join(COMMAND)} formula {line}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fmt a.formula", "a.formula: cannot be written: File too large\n"),
        ("check --fix b.formula", "b.formula: cannot be written: File too large\n1 file, 1 error, 1 not usable\n"),
        ("new pending --output new.formula", "new.formula: cannot be written: File too large\n"),
        ("new pending --output a.formula --force", "a.formula: cannot be written: File too large\n"),
        ("test --junit new.xml a.formula-test", "new.xml: cannot be written: File too large\n"),
        ("test --update a.formula-test", "a.formula-test: cannot be written: File too large\n"),
    ],
)
def test_a_full_disk(line, told):
    files = {"a.formula": "a = 1;", "b.formula": "a = 1\n$TargetDedicatedNodes = min(a, 2);", "a.formula-test": CASES}
    for name, text in files.items():
        Path(name).write_text(text)
    run = shell(line)
    assert (run.returncode, run.stderr) == (2, f"ebbtide: error: {told}")
    for name, text in files.items():
        assert Path(name).read_text() == text
    assert not Path("new.formula").exists()
    assert ("FAILED" in run.stdout) == line.startswith("test")


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("check - <&-", 2, "ebbtide: error: <stdin>: cannot be read: it is closed\n"),
        ("eval a.formula --samples - <&-", 2, "ebbtide: error: <stdin>: cannot be read: it is closed\n"),
        ("check b.formula >&-", 1, "1 file, 1 error\n"),
        ("check a.formula 2>&-", 0, ""),
    ],
)
def test_closed_streams(line, code, told):
    Path("a.formula").write_text(FORMULA)
    Path("b.formula").write_text("a = b;\n$TargetDedicatedNodes = a;\n" + FORMULA)
    run = shell(line)
    assert (run.returncode, run.stderr.partition(", 1 warn")[0].strip()) == (code, told.strip())


def test_utf_16_is_told_from_binary():
    Path("a.formula").write_text(FORMULA, encoding="utf-16")
    run = formula("check", "a.formula")
    assert (run.exit_code, run.stderr.count("UTF-16")) == (2, 1)
    assert "save the file as UTF-8" in run.stderr


@pytest.mark.skipif(WRITES_EVERYTHING, reason="root may read and write every file")
@pytest.mark.parametrize(
    ("mode", "words", "told"),
    [
        (0o444, ["fmt", "locked.formula"], "locked.formula: cannot be written: Permission denied"),
        (0o000, ["check", "locked.formula", "a.formula"], "locked.formula: cannot be read: Permission denied\n1 file"),
        (0o000, ["fmt", "locked.formula", "a.formula"], "locked.formula: cannot be read: Permission denied\n1 file"),
        (0o000, ["check", "folder"], "folder/locked: cannot be listed: Permission denied\n"),
        (0o000, ["test", "folder"], "folder/locked: cannot be listed: Permission denied\n"),
    ],
)
def test_what_is_locked(mode, words, told):
    Path("a.formula").write_text(FORMULA)
    locked, folder = Path("locked.formula"), Path("folder", "locked")
    locked.write_text("$TargetDedicatedNodes=1")
    folder.mkdir(parents=True)
    locked.chmod(mode)
    folder.chmod(0)
    run = formula(*words)
    folder.chmod(0o700)
    locked.chmod(0o600)
    assert run.exit_code == 2
    assert told in run.stderr
    assert locked.read_text() == "$TargetDedicatedNodes=1"


@pytest.mark.skipif(not WRITES_EVERYTHING, reason="only root may give files away")
def test_a_file_keeps_its_owner():
    Path("a.formula").write_text("$TargetDedicatedNodes=1")
    os.chown("a.formula", 1234, 4321)
    os.chmod("a.formula", 0o640)
    assert formula("fmt", "a.formula").exit_code == 0
    status = os.stat("a.formula")
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 4321, 0o640)


def test_an_interrupt_right_after_a_file_was_replaced(monkeypatch):
    Path("a.formula").write_text("old")
    replace = os.replace

    def interrupted(*words):
        replace(*words)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store(Path("a.formula"), "new")
    assert Path("a.formula").read_text() == "new"
    assert os.listdir() == ["a.formula"]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("[0]", ""),
        ("[1].autoScaleFormula", ""),
        ("[7]", "there is no formula at '[7]'; there are: [0].autoScaleFormula, [1].autoScaleFormula"),
        ("Formula", "holds 2 formulas at 'Formula'; choose one of [0].autoScaleFormula, [1].autoScaleFormula"),
    ],
)
def test_a_formula_is_chosen_by_a_part_of_its_place(where, told):
    Path("pools.json").write_text(POOLS)
    Path("s.json").write_text(SAMPLES)
    for command in ("eval", "explain", "replay"):
        run = formula(command, "pools.json", "--samples", "s.json", "--where", where)
        assert run.exit_code == (2 if told else 0)
        assert told in run.stderr


def test_there_is_only_the_whole_file():
    Path("a.formula").write_text(FORMULA)
    Path("s.json").write_text(SAMPLES)
    assert "there are: the whole file" in formula("eval", "a.formula", "--samples", "s.json", "--where", "p").stderr


@pytest.mark.parametrize("command", ["eval", "explain", "replay"])
def test_one_thing_from_standard_input(command):
    Path("a.formula").write_text(FORMULA)
    assert formula(command, "a.formula", "--samples", "-", stdin=SAMPLES).exit_code == 0
    run = formula(command, "-", "--samples", "-", stdin=SAMPLES)
    assert run.exit_code == 2
    assert "only one can be standard input" in str(run.exception) + run.output


def test_replay_wants_values_for_placeholders():
    Path("main.tf").write_text(TEMPLATE)
    Path("s.json").write_text(SAMPLES)
    words = ["replay", "main.tf", "--samples", "s.json"]
    run = formula(*words)
    assert (run.exit_code, "write --given 'var.most=20'" in run.stderr) == (2, True)
    assert "peak          7 nodes" in formula(*words, "--given", "var.most=7").stdout


@pytest.mark.parametrize("price", ["nan", "inf"])
def test_a_price_is_a_number(price):
    Path("a.formula").write_text(FORMULA)
    Path("s.json").write_text(SAMPLES)
    run = formula("replay", "a.formula", "--samples", "s.json", "--json", "--price-per-hour", price)
    assert (run.exit_code, run.stdout) == (2, "")
