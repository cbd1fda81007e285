"""Clouds to test, each under a deployment id of its own, and the check that nothing is left behind."""

import itertools
import os
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import paramiko
import pytest

from .clouds import SLOW, class_of, there
from .clouds.base import CloudUnderTest
from .clouds.local import LocalCloud
from .clouds.simulated import SimulatedCloud
from .waiting import wait_until as wait_until

_numbers = itertools.count()


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


@pytest.fixture(scope="session")
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


def opened(kind: str, tmp_path: Path, key: paramiko.PKey) -> Iterator[CloudUnderTest]:
    """A cloud of that kind, for a fixture; the test is skipped where there can be none."""
    cloud_class = class_of(kind)
    if reason := cloud_class.unavailable():
        pytest.skip(f"{kind}: {reason}")
    cloud = cloud_class(f"test{os.getpid()}x{next(_numbers)}", tmp_path / "a base's dir é", key)
    try:
        yield cloud
    finally:
        cloud.close()


@pytest.fixture(autouse=True)
def patient_create(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine may take longer to start a node than a controller waits before it returns it as pending."""
    monkeypatch.setattr("providers.local.driver._START_WITHIN", 120.0)


@pytest.fixture(params=[pytest.param(kind, marks=pytest.mark.slow if kind in SLOW else ()) for kind in there()])
def cloud(request: pytest.FixtureRequest, tmp_path: Path, key: paramiko.PKey) -> Iterator[CloudUnderTest]:
    yield from opened(request.param, tmp_path, key)


@pytest.fixture
def local(tmp_path: Path, key: paramiko.PKey) -> Iterator[LocalCloud]:
    yield from cast(Iterator[LocalCloud], opened("local", tmp_path, key))


@pytest.fixture
def simulated(tmp_path: Path, key: paramiko.PKey) -> Iterator[SimulatedCloud]:
    yield from cast(Iterator[SimulatedCloud], opened("simulated", tmp_path, key))
