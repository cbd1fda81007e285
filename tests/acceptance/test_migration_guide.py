"""Everything that docs/from-azure-batch.md shows is typed, from top to bottom, at `ebbtide serve`: by the Azure CLI, by
azure-batch 15, and by ebbtide itself."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from service.cli import main
from service.cli.serve import FIRST_POOL

from ..service.served import Served, ebbtide
from . import clients, migration_guide
from .endpoint import ROOT, open_folder
from .migration_guide import Call

CALLS = migration_guide.calls()
PATIENCE = 120.0
#: Waiting in seconds instead of minutes. A third node does not come, so a pool can be caught while it resizes.
SETTINGS = """\
bootPollInterval: PT0.5S
vmPollInterval: PT1S
samplePeriod: PT0.5S
sampleDelay: PT0S
providers: {{local: {{baseDir: {nodes}, maxVms: 2}}}}
"""
#: What is typed while that before it is under way.
AT_ONCE = {"leave it as large as it is by now"}
#: What is typed while a task runs that takes long, and others may stand behind it.
BESIDE_LONG = {"see them", "end one"}


class Guide:
    """A server, and a folder with the files that the document shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in migration_guide.files().items():
            (folder / name).write_text(text, encoding="utf-8")
        with zipfile.ZipFile(folder / "tool.zip", "w") as package:
            package.writestr("tool", "#!/bin/sh\n")
        key = Ed25519PrivateKey.generate().public_key()
        (folder / "key.pub").write_bytes(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
        config = folder / "settings.yaml"
        config.write_text(SETTINGS.format(nodes=folder / "nodes"), encoding="utf-8")
        self.served = Served(folder, "--config", str(config)).ready()
        self.variables = {**os.environ, **self.served.lines}

    def run(self, *words: str) -> None:
        """In the folder, with the variables that the server has told."""
        run = subprocess.run(
            words, cwd=self.folder, env=self.variables, capture_output=True, text=True, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert run.returncode == 0, f"{shlex.join(words)}\n{run.stderr[-3000:]}"

    def close(self) -> None:
        try:
            assert self.served.end() == 0, self.served.err
            assert "Traceback" not in self.served.err
        finally:
            self.served.close()
            ebbtide("down", "--now", state=self.served.state)

    # -- before each call --------------------------------------------------------------------------------------

    def prepared(self, call: Call, line: str) -> str:
        """When what was begun is done: the line with the id of a node."""
        if call.to not in AT_ONCE:
            self.settle(tasks=call.to not in BESIDE_LONG)
        return line.replace("NODE", self.node()) if "NODE" in line else line

    def settle(self, *, tasks: bool = True) -> None:
        """Wait for what was begun. `tasks`: for them, too."""
        deadline = time.monotonic() + PATIENCE
        while waits := self._under_way(tasks):
            assert time.monotonic() < deadline, f"waited in vain for {waits}"
            time.sleep(0.1)

    def node(self) -> str:
        return str(min(each["id"] for each in self._listed("/pools/mypool/nodes")))

    def _under_way(self, with_tasks: bool) -> list[object]:
        pools, jobs = self._listed("/pools"), self._listed("/jobs")
        goes_on = [job["id"] for job in jobs if with_tasks and job["state"] == "active"]
        tasks = [task for job_id in goes_on for task in self._listed(f"/jobs/{job_id}/tasks")]
        nodes = [node for pool in pools for node in self._listed(f"/pools/{pool['id']}/nodes")]
        return [
            *(each for each in pools if (each["state"], each["allocationState"]) != ("active", "steady")),
            *(each for each in nodes if each["state"] not in ("idle", "running", "offline")),
            *(each for each in tasks if each["state"] != "completed"),
            *(each for each in jobs if each["state"] in ("disabling", "terminating", "deleting")),
        ]

    def _listed(self, path: str) -> list[dict[str, Any]]:
        """Empty, too, if that whose parts they are is not there."""
        known = self.served.lines
        answer = self.served.ask("GET", path, known["AZURE_BATCH_ACCOUNT"], known["AZURE_BATCH_ACCESS_KEY"])
        assert answer.status_code in (200, 404), answer.text
        return list(answer.json()["value"]) if answer.status_code == 200 else []


@contextmanager
def opened() -> Iterator[Guide]:
    with open_folder() as folder:
        guide = Guide(folder)
        try:
            yield guide
        finally:
            guide.close()


def of(client: str) -> list[Call]:
    return [call for call in CALLS if getattr(call, client) is not None]


def test_the_guide_is_read() -> None:
    assert len(CALLS) >= 50
    assert min(len(of("az")), len(of("sdk")), len(of("ebbtide"))) > 40
    assert len(migration_guide.own_commands()) > 10
    assert f"az batch {migration_guide.first_commands()[0]}" == FIRST_POOL


def test_variables_of_tasks() -> None:
    documented = set(re.findall(r"AZ_BATCH_\w+", (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")))
    told, unset = migration_guide.variables()
    assert len(told) > 5 and told <= documented
    assert len(unset) > 2 and not unset & documented


# -- ebbtide -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ours() -> Iterator[Guide]:
    with opened() as guide:
        yield guide


def typed(guide: Guide, words: Sequence[str], expected: int = 0) -> None:
    """The command runs in this process, which has loaded it."""
    code: Any = 0
    with (
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")),
        contextlib.redirect_stderr(io.StringIO()) as err,
        contextlib.chdir(guide.folder),
        mock.patch.dict(os.environ, guide.variables),
    ):
        try:
            main([*words])
        except SystemExit as end:
            code = end.code
    assert (code or 0) == expected, f"ebbtide {shlex.join(words)}\n{err.getvalue()}"


@pytest.mark.parametrize("call", of("ebbtide"), ids=lambda call: call.to)
def test_ebbtide(ours: Guide, call: Call) -> None:
    words = shlex.split(ours.prepared(call, str(call.ebbtide)))
    typed(ours, words, expected=1 if "exit code 1" in call.to else 0)


@pytest.mark.parametrize("line", migration_guide.own_commands())
def test_in_place_of_azure_resource_manager(ours: Guide, line: str) -> None:
    """Accounts are made on the machine of the server."""
    words = shlex.split(line)
    typed(ours, [*words, *(("--state", str(ours.served.state)) if words[0] == "account" else ())])


def test_the_socket(ours: Guide) -> None:
    transport = httpx.HTTPTransport(uds=str(ours.served.state / "controller.sock"))
    with httpx.Client(transport=transport) as client:
        answer = client.get(migration_guide.asked_of_the_socket())
    assert answer.status_code == 200
    assert all(each.keys() == {"id", "state"} for each in answer.json()["value"])


# -- azure-batch 15 ------------------------------------------------------------------------------------------------


class Python:
    """A Python with the client, that does what it is told."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self._process = subprocess.Popen(
            [clients.CLIENTS / "sdk15" / "bin" / "python", ROOT / "tests" / "acceptance" / "told_python.py"],
            cwd=guide.folder, env=guide.variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._say, self._hear = self._process.stdin, self._process.stdout

    def tell(self, source: str) -> None:
        print(json.dumps(source), file=self._say, flush=True)
        failure = json.loads(self._hear.readline())
        assert failure is None, f"{source}\n{failure}"

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def python() -> Iterator[Python]:
    with opened() as guide:
        python = Python(guide)
        try:
            for program in migration_guide.programs():
                python.tell(program)
            yield python
        finally:
            python.close()


@clients.installed("sdk15")
@pytest.mark.parametrize("call", of("sdk"), ids=lambda call: call.to)
def test_sdk15(python: Python, call: Call) -> None:
    line = python.guide.prepared(call, str(call.sdk))
    if re.search(r"\bnode\b", line):
        python.tell(f"node = {python.guide.node()!r}")
    python.tell(f"client.{line}")


# -- az ------------------------------------------------------------------------------------------------------------

AZ = (str(clients.CLIENTS / "az" / "bin" / "az"), "batch")


@pytest.fixture(scope="module")
def az() -> Iterator[Guide]:
    with opened() as guide:
        guide.variables |= {
            "AZURE_CONFIG_DIR": str(guide.folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "1",
        }
        yield guide


@clients.installed("az")
@pytest.mark.slow
@pytest.mark.parametrize("call", of("az"), ids=lambda call: call.to)
def test_az(az: Guide, call: Call) -> None:
    az.run(*AZ, *shlex.split(az.prepared(call, str(call.az))))


@clients.installed("az")
@pytest.mark.slow
def test_the_first_commands(az: Guide) -> None:
    """Those that README.md begins with."""
    for line in migration_guide.first_commands():
        az.settle()
        az.run(*AZ, *shlex.split(line))
    assert (az.folder / "hello.txt").read_text(encoding="utf-8").startswith("hello\nnode_")
