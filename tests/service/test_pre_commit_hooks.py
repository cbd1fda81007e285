"""The hooks that are offered to pre-commit are commands that exist, and the documents name them."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from service.cli.main import main

from .test_formula_check import GOOD

HOOKS = yaml.safe_load((Path(__file__).resolve().parents[2] / ".pre-commit-hooks.yaml").read_text())


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks(hook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    assert re.search(hook["files"], "pools/main.formula") and not re.search(hook["files"], "package.json")
    Path("good.formula").write_text(GOOD)
    program, *words = shlex.split(hook["entry"])
    assert program == "ebbtide"
    assert CliRunner().invoke(main, [*words, "good.formula"]).exit_code == 0


def test_hooks_are_documented():
    told = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text()
    assert all(f"- id: {hook['id']}\n" in told for hook in HOOKS)
