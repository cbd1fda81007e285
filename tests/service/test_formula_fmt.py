"""`ebbtide formula fmt` and `ebbtide formula new`: files, exit codes, and what is never overwritten."""

import json
import os
import stat
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from formula.starting_points import STARTING_POINTS, starting_point
from service.cli.formula.new import new
from service.cli.main import main

from .stage import PATIENCE

UNTIDY = "a=1 // one\n;$TargetDedicatedNodes=max( a,2 )"
TIDY = "a = 1; // one\n$TargetDedicatedNodes = max(a, 2);\n"


def ebbtide(*words, stdin=None):
    return CliRunner().invoke(main, [str(word) for word in words], input=stdin)


@pytest.fixture
def untidy(tmp_path):
    path = tmp_path / "untidy.formula"
    path.write_text(UNTIDY)
    return path


@pytest.fixture
def tidy(tmp_path):
    path = tmp_path / "tidy.formula"
    path.write_text(TIDY)
    return path


def test_files_are_laid_out_in_place(untidy, tidy):
    untidy.chmod(0o640)
    before = tidy.stat()
    run = ebbtide("formula", "fmt", untidy, tidy)
    assert (run.exit_code, run.stdout) == (0, "")
    assert run.stderr == "2 files: 1 changed, 1 unchanged\n"
    assert untidy.read_text() == TIDY
    assert stat.S_IMODE(untidy.stat().st_mode) == 0o640
    after = tidy.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert sorted(os.listdir(untidy.parent)) == ["tidy.formula", "untidy.formula"]


def test_check_names_files_and_changes_nothing(untidy, tidy):
    run = ebbtide("formula", "fmt", "--check", untidy, tidy)
    assert (run.exit_code, run.stdout) == (1, f"{untidy}\n")
    assert run.stderr == "2 files: 1 would change, 1 unchanged\n"
    assert untidy.read_text() == UNTIDY
    assert ebbtide("formula", "fmt", "--check", tidy).exit_code == 0


def test_diff_shows_and_changes_nothing(untidy):
    run = ebbtide("formula", "fmt", "--diff", untidy)
    assert run.exit_code == 0
    assert run.stdout == (
        f"--- {untidy}\n+++ {untidy}\n@@ -1,2 +1,2 @@\n-a=1 // one\n-;$TargetDedicatedNodes=max( a,2 )\n"
        "\\ No newline at end of file\n+a = 1; // one\n+$TargetDedicatedNodes = max(a, 2);\n"
    )
    assert untidy.read_text() == UNTIDY
    assert ebbtide("formula", "fmt", "--diff", "--check", untidy).exit_code == 1


def test_a_file_with_a_syntax_error_is_told_and_left_and_the_others_are_laid_out(untidy, tmp_path):
    broken = tmp_path / "broken.formula"
    broken.write_text("a=1;\nb=2 c=(3;\n")
    run = ebbtide("formula", "fmt", broken, untidy)
    assert (run.exit_code, run.stdout) == (1, "")
    lines = run.stderr.splitlines()
    assert lines[0].startswith(f"{broken}:2:4: error F105: `;` is missing here")
    assert lines[1].startswith(f"{broken}:2:")
    assert lines[2:] == [
        f"{broken}: left as it is",
        "2 files: 1 changed, 0 unchanged, 1 with faults left as it is",
    ]
    assert broken.read_text() == "a=1;\nb=2 c=(3;\n"
    assert untidy.read_text() == TIDY


def test_a_layout_that_would_be_too_long_is_told_and_left(tmp_path):
    path = tmp_path / "long.formula"
    path.write_text("a=1" + "+1" * 4000)
    run = ebbtide("formula", "fmt", path)
    assert run.exit_code == 1
    assert "8192 are allowed" in run.stderr
    assert path.read_text() == "a=1" + "+1" * 4000


def test_standard_input_goes_to_standard_output():
    run = ebbtide("formula", "fmt", "-", stdin=UNTIDY.replace("\n", "\r\n"))
    assert (run.exit_code, run.stdout_bytes, run.stderr) == (0, TIDY.replace("\n", "\r\n").encode(), "")
    run = ebbtide("formula", "fmt", "--check", "-", stdin=TIDY)
    assert (run.exit_code, run.stdout) == (0, "")
    # An editor that takes the output for the text loses nothing.
    run = ebbtide("formula", "fmt", "-", stdin="a = (1")
    assert (run.exit_code, run.stdout) == (1, "a = (1")
    assert "<stdin>:1:" in run.stderr


@pytest.mark.parametrize("content", [b"a = \xff", b"\0\1"])
def test_what_cannot_be_read_is_told_and_the_others_are_laid_out(content, untidy, tmp_path):
    path = tmp_path / "odd.formula"
    path.write_bytes(content)
    run = ebbtide("formula", "fmt", path, tmp_path / "absent", untidy)
    assert run.exit_code == 2
    assert str(path) in run.stderr
    assert str(tmp_path / "absent") in run.stderr
    assert path.read_bytes() == content
    assert untidy.read_text() == TIDY


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(untidy):
    untidy.parent.chmod(0o500)
    try:
        run = ebbtide("formula", "fmt", untidy)
    finally:
        untidy.parent.chmod(0o700)
    assert run.exit_code == 2
    assert "cannot be written" in run.stderr


def test_a_link_stays_a_link(untidy, tmp_path):
    link = tmp_path / "link.formula"
    link.symlink_to(untidy.name)
    assert ebbtide("formula", "fmt", link).exit_code == 0
    assert link.is_symlink()
    assert untidy.read_text() == TIDY


def test_formulas_inside_of_a_document(tmp_path):
    path = tmp_path / "pool.json"
    document = '{\n  "id": "p",   "autoScaleFormula": "%s"\n}'
    path.write_text(document % "$TargetDedicatedNodes=1;a=2")
    assert ebbtide("formula", "fmt", path).exit_code == 0
    # The formula ends as it ended, and nothing else of the document changes.
    assert path.read_text() == document % "$TargetDedicatedNodes = 1;\\na = 2;"
    run = ebbtide("formula", "fmt", "--check", path)
    assert (run.exit_code, run.stdout) == (0, "")
    path.write_text(document % "a = 1;\\nb = (2")
    run = ebbtide("formula", "fmt", path)
    assert run.exit_code == 1
    assert run.stderr.startswith(f"{path}:2:")
    assert json.loads(path.read_text())["autoScaleFormula"] == "a = 1;\nb = (2"


def test_the_names_of_new_are_those_of_the_package():
    kind = new.params[0].type
    assert isinstance(kind, click.Choice)
    assert kind.choices == STARTING_POINTS


@pytest.mark.parametrize("name", STARTING_POINTS)
def test_new_writes_a_starting_point(name, tmp_path):
    run = ebbtide("formula", "new", name)
    assert (run.exit_code, run.stdout, run.stderr) == (0, starting_point(name), "")
    path = tmp_path / "new.formula"
    assert ebbtide("formula", "new", name, "--output", path).exit_code == 0
    assert path.read_text() == starting_point(name)
    assert ebbtide("formula", "fmt", "--check", path).exit_code == 0


def test_new_never_replaces_a_file_without_being_told_so(tmp_path):
    path = tmp_path / "mine.formula"
    path.write_text("mine")
    run = ebbtide("formula", "new", "pending", "--output", path)
    assert run.exit_code == 2
    assert "--force" in run.stderr
    assert path.read_text() == "mine"
    assert ebbtide("formula", "new", "pending", "--output", path, "--force").exit_code == 0
    assert path.read_text() == starting_point("pending")
    run = ebbtide("formula", "new", "pending", "--output", tmp_path / "no" / "where")
    assert run.exit_code == 2
    assert "cannot be written" in run.stderr


def test_bad_usage():
    run = ebbtide("formula", "new", "moon")
    assert run.exit_code == 2
    assert "'scale-to-zero'" in run.stderr
    assert ebbtide("formula", "fmt").exit_code == 2


def test_the_shell_completes_names():
    environment = {**os.environ, "_EBBTIDE_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    run = subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main(prog_name='ebbtide')"],
        env={**environment, "COMP_WORDS": "ebbtide formula new w"},
        capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    assert run.stdout.split() == ["plain,workday", "plain,weekend"]
