"""Providers to test, each under a deployment id of its own, and the check that nothing is left behind."""

import itertools
import os
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import pytest

from providers import Provider, Vm, VmSpec, VmState, marked_processes, open_provider

_numbers = itertools.count()


def wait_until(condition: Callable[[], Any], within: float = 60.0) -> Any:
    """The first true value of `condition`; fails after `within` seconds, which a loaded machine may well need."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
    return value


def forked(action: Callable[[], object]) -> int:
    """Do `action` in a child and wait for its end; its exit code, or minus the signal that killed it.

    The child ends here, whatever happens: it must not go on as a second test run.
    """
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it was, it is told and the child ends
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def running(command: list[str | Path], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is certainly over afterwards, also when the test fails."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


@dataclass
class Cloud:
    """A provider under test, with what a test needs to know to use it."""

    kind: str
    deployment: str
    base: Path
    key: paramiko.PKey
    provider: Provider
    now: float = 1_000_000.0

    def reopen(self, **settings: Any) -> Provider:
        """Another controller on the same state."""
        own = {"baseDir": str(self.base)} if self.kind == "local" else {"bootDelay": 5}
        return open_provider(self.kind, {**own, **settings}, self.deployment, clock=lambda: self.now)

    def spec(self, node: str = "n1", low_priority: bool = True, **changes: Any) -> VmSpec:
        values: dict[str, Any] = {
            "name": f"{self.deployment}-{node}",
            "deployment": self.deployment,
            "pool_id": "mainPool",
            "node_id": node,
            "size": f"{self.kind}.small",
            "image": self.provider.images()[0].name,
            "low_priority": low_priority,
            "public_key": f"{self.key.get_name()} {self.key.get_base64()}",
        }
        return VmSpec(**{**values, **changes})

    def create(self, node: str = "n1", **changes: Any) -> Vm:
        return self.provider.create(self.spec(node, **changes))

    def boot(self) -> None:
        """Let the time pass that a VM needs to come up."""
        self.now += 5

    def states(self) -> dict[str, VmState]:
        return {vm.name.removeprefix(f"{self.deployment}-"): vm.state for vm in self.provider.list_owned()}

    def one(self, name: str) -> Vm:
        return next(vm for vm in self.provider.list_owned() if vm.name == name)


@pytest.fixture(scope="session")
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


def _cloud(kind: str, tmp_path: Path, key: paramiko.PKey) -> Iterator[Cloud]:
    deployment = f"test{os.getpid()}x{next(_numbers)}"
    base = tmp_path / "a base's dir é"
    cloud = Cloud(kind, deployment, base, key, provider=None)  # type: ignore[arg-type]
    cloud.provider = cloud.reopen()
    yield cloud
    for vm in cloud.provider.list_owned():
        cloud.provider.destroy(vm.name)
    assert cloud.provider.list_owned() == []
    assert marked_processes(deployment) == []
    assert list(base.glob("*/*")) == [], "files of destroyed nodes are left"


@pytest.fixture(autouse=True)
def patient_create(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine may take longer to start a node than a controller waits before it returns it as pending."""
    monkeypatch.setattr("providers.local.driver._START_WITHIN", 120.0)


@pytest.fixture(params=["local", "simulated"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path, key: paramiko.PKey) -> Iterator[Cloud]:
    yield from _cloud(request.param, tmp_path, key)


@pytest.fixture
def local(tmp_path: Path, key: paramiko.PKey) -> Iterator[Cloud]:
    yield from _cloud("local", tmp_path, key)


@pytest.fixture
def simulated(tmp_path: Path, key: paramiko.PKey) -> Iterator[Cloud]:
    yield from _cloud("simulated", tmp_path, key)
