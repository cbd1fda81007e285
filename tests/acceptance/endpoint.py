"""`ebbtide serve` for official clients: a process of its own, nodes on this machine, its first account."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).absolute().parents[2]
PATIENCE = 120.0
#: Of examples/recurrent: no operation of the protocol brings them; the server has them before clients come.
APPLICATIONS = ("pythonscript", "pythonsetup")
#: The first start prints them, to be pasted into a shell.
_PRINTED = re.compile(r"\b(AZURE_BATCH_(?:ACCOUNT|ACCESS_KEY|ENDPOINT)|REQUESTS_CA_BUNDLE)=(\S+)")
#: Waiting in seconds instead of minutes, as in examples/recurrent.
SETTINGS = """\
bootPollInterval: PT0.5S
vmPollInterval: PT1S
samplePeriod: PT0.5S
sampleDelay: PT0S
minimumAutoScaleEvaluationInterval: PT1S
minimumRecurrenceInterval: PT1S
"""


class Answer(NamedTuple):
    """`operation`: its name; METHOD:PATH of what is none. `flow`: whose request it was; "-": not known."""

    operation: str
    status: int
    flow: str


@dataclass(frozen=True)
class Endpoint:
    """`variables`: AZURE_BATCH_ACCOUNT, AZURE_BATCH_ACCESS_KEY and AZURE_BATCH_ENDPOINT, as they were printed, and
    REQUESTS_CA_BUNDLE if it speaks https."""

    variables: dict[str, str]
    state: Path
    record: Path

    @property
    def answers(self) -> list[Answer]:
        """All that was answered so far, in order."""
        lines = self.record.read_text(encoding="utf-8").splitlines() if self.record.exists() else []
        return [Answer(name, int(status), flow) for name, status, flow in (line.rsplit(" ", 2) for line in lines)]


@contextmanager
def open_folder() -> Iterator[Path]:
    """That other users of this machine may go through, as those of tasks must; folders of tests are closed to them."""
    with tempfile.TemporaryDirectory(prefix="ebbtide-acceptance-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextmanager
def serving(folder: Path, *options: str, settings: str = SETTINGS) -> Iterator[Endpoint]:
    """At the end the server has stopped in peace, and no node of it is left. `options`: of `ebbtide serve`."""
    config, state, record = folder / "settings.yaml", folder / "state", folder / "answered"
    nodes = folder / "nodes"
    config.write_text(f"{settings}providers: {{local: {{baseDir: {nodes}}}}}\n", encoding="utf-8")
    where = ["--config", str(config), "--state", str(state)]
    command = [sys.executable, "-m", "tests.acceptance.recorded_server", "serve", "--listen", "127.0.0.1:0"]
    environment = {**os.environ, "RECORD": str(record), "PYTHONUNBUFFERED": "1"}
    log = folder / "log"
    with log.open("w", encoding="utf-8") as sink:
        server = subprocess.Popen(
            [*command, *where, *options], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=sink, text=True
        )
        try:
            variables = _variables(server, log)
            for name in APPLICATIONS:
                source = str(ROOT / "examples" / "recurrent" / name)
                _ebbtide("app", "add", name, "1.0", source, "--default", "--state", str(state))
            yield Endpoint(variables, state, record)
            assert server.poll() is None, f"the server ended by itself: {log.read_text(encoding='utf-8')[-4000:]}"
            server.send_signal(signal.SIGTERM)
            code = server.wait(PATIENCE)
            assert code == 0, f"exit code {code}: {log.read_text(encoding='utf-8')[-4000:]}"
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
            assert server.stdout is not None
            server.stdout.close()
            _ebbtide("down", "--now", "--state", str(state))
            assert _left((state / "deployment").read_text(encoding="utf-8").strip()) == []


def _left(deployment: str) -> list[str]:
    """Processes of its local nodes, or of what ran there: each inherits the name of its VM."""
    mark = f"EBBTIDE_NODE=ebbtide-{deployment}-".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [path.parent.name] if mark in path.read_bytes() else []
        except OSError:
            pass  # it has ended meanwhile, or is another user's
    return found


def _ebbtide(*words: str) -> None:
    command = [sys.executable, "-m", "service", *words]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert run.returncode == 0, run.stderr


def _variables(server: subprocess.Popen[str], log: Path) -> dict[str, str]:
    """What the server prints first."""
    assert server.stdout is not None
    found: dict[str, str] = {}
    end = time.monotonic() + PATIENCE
    while len(found) < 3:
        line = server.stdout.readline()
        assert line, f"the server ended before it said where it is: {log.read_text(encoding='utf-8')[-4000:]}"
        assert time.monotonic() < end, "the server does not say where it is"
        found |= dict(_PRINTED.findall(line))
    return found
