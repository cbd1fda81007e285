"""The modes of the agent's zipapp that move files, run as processes of their own as on a node."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from runner.agent import fetch, upload
from runner.agent_bundle import agent_bundle


@dataclass(frozen=True)
class Task:
    """Its folder; `wd` is the working directory."""

    directory: Path

    @property
    def wd(self) -> Path:
        return self.directory / "wd"

    def write(self, name: str, content: bytes = b"content") -> None:
        path = self.wd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def fetch(self, *resources: dict[str, Any], argv: tuple[str, ...] = ("true",)) -> dict[str, str] | None:
        """The failure, if it failed."""
        with self._agent():
            command, env = fetch.wrap(list(resources), list(argv), self._env())
        done = self._run(command, env)
        told = self._told(fetch.failure)
        assert (done.returncode != 0) == (told is not None), done.stderr
        return told

    def upload(self, *outputs: dict[str, Any], **more: Any) -> dict[str, str] | None:
        with self._agent():
            command, env = upload.wrap({"outputs": list(outputs), **more}, self._env())
        done = self._run(command, env)
        told = self._told(upload.failure)
        assert (done.returncode != 0) == (told is not None), done.stderr
        return told

    def _told(self, failure: Callable[[int], dict[str, str] | None]) -> dict[str, str] | None:
        folder = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return failure(folder)
        finally:
            os.close(folder)

    def _env(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "NAME": "value", "AZ_BATCH_TASK_DIR": str(self.directory)}

    @contextmanager
    def _agent(self) -> Iterator[None]:
        """In here this is a process of the agent, whose zipapp stands in `sys.argv`."""
        archive = self.directory.parent / "agent.pyz"
        if not archive.exists():
            archive.write_bytes(agent_bundle().data)
        with patch.object(sys, "argv", [str(archive)]):
            yield

    def _run(self, command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        self.wd.mkdir(parents=True, exist_ok=True)
        return subprocess.run(command, cwd=self.wd, env=env, capture_output=True, text=True, timeout=120, check=False)

    @property
    def log(self) -> str:
        return (self.directory / "fileuploadout.txt").read_text()
