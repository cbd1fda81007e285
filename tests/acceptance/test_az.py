"""The Azure CLI against `ebbtide serve`: every command of the walkthrough, in order."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import clients
from .az_walkthrough import DOWNLOADED, WALKTHROUGH, Command
from .endpoint import Endpoint, open_folder, serving

pytestmark = [clients.installed("az"), pytest.mark.slow]
PATIENCE = 120.0


class Az:
    """What earlier commands kept, and the environment of all."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.kept = {"folder": str(folder), "files": str(clients.HERE / "az_files")}
        own = {
            "AZURE_CONFIG_DIR": str(folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "AZURE_CORE_NO_COLOR": "1",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "1",
        }
        self._environment = {**os.environ, **endpoint.variables, **own}

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        for name, value in self.kept.items():
            line = line.replace(f"{{{name}}}", value)
        words = [str(clients.CLIENTS / "az" / "bin" / "az"), "batch", *shlex.split(line), "--output", "json"]
        return subprocess.run(
            words, env=self._environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )

    def answer(self, line: str) -> Any:
        run = self.type(line)
        assert run.returncode == 0, f"az batch {line}\n{run.stderr[-3000:]}"
        return json.loads(run.stdout) if run.stdout.strip() else None


@pytest.fixture(scope="module")
def az() -> Iterator[Az]:
    with open_folder() as folder, serving(folder) as endpoint:
        yield Az(endpoint, folder)


@pytest.mark.parametrize("command", WALKTHROUGH, ids=lambda command: command.line.split(" --")[0])
def test_command(az: Az, command: Command) -> None:
    if command.refused is not None:
        run = az.type(command.line)
        assert run.returncode != 0, f"az batch {command.line}: no refusal; {run.stdout}"
        assert command.refused in run.stderr
        return
    end = time.monotonic() + PATIENCE
    while True:
        answer = az.answer(command.line)
        if command.until is None or command.until(answer):
            break
        assert time.monotonic() < end, f"az batch {command.line}: waited {PATIENCE:g} s in vain; last: {answer}"
    assert command.shows(answer), answer
    if command.keep is not None:
        name, keep = command.keep
        az.kept[name] = keep(answer)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_downloaded(az: Az, name: str) -> None:
    assert DOWNLOADED[name] in Path(az.kept["folder"], name).read_text(encoding="utf-8")
