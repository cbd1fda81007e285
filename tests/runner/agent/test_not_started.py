"""What is said of a command that cannot be started, and of what would help."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.agent import fetch
from runner.agent.not_started import why
from runner.agent_bundle import agent_bundle

MISSING, DENIED, NO_FORMAT = FileNotFoundError(2, "No such file"), PermissionError(13, "Denied"), OSError(8, "Format")


@pytest.mark.parametrize(
    ("error", "program", "user", "code", "said"),
    [
        (MISSING, "prog", None, "CommandProgramNotFound", "'prog' was not found: install it on the node"),
        (MISSING, "prog", None, "CommandProgramNotFound", "(PATH=/bin)"),
        (MISSING, "cd", None, "CommandProgramNotFound", '/bin/sh -c "cd ..."'),
        (MISSING, "export", None, "CommandProgramNotFound", "is a command of the shell"),
        (MISSING, "A=b", None, "CommandProgramNotFound", "environmentSettings"),
        (MISSING, "./there", None, "CommandProgramNotFound", "the '#!' line of './there'"),
        (MISSING, "./A=b", None, "CommandProgramNotFound", "install it"),
        (DENIED, "./there", None, "CommandLaunchFailed", "set its x bit"),
        (DENIED, "./there", "alice", "CommandLaunchFailed", "let the user alice reach it"),
        (DENIED, "/tmp", None, "CommandLaunchFailed", "'/tmp' is a folder: name the program"),
        (DENIED, ".", "alice", "CommandLaunchFailed", "'.' is a folder"),
        (NO_FORMAT, "./there", None, "CommandLaunchFailed", "'#!/bin/sh', or run it by /bin/sh ./there"),
    ],
)
def test_the_cure_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    program: str,
    user: str | None,
    code: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").touch()
    told = why(error, program, "/bin", user)
    assert told is not None and told[0] == code and said in told[1]


def test_other_errors_say_all_themselves() -> None:
    assert why(OSError(28, "No space left on device"), "prog", "/bin") is None


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("./script", "CommandLaunchFailed", "#!/bin/sh"),
        ("cd", "CommandProgramNotFound", "a command of the shell"),
        ("./" + "x" * 300, "CommandLaunchFailed", "File name too long"),
    ],
)
def test_so_it_is_after_files_were_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, code: str, said: str
) -> None:
    place = tmp_path / "wd"
    place.mkdir()
    (tmp_path / "agent.pyz").write_bytes(agent_bundle().data)
    (place / "script").write_text("echo no interpreter\n")
    (place / "script").chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "agent.pyz")])
    argv, env = fetch.wrap([], [command], {"PATH": str(tmp_path)})
    assert subprocess.run(argv, cwd=place, env=env, check=False).returncode == 1
    told = json.loads((tmp_path / fetch.FAILURE).read_text())
    assert told["code"] == code and said in told["message"]
