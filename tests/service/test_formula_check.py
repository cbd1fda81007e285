"""`ebbtide formula check`: what it reads, how it tells, what it mends, and how it ends."""

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from service.cli.main import main

from .stage import COMMAND, PATIENCE

GOOD = """\
covered = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5) >= 70;
pending = covered ? max($PendingTasks.GetSample(TimeInterval_Minute * 5, 70)) : 0;
$TargetDedicatedNodes = min(4, ceil(pending));
$NodeDeallocationOption = taskcompletion;
"""
BAD = "a = 1\n$TargetDedicatedNodes = min(4, a + foo); # one\n"
WARNED = "$TargetDedicatedNodes = min(4, $PendingTasks);\n"
HEREDOC = "  formula = <<-EOF\n    a = 1\n    $TargetDedicatedNodes = min(a, ${var.most}, foo);\n  EOF\n"
TERRAFORM = 'resource "azurerm_batch_pool" "p" {\n auto_scale {\n' + HEREDOC + " }\n}\n"
COMPUTED = 'autoscale_formula = file("a.formula")\n'


def check(*words, stdin=None):
    return CliRunner().invoke(main, ["formula", "check", *(str(word) for word in words)], input=stdin)


def typed(*words, stdin=b""):
    """As a process of its own, with bytes."""
    return subprocess.run(
        [*COMMAND, "formula", "check", *words], input=stdin, capture_output=True, check=False, timeout=PATIENCE
    )


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def uri_of(result):
    return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_a_good_formula():
    Path("good.formula").write_text(GOOD)
    run = check("good.formula", "--strict")
    assert (run.exit_code, run.stdout, run.stderr) == (0, "", "1 file, no faults\n")


def test_text():
    Path("bad.formula").write_text(BAD)
    Path("main.tf").write_text(TERRAFORM)
    run = check("bad.formula", "main.tf", "--select", "F1,f201")
    assert run.exit_code == 1
    assert run.stdout == (
        "bad.formula:1:6: error F105: `;` is missing here, before `$TargetDedicatedNodes`\n"
        " | a = 1\n"
        " |      ^\n"
        " = every statement but the last ends with `;`\n"
        "bad.formula:2:36: error F201: foo is not defined\n"
        " | $TargetDedicatedNodes = min(4, a + foo); # one\n"
        " |                                    ^^^\n"
        "bad.formula:2:42: error F107: invalid character `#`: it does not start a comment\n"
        " | $TargetDedicatedNodes = min(4, a + foo); # one\n"
        " |                                          ^^^^^\n"
        " = comments start with // and go to the end of the line\n"
        "main.tf:4:10: error F105: `;` is missing here, before `$TargetDedicatedNodes`\n"
        " |     a = 1\n"
        " |          ^\n"
        " = every statement but the last ends with `;`\n"
        "main.tf:5:49: error F201: foo is not defined\n"
        " |     $TargetDedicatedNodes = min(a, ${var.most}, foo);\n"
        " |                                                 ^^^\n"
    )
    assert run.stderr == "2 files, 5 errors\n"


def test_a_long_line_is_shown_around_the_finding():
    Path("p.json").write_text(json.dumps({"autoScaleFormula": "// " + "x" * 400 + "\na = foo; // " + "y" * 400}))
    run = check("p.json", "--select", "F201")
    head, line, carets = run.stdout.splitlines()
    assert head == "p.json:1:432: error F201: foo is not defined"
    assert len(line) < 150
    assert line[carets.index("^") :].startswith("foo; // yyy")
    assert line.startswith(" | …xxx") and line.endswith("yyy…")


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        (GOOD, [], 0),
        (GOOD, ["--strict"], 0),
        (WARNED, [], 0),
        (WARNED, ["--strict"], 1),
        (WARNED, ["--strict", "--ignore", "F3,f5"], 0),
        (WARNED, ["--strict", "--select", "F310"], 1),
        (BAD, [], 1),
        (BAD, ["--select", "F4"], 0),
        (BAD, ["--ignore", "F1,F2", "--ignore", "F6"], 0),
        (" \n", [], 2),
        ("{", [], 2),
        ('{"id": 1}', [], 2),
        (BAD, ["--select", "F9"], 2),
        (BAD, ["--format", "html"], 2),
        (BAD, ["--fix", "--json"], 2),
        (BAD, ["absent.formula"], 2),
    ],
)
def test_exit_codes(content, words, code):
    run = check("-", *words, stdin=content)
    assert run.exit_code == code, run.output


def test_what_is_computed_is_told():
    Path("main.tf").write_text(COMPUTED)
    run = check("main.tf")
    assert run.exit_code == 0
    assert run.stdout.startswith("main.tf:1:21: warning F701: the formula is not checked: it is computed, by `file(")
    assert check("main.tf", "--strict").exit_code == 1
    assert check("main.tf", "--strict", "--ignore", "F701").exit_code == 0


# -- mending ---------------------------------------------------------------------------------------------------


def test_fix():
    content = ("\ufeff" + TERRAFORM).replace("\n", "\r\n").encode()
    Path("main.tf").write_bytes(content)
    os.chmod("main.tf", 0o640)
    os.symlink("main.tf", "link.tf")
    run = check("--fix", "link.tf")
    assert run.exit_code == 1
    assert "link.tf: mended F105\n" in run.stderr
    assert "F105" not in run.stdout and "F201" in run.stdout
    assert Path("main.tf").read_bytes() == content.replace(b"a = 1\r", b"a = 1;\r")
    assert stat.S_IMODE(os.stat("main.tf").st_mode) == 0o640
    assert os.path.islink("link.tf")
    assert sorted(os.listdir()) == ["link.tf", "main.tf"]


def test_fix_touches_no_file_without_a_fix():
    Path("warned.formula").write_text(WARNED.replace("$PendingTasks", "foo"))
    Path("ignored.formula").write_text("a = 1\nb = a;")
    os.chmod("warned.formula", 0o444)
    before = [os.stat(name) for name in ("warned.formula", "ignored.formula")]
    check("--fix", ".", "--ignore", "F105")
    after = [os.stat(name) for name in ("warned.formula", "ignored.formula")]
    assert [(one.st_ino, one.st_mtime_ns) for one in before] == [(one.st_ino, one.st_mtime_ns) for one in after]


def test_fix_of_standard_input():
    run = typed("--fix", "-", stdin=b"a = 1\r\nb = foo;")
    assert (run.returncode, run.stdout) == (1, b"a = 1;\r\nb = foo;")
    assert b"<stdin>: mended F105" in run.stderr
    assert b"F201" in run.stderr


# -- files and directories -------------------------------------------------------------------------------------


def test_directories():
    for name, content in {
        "a.formula": BAD,
        "sub/p.json": '{"autoScaleFormula": "b = foo;"}',
        "sub/package.json": '{"name": "no formula"}',
        "sub/broken.json": "{not json, but without the word",
        "sub/notes.txt": "$TargetDedicatedNodes is a name",
        "sub/.hidden/b.formula": BAD,
        ".c.formula": BAD,
        "node_modules/d.formula": BAD,
        ".terraform/m.tf": COMPUTED,
    }.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)
    os.symlink("..", "sub/loop")
    os.symlink("absent", "sub/gone.formula")
    run = check(".", "a.formula", "sub", "--json", "--select", "F201")
    assert run.exit_code == 1, run.stderr
    assert [found["file"] for found in json.loads(run.stdout)] == ["a.formula", "sub/p.json"]
    broken = Path("sub/broken.json")
    broken.write_text('{"autoScaleFormula": ')
    run = check("sub")
    assert (run.exit_code, "sub/broken.json:1:22: is not JSON" in run.stderr) == (2, True)
    empty = check("node_modules/..", "--select", "F201", "--json")
    assert empty.exit_code == 2


def test_a_directory_without_formulas():
    Path("x").mkdir()
    run = check("x")
    assert run.exit_code == 2
    assert run.stderr.startswith("ebbtide: error: no formula found in x: looked for formulas in *.formula, ")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.formula", b"\xffa = 1", "a.formula:1: is not UTF-8; save the file as UTF-8"),
        ("a.formula", b"a = 1;\n\xe4", "a.formula:2: is not UTF-8; save the file as UTF-8"),
        ("a.formula", b"a\0b", "a.formula: is a binary file"),
        ("a.formula", b"a = 1;" * 1_000_000, "a.formula: is larger than 4 MiB"),
        ("p.json", b'{"id": "p"}', "no formula found in p.json: looked for `autoScaleFormula`"),
        ("a\nb\x1b[31m.json", b"{", "error: a\\nb\ufffd[31m.json:1:2: is not JSON"),
    ],
)
def test_files_that_cannot_be_read(name, content, told):
    Path(name).write_bytes(content)
    Path("good.formula").write_text(GOOD)
    run = check(name, "good.formula")
    assert run.exit_code == 2
    assert run.stdout == ""
    assert told in run.stderr.splitlines()[0]
    assert "Traceback" not in run.stderr


def test_loops_and_what_may_not_be_read():
    os.symlink("loop.formula", "loop.formula")
    run = check("loop.formula")
    assert (run.exit_code, "loop.formula: cannot be read: " in run.stderr) == (2, True)


def test_names_and_texts_that_a_terminal_would_act_on():
    name = "a\n::error::b,c\x1b[31m.formula"
    Path(name).write_text("a = \x1b[31mfoo;")
    run = check(name)
    assert "\x1b" not in run.output
    assert run.stdout.startswith("a\\n::error::b,c\ufffd[31m.formula:1:")
    assert len(check(name, "--format", "github", "--select", "F106").stdout.splitlines()) == 1
    assert json.loads(check(name, "--json").stdout)[0]["file"] == name
    (result, *_) = json.loads(check(name, "--format", "sarif").stdout)["runs"][0]["results"]
    assert uri_of(result) == "a%0A%3A%3Aerror%3A%3Ab%2Cc%1B%5B31m.formula"
    ElementTree.fromstring(check(name, "--format", "junit").stdout)


def test_a_name_that_is_not_utf8():
    name = b"a\xff.formula"
    Path(os.fsdecode(name)).write_text("a = foo;")
    for form in ("text", "json", "junit", "sarif", "github"):
        run = typed("--format", form, name)
        assert (run.returncode, b"Traceback" in run.stderr, b"F201" in run.stdout) == (1, False, True), run.stderr


def test_no_colours_but_on_a_terminal():
    Path("bad.formula").write_text(BAD)
    assert "\x1b" not in check("bad.formula").output
    assert b"\x1b[31m" in on_a_terminal("bad.formula", NO_COLOR="")
    assert b"\x1b" not in on_a_terminal("bad.formula", NO_COLOR="1")
    assert b"\x1b" not in on_a_terminal("bad.formula", "--json", NO_COLOR="")


def on_a_terminal(*words, **environment):
    """What the command writes to a terminal on standard output."""
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm", **environment}
    run = subprocess.Popen([*COMMAND, "formula", "check", *words], stdout=follower, stderr=subprocess.DEVNULL, env=env)
    os.close(follower)
    text = b""
    try:
        while chunk := os.read(leader, 4096):
            text += chunk
    except OSError:
        pass  # the terminal's other end is closed
    os.close(leader)
    run.wait(PATIENCE)
    return text


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_nothing_is_loaded_that_is_not_used(form):
    Path("bad.formula").write_text(BAD)
    code = (
        "import sys; from service.cli import main\n"
        f"try: main(['formula', 'check', 'bad.formula', '--format', {form!r}])\n"
        "except SystemExit: pass\n"
        "unused = {'xml', 'yaml', 'service.cli.formula.sarif_report', 'formula.embedded.json_documents'}\n"
        "print(sorted(unused & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
