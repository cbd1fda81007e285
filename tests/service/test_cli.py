"""The command as it is typed: exit codes, where text goes, colours, completion."""

import json
import os
import pty
import subprocess
import sys

import pytest

from .stage import COMMAND, PATIENCE


def ebbtide(*words, stdin="", **environment):
    return subprocess.run(
        [*COMMAND, *words], input=stdin, capture_output=True, text=True, check=False,
        env={**os.environ, **environment}, timeout=PATIENCE,
    )  # fmt: skip


@pytest.fixture
def formula(tmp_path):
    path = tmp_path / "f.txt"
    path.write_text("$TargetDedicatedNodes = max($PendingTasks.GetSample(2));\n")
    return str(path)


def test_version():
    run = ebbtide("version")
    assert run.returncode == 0
    assert run.stdout.startswith("ebbtide ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nonsense"], "No such command 'nonsense'. (ebbtide --help tells more)"),
        (["run"], "Missing argument 'WORKLOAD'. (ebbtide run --help tells more)"),
        (["run", "absent.yaml"], "absent.yaml: cannot be read: No such file or directory"),
        (["run", "absent.yaml", "--config", "none.yaml"], "none.yaml: cannot be read: No such file or directory"),
        (["run", "absent.yaml", "--occurrences", "0"], "0 is not in the range x>=1"),
        (["logs", "j", "t", "--state", "/nowhere"], "/nowhere holds no ebbtide state"),
        (["down", "--state", "/nowhere"], "/nowhere holds no ebbtide state"),
        (["status", "--state", "/nowhere"], "/nowhere holds no ebbtide state"),
        (["pool", "autoscale", "evaluate", "p", "--state", "/nowhere"], "/nowhere holds no ebbtide state"),
        (["node", "preempt", "n", "--state", "/nowhere"], "/nowhere holds no ebbtide state"),
        (["formula", "check", "absent"], "No such file or directory"),
    ],
)
def test_bad_input(words, told, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    run = ebbtide(*words)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.startswith("ebbtide: error: ")
    assert told in run.stderr
    assert run.stderr.count("\n") == 1


def test_bad_input_creates_nothing(tmp_path):
    workload = tmp_path / "w.yaml"
    workload.write_text("pools: [{id: ../x, vmSize: huge}]\njobs: [{}]\n")
    run = ebbtide("run", str(workload), "--state", str(tmp_path / "state"))
    assert run.returncode == 2
    assert run.stderr.startswith(f"ebbtide: error: {workload} has 4 problems:\n{workload}:1:14: pools[0].id: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.yaml"]


def test_unknown_provider_and_unknown_option(tmp_path):
    workload = tmp_path / "w.yaml"
    workload.write_text("pools: [{id: a, vmSize: local.small}]\n")
    config = tmp_path / "s.yaml"
    moon = ("defaultProvider: moon", "unknown driver 'moon'")
    for text, told in (moon, ("providers: {local: {maxVm: 3}}", "maxVms")):
        config.write_text(text)
        run = ebbtide("run", str(workload), "--config", str(config), "--state", str(tmp_path / "state"))
        assert (run.returncode, told in run.stderr) == (2, True), run.stderr
    assert not (tmp_path / "state").exists()


# -- formula ---------------------------------------------------------------------------------------------------


def test_formula_check():
    good = ebbtide("formula", "check", "-", stdin="$TargetDedicatedNodes = 2;")
    assert (good.returncode, good.stdout) == (0, "")
    bad = ebbtide("formula", "check", "-", stdin="$TargetDedicatedNodes = foo;")
    assert bad.returncode == 1
    assert bad.stdout.startswith("<stdin>:1:25: error F201: foo is not defined\n | $TargetDedicatedNodes = foo;\n")
    as_json = ebbtide("formula", "check", "-", "--json", stdin="$TargetDedicatedNodes = foo;")
    (found,) = json.loads(as_json.stdout)
    assert (found["code"], found["line"], found["column"]) == ("F201", 1, 25)


def test_formula_check_imports_nothing_heavy(formula):
    """So that it starts in half a second: editors and hooks call it for each file."""
    code = (
        "import sys; from service.cli import main\n"
        f"try: main(['formula', 'check', {formula!r}])\n"
        "except SystemExit: pass\n"
        "heavy = 'lark numpy yaml rich msgspec sqlalchemy alembic paramiko libcloud boto3 requests'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_formula_eval(formula, tmp_path):
    samples = tmp_path / "s.json"
    samples.write_text('{"now": "2026-01-31T12:00:00Z", "series": {"$PendingTasks": {"values": [3, 4, 2]}}}')
    run = ebbtide("formula", "eval", formula, "--samples", str(samples))
    assert run.returncode == 0
    assert run.stdout.splitlines()[0] == "$TargetDedicatedNodes=4"
    as_json = json.loads(ebbtide("formula", "eval", formula, "--samples", str(samples), "--json").stdout)
    assert as_json["targets"]["dedicated"] == 4
    assert as_json["timestamp"] == "2026-01-31T12:00:00.000Z"
    later = ebbtide("formula", "eval", formula, "--samples", str(samples), "--now", "2026-01-31T13:00:00Z", "--json")
    assert json.loads(later.stdout)["timestamp"] == "2026-01-31T13:00:00.000Z"


@pytest.mark.parametrize(
    ("samples", "words", "code", "told"),
    [
        ("{", [], 2, "s.json: is not JSON: Expecting property name"),
        ('{"series": {"$Pending": {"values": []}}}', [], 2, "there is no such metric"),
        ('{"series": {}}', ["--now", "soon"], 2, "'soon' is not a time"),
        ('{"series": {}}', [], 1, "error: "),
    ],
)
def test_formula_eval_of_bad_samples(formula, tmp_path, samples, words, code, told):
    path = tmp_path / "s.json"
    path.write_text(samples)
    run = ebbtide("formula", "eval", formula, "--samples", str(path), *words)
    assert (run.returncode, told in run.stderr) == (code, True), run.stderr


def test_formula_eval_of_no_formula(tmp_path):
    (tmp_path / "s.json").write_text('{"series": {}}')
    run = ebbtide("formula", "eval", "-", "--samples", str(tmp_path / "s.json"), stdin="a = (;")
    assert run.returncode == 2
    assert "<stdin>:1:" in run.stderr


# -- shells and terminals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    run = ebbtide("completion", shell)
    assert run.returncode == 0
    assert "_EBBTIDE_COMPLETE" in run.stdout
    assert ebbtide("completion", "csh").returncode == 2


def test_completion_completes():
    run = ebbtide(_EBBTIDE_COMPLETE="bash_complete", COMP_WORDS="ebbtide form", COMP_CWORD="1")
    assert run.stdout == "plain,formula\n"


@pytest.mark.parametrize(
    "words",
    [
        "simulate", "simulate s.yaml --formula", "simulate s.yaml --out", "replay pool --formula", "formula check",
        "formula fmt", "formula explain", "formula eval f --samples", "formula replay", "formula test",
        "pool autoscale enable pool --formula",
    ],
)  # fmt: skip
def test_files_are_completed(words):
    given = f"ebbtide {words} exa"
    run = ebbtide(_EBBTIDE_COMPLETE="bash_complete", COMP_WORDS=given, COMP_CWORD=str(given.count(" ")))
    assert run.stdout in ("file,exa\n", "dir,exa\n")


def on_a_terminal(*words, **environment):
    """What the command writes to a terminal on standard error."""
    leader, follower = pty.openpty()
    env = {**os.environ, **environment}
    run = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=follower, env=env)
    os.close(follower)
    text = b""
    try:
        while chunk := os.read(leader, 4096):
            text += chunk
    except OSError:
        pass  # the terminal's other end is closed
    os.close(leader)
    run.communicate(timeout=PATIENCE)
    return text


def test_colours():
    assert b"\x1b[" in on_a_terminal("nonsense", TERM="xterm", NO_COLOR="")
    assert b"\x1b" not in on_a_terminal("nonsense", TERM="xterm", NO_COLOR="1")
    assert b"\x1b" not in on_a_terminal("nonsense", TERM="dumb", NO_COLOR="")
    assert "\x1b" not in ebbtide("nonsense", TERM="xterm", NO_COLOR="").stderr


def test_debug_shows_the_traceback():
    run = ebbtide("status", "--state", "/nowhere", EBBTIDE_DEBUG="1")
    assert "Traceback" in run.stderr
    assert run.returncode == 1


def test_an_interrupt_while_it_loads_is_one_line():
    """As soon as anything of ours is read: the first moments are Python's own."""
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # where it was not inherited as ignored
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from service.entry import main\n"
        "main()"
    )
    run = subprocess.run([sys.executable, "-c", code, "version"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "ebbtide: error: interrupted\n")
