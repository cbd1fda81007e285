"""The Azure CLI at `ebbtide serve`, a command at a time, each a process as in a shell."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .clients import CLIENTS
from .endpoint import ROOT, Endpoint

PATIENCE = 120.0


@dataclass(frozen=True)
class Command:
    """`line`: as it is typed; `az batch` may be left out, `{name}` is what an earlier command kept under that name.
    `until`: it is typed again until this holds of its answer. `shows`: this must hold at once. `keep`: what is kept of
    it, and under which name. `refused`: the code that it must fail with. `broken`: how the CLI fails by itself after
    the right answer."""

    line: str
    shows: Callable[[Any], object] = lambda answer: True
    until: Callable[[Any], object] | None = None
    keep: tuple[str, Callable[[Any], str]] | None = None
    refused: str | None = None
    broken: str | None = None

    @property
    def name(self) -> str:
        """`pool create`, for instance."""
        return self.line.removeprefix("az batch ").split(" --")[0]


class Az:
    """What earlier commands kept, and the environment of all. `folder`: where they may write. `files`: those that they
    name."""

    def __init__(self, endpoint: Endpoint, folder: Path, files: Path) -> None:
        self.kept = {"folder": str(folder), "files": str(files), "state": str(endpoint.state)}
        own = {
            "AZURE_CONFIG_DIR": str(folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "AZURE_CORE_NO_COLOR": "1",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "1",
        }
        self._environment = {**os.environ, **endpoint.variables, **own}

    def type(self, command: Command) -> subprocess.CompletedProcess[str]:
        line = command.line
        for name, value in self.kept.items():
            line = line.replace(f"{{{name}}}", value)
        program, *words = shlex.split(line)
        if program == "ebbtide":
            typed = [sys.executable, "-m", "service", *words]
        else:
            typed = [str(CLIENTS / "az" / "bin" / "az"), "batch", *shlex.split(line.removeprefix("az batch "))]
            typed += [] if "--output" in words else ["--output", "json"]
        environment = self._environment | {"AZURE_HTTP_USER_AGENT": f"flow/{command.name.replace(' ', '_')}"}
        return subprocess.run(
            typed, cwd=ROOT, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )

    def play(self, command: Command) -> None:
        """Types it, as often as it takes, and looks at the answers."""
        end = time.monotonic() + PATIENCE
        while True:
            run = self.type(command)
            failure = command.refused or command.broken
            if failure is not None:
                assert run.returncode != 0, f"{command.line}: it does not fail; {run.stdout}"
                assert failure in run.stderr
                return
            assert run.returncode == 0, f"{command.line}\n{run.stderr[-3000:]}"
            answer = _read(run.stdout)
            if command.until is None or command.until(answer):
                break
            assert time.monotonic() < end, f"{command.line}: waited {PATIENCE:g} s in vain; last: {answer}"
        assert command.shows(answer), answer
        if command.keep is not None:
            name, keep = command.keep
            self.kept[name] = keep(answer)


def _read(printed: str) -> Any:
    """What it means; the text itself if it is no JSON."""
    try:
        return json.loads(printed) if printed.strip() else None
    except ValueError:
        return printed


def idle(count: int) -> Callable[[Any], bool]:
    """Of a list of nodes: so many, and all are idle."""
    return lambda nodes: [node["state"] for node in nodes] == ["idle"] * count
