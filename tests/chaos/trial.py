"""One seed from beginning to end: controllers that come and go, the storm round their nodes, and the verdict."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from providers import Provider, ProviderError, marked_processes, open_provider
from service.state import StateDirectory

from .controller import DISK, NETWORK, take_disk
from .network import Network
from .nodes import uptime
from .plan import LARGE, SCRIPT, Plan
from .storm import GIVEN_UP, Storm
from .verdict import judge

REPO = Path(__file__).resolve().parents[2]
#: Bytes of a node's disk.
ROOM = 96 << 20
#: What no process may ever print.
_DEFECT = re.compile("Traceback|a defect of ebbtide|error without a type|Exception in thread")
#: Nodes that were out of reach for too long.
_GIVEN_UP = re.compile(r"node_(\w+)_[dp] +leavingpool: no connection that lasted")

SETTINGS: dict[str, Any] = {
    "samplePeriod": "PT1S",
    "sampleDelay": "PT0S",
    "vmPollInterval": "PT1S",
    "bootTimeout": "PT60S",
    "connectRetry": "PT0.2S",
    "backOffBase": "PT0.1S",
    "backOffMax": "PT0.5S",
    "breakerAfter": 100000,
    "capacityPause": "PT0.5S",
    "orphanGrace": "PT3S",
    "destroyRetry": "PT0.5S",
    "connectTimeout": "PT3S",
    "handshakeTimeout": "PT5S",
    "agentStartTimeout": "PT15S",
    "keepAliveInterval": "PT1S",
    "connectionTimeout": "PT4S",
    "unreachableTimeout": f"PT{GIVEN_UP:g}S",
    "taskGracePeriod": "PT2S",
}


@dataclass
class Outcome:
    """`vms`: that tasks ran on, `given_up` of them after a long silence. `lost`: tasks that were not completed. See
    Verdict."""

    seed: int
    tasks: int = 0
    seconds: float = 0.0
    blows: dict[str, int] = field(default_factory=dict)
    vms: int = 0
    given_up: int = 0
    starts: int = 0
    requeues: int = 0
    retries: int = 0
    uncertain: int = 0
    launches: int = 0
    lost: int = 0
    problems: list[str] = field(default_factory=list)
    story: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Trial:
    """`patience`: seconds until it must have come to its end."""

    def __init__(self, plan: Plan, patience: float = 600.0) -> None:
        self._plan = plan
        self._patience = patience
        self._story: list[tuple[float, str]] = []
        self._child: subprocess.Popen[bytes] | None = None
        self.outcome = Outcome(plan.seed, tasks=len(plan.work))

    def run(self) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="ebbtide-chaos-", ignore_cleanup_errors=True) as folder:
            directory = Path(folder)
            directory.chmod(0o755)  # tasks have users of their own
            self._in(directory)
        return self.outcome

    def _in(self, directory: Path) -> None:
        plan, outcome, began = self._plan, self.outcome, time.monotonic()
        script, notes, large, base = (directory / name for name in ("task.sh", "notes", "large", "nodes"))
        script.write_text(SCRIPT)
        content = b"".join(b"%07d\n" % number for number in range(LARGE // 8))
        large.write_bytes(content)
        base.mkdir()
        notes.mkdir()
        notes.chmod(0o777)
        self._files(directory, plan.workload(script, notes, large))
        state = StateDirectory(directory / "state")
        with state.lock():
            state.create(lambda: os.urandom(6).hex())
        deployment = state.deployment().id
        provider = open_provider("local", {"baseDir": str(base)}, deployment)
        try:
            with Network(directory / "network") as network:
                storm = Storm(plan, base, network, provider, self._kill, self._tell)
                with storm:
                    self._work(directory)
                if storm.failure is not None:
                    raise storm.failure
            outcome.seconds = time.monotonic() - began
            outcome.blows = dict(storm.blows)
            outcome.problems += self._left(provider, deployment)
            given_up = set(_GIVEN_UP.findall(self._logs(directory)))
            outcome.given_up = len(given_up)
            found = judge(plan, state, notes, content, storm.deeds, given_up, "disk" in storm.blows)
            outcome.problems += found.problems
            for name in ("starts", "requeues", "retries", "uncertain", "launches", "lost"):
                setattr(outcome, name, getattr(found, name))
        finally:
            self._clean(base, provider)
            logs = self._logs(directory)
        outcome.story = "\n".join(f"{at:9.2f} {text}" for at, text in self._story) + logs
        outcome.vms = len(found.machines)
        outcome.problems += [f"a process says: {line}" for line in logs.splitlines() if _DEFECT.search(line)]

    def _files(self, directory: Path, workload: dict[str, Any]) -> None:
        settings = {**SETTINGS, "providers": {"local": {"baseDir": str(directory / "nodes")}}}
        (directory / "settings.yaml").write_text(yaml.safe_dump(settings))
        (directory / "workload.yaml").write_text(yaml.safe_dump(workload))

    def _tell(self, text: str) -> None:
        self._story.append((uptime(), text))

    # -- controllers

    def _work(self, directory: Path) -> None:
        """`ebbtide run`, again and again while it is killed."""
        wanted = int(any(work.code for work in self._plan.work))
        disk = str(ROOM) if disks_can_be_mounted() else "0"
        end, runs = time.monotonic() + self._patience, 0
        while True:
            runs += 1
            self._tell("ebbtide run")
            with open(directory / f"{runs}.log", "wb") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "tests.chaos.controller", "run", "workload.yaml", "--plain",
                     "--config", "settings.yaml", "--state", "state"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory,
                    env={**os.environ, "PYTHONPATH": str(REPO), NETWORK: str(directory / "network"), DISK: disk},
                )  # fmt: skip
            try:
                code = self._child.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.outcome.problems.append(f"no end after {self._patience:g} s")
                return
            finally:
                self._child.kill()
                self._child.wait()
            self._tell(f"it ended with {code}")
            if code != -9:
                if code != wanted:
                    self.outcome.problems.append(f"the last run ended with {code}")
                return

    def _kill(self) -> bool:
        child = self._child
        if child is None or child.poll() is not None:
            return False
        child.kill()
        return True

    # -- the end

    def _left(self, provider: Provider, deployment: str) -> Iterator[str]:
        yield from (f"VM {vm.name} is left, {vm.state}" for vm in provider.list_owned())
        end = time.monotonic() + 5.0  # what was killed takes a moment to go
        while (processes := marked_processes(deployment)) and time.monotonic() < end:
            time.sleep(0.05)
        yield from (f"a process is left: {process}" for process in processes)

    def _clean(self, base: Path, provider: Provider) -> None:
        for vm in provider.list_owned():
            try:
                provider.destroy(vm.name)
            except ProviderError as exc:
                self.outcome.problems.append(f"{vm.name} could not be destroyed: {exc}")
        for path in (*base.glob("*"), *base.glob(".ending/*")):
            take_disk(path)

    def _logs(self, directory: Path) -> str:
        paths = sorted(directory.glob("*.log"), key=lambda path: int(path.stem))
        return "".join(f"\n----- {path.name}\n{path.read_text(errors='replace')}" for path in paths)


def disks_can_be_mounted() -> bool:
    """Only root may, and not in every container."""
    if os.geteuid():
        return False
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False)
        if mounted.returncode:
            return False
        subprocess.run(["umount", "--lazy", folder], check=True)
    return True
