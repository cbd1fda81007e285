"""`ebbtide` as its users have it: a process of its own, killed at a chosen place, started again on the same state."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from service.state import StateDirectory
from tests.rig import CloudRig

from .plan import SIZES, ZONES, Kill, Plan

REPO = Path(__file__).resolve().parents[2]
#: Seconds that one `ebbtide run` may take, and what it has ended with if it does not.
PATIENCE = 240.0
HUNG = 124

SETTINGS: dict[str, Any] = {
    "defaultProvider": "aws",
    "samplePeriod": "PT0.3S",
    "sampleDelay": "PT0S",
    "minimumAutoScaleEvaluationInterval": "PT0.5S",
    "vmPollInterval": "PT2S",
    "connectRetry": "PT0.3S",
    "backOffBase": "PT0.3S",
    "backOffMax": "PT2S",
    "breakerAfter": 1000,
    "capacityPause": "PT2S",
    "orphanGrace": "PT3S",
    "destroyRetry": "PT0.5S",
    "connectTimeout": "PT3S",
    "handshakeTimeout": "PT8S",
    "agentStartTimeout": "PT15S",
    "keepAliveInterval": "PT1S",
    "connectionTimeout": "PT5S",
    "unreachableTimeout": "PT8S",
}
#: Of the provider. `visibilityDelay`: longer than the rig's.
PROVIDER = {
    "zones": list(ZONES), "sizes": {"any": list(SIZES)}, "size": None, "bootTimeout": 14, "idleTimeout": 600,
    "visibilityDelay": 4, "fullListing": 5, "timeout": 5,
}  # fmt: skip


class Ebbtide:
    def __init__(self, directory: Path, rig: CloudRig, plan: Plan) -> None:
        self._directory, self._rig = directory, rig
        self.state = StateDirectory(directory / "state")
        self._settings, self._workload = directory / "settings.yaml", directory / "workload.yaml"
        provider = {key: value for key, value in rig.settings(**PROVIDER).items() if value is not None}
        self._settings.write_text(yaml.safe_dump({**SETTINGS, "providers": {"aws": provider}}))
        self._workload.write_text(yaml.safe_dump({"pools": plan.pools, "jobs": plan.jobs}))
        self._runs = 0
        #: was the last one killed by the clock?
        self.overdue = False
        self._child: subprocess.Popen[Any] | None = None

    def run(self, kill: Kill | None = None) -> int:
        """One `ebbtide run`; its exit code, -9 if it was killed, HUNG."""
        self.overdue = False
        armed = self._arm(kill) if kill is not None else None
        try:
            environment = {}
            if kill is not None and kill.when == "place":
                environment["EBBTIDE_CRASH_AT"] = f"{kill.what}:{kill.number:g}"
            limit = kill.deadline if kill is not None else None
            return self._call(["run", str(self._workload), "--plain"], environment, limit)
        finally:
            if armed is not None:
                armed.cancel()

    def down(self) -> int:
        return self._call(["down"], {}, None)

    def _arm(self, kill: Kill) -> Any:
        if kill.when not in ("before", "after"):
            return None
        left = kill.number

        def struck(params: Any) -> bool:
            nonlocal left
            left -= 1
            if left == 0:
                self.kill()
            return left == 0

        code = "InternalError" if kill.when == "before" else None
        return self._rig.fail(kill.what, code, lose_response=True, when=struck)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _call(self, words: list[str], environment: dict[str, str], limit: float | None) -> int:
        self._runs += 1
        output = self._directory / f"{self._runs}-{words[0]}.log"
        known = {key: value for key, value in os.environ.items() if key != "EBBTIDE_CRASH_AT"}
        command = [sys.executable, "-m", "service", *words, "--config", str(self._settings)]
        command += ["--state", str(self.state.path)]
        with output.open("w") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._directory,
                env={**known, "PYTHONPATH": str(REPO), **environment},
            )  # fmt: skip
        self._child = child
        try:
            return self._wait(child, limit)
        finally:
            child.kill()
            child.wait()

    def _wait(self, child: subprocess.Popen[Any], limit: float | None) -> int:
        """Its exit code, or HUNG. `limit`: seconds after its first call of the cloud, then it is killed."""
        calls, deadline, began = len(self._rig.calls), time.monotonic() + PATIENCE, False
        while True:
            try:
                return child.wait(0.05)
            except subprocess.TimeoutExpired:
                now = time.monotonic()
            if limit is not None and not began and len(self._rig.calls) > calls:
                deadline, began = now + limit, True
            if now > deadline:
                child.kill()
                self.overdue = began
                return child.wait() if began else HUNG

    def logs(self) -> str:
        """What all the processes have printed."""
        paths = sorted(self._directory.glob("*.log"), key=lambda path: int(path.name.partition("-")[0]))
        return "\n".join(f"----- {path.name}\n{path.read_text()}" for path in paths)

