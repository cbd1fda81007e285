"""The example that reads pages: with tesseract the texts are right, without it they say so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .world import EXAMPLES, ebbtide

EXAMPLE = EXAMPLES / "ocr"
MISSING = "(no tesseract on this node: apt-get install tesseract-ocr)"


def table(state: Path) -> list[list[str]]:
    told = ebbtide("logs", "ocr", "table", state=state)
    assert told.returncode == 0, told.stderr
    return [line.split(maxsplit=2) for line in told.stdout.splitlines()]


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract (apt-get install tesseract-ocr)")
def test_pages_are_read(tmp_path: Path) -> None:
    state = tmp_path / "state"
    run = ebbtide("run", EXAMPLE / "workload.yaml", state=state)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "tasks: 5 succeeded" in run.stdout

    head, *rows = table(state)
    assert head == ["page", "words", "first line"]
    assert [(page, first) for page, _, first in rows] == [
        ("1", "TIDE TABLE"), ("2", "RECEIPT 4711"), ("3", "NOTICE TO ALL BOATS"), ("4", "LOG BOOK"),
    ]  # fmt: skip
    copied = ebbtide("storage", "cp", "-r", "storage://ocr/texts", f"{tmp_path}/out/", state=state)
    assert copied.returncode == 0, copied.stderr
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.txt")) == ["1.txt", "2.txt", "3.txt", "4.txt"]
    (receipt,) = (tmp_path / "out").rglob("2.txt")
    assert "48.40" in receipt.read_text()


def test_without_tesseract_it_runs_all_the_same(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("sh", "basename", "cat", "dirname", "grep", "id", "wc"):
        (programs / program).symlink_to(shutil.which(program) or program)
    copy = shutil.copytree(EXAMPLE, tmp_path / "ocr")
    workload = copy / "workload.yaml"
    variable = f"{{name: PATH, value: {programs}}}"
    text = workload.read_text()
    text = text.replace("    startTask:\n", f"    startTask:\n      environmentSettings: [{variable}]\n")
    text = text.replace("    tasks:\n", f"    commonEnvironmentSettings: [{variable}]\n    tasks:\n")
    workload.write_text(text)
    state = tmp_path / "state"
    run = ebbtide("run", workload, state=state)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "| tesseract is missing, and I may not install it" in run.stdout
    assert [first for *_, first in table(state)[1:]] == [MISSING] * 4


@pytest.mark.skipif(not os.path.isdir("/etc/apt"), reason="needs the system of packages of Debian")
def test_the_start_task_installs_it_once_on_a_machine(tmp_path: Path) -> None:
    """With an `id` that is always root's, and an `apt-get` that only writes down what is asked of it."""
    programs, calls = tmp_path / "bin", tmp_path / "calls"
    programs.mkdir()
    for program in ("sh", "head", "flock", "chmod", "sleep", "cat"):
        (programs / program).symlink_to(shutil.which(program) or program)
    tesseract = f"printf '#!/bin/sh\\necho tesseract 5' > {programs}/tesseract; chmod 755 {programs}/tesseract"
    for name, text in (("id", "echo 0"), ("apt-get", f'echo "$@" >> {calls}; sleep 0.3; {tesseract}')):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    prepare = [str(EXAMPLE / "ocr" / "prepare.sh")]
    nodes = [subprocess.Popen(prepare, env={"PATH": str(programs)}) for _ in range(3)]
    assert [node.wait(timeout=60) for node in nodes] == [0, 0, 0]
    (call,) = calls.read_text().splitlines()
    assert call.startswith("install -y") and call.endswith("tesseract-ocr tesseract-ocr-eng")
