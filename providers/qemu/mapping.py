"""The qemu driver's words in the contract's words."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from libcloud.compute.base import Node

from ..driver_mapping import DriverMapping
from ..errors import InvalidRequestError
from ..host_keys import HostKeys
from ..libcloud_provider import LibcloudProvider
from ..provider import Capabilities, Finding, Severity
from .driver import QemuNodeDriver, memory_mib
from .machine import cure_for
from .settings import GuestImage, QemuSettings, read_settings


class QemuMapping(DriverMapping):
    def __init__(self, settings: QemuSettings, name: str = "qemu") -> None:
        can = Capabilities(
            low_priority=True,
            preempt=True,
            user_data=True,
            host_keys=True,
            known_by="names",
            max_vms=settings.max_vms,
            isolation=settings.restrict,
            console=True,
        )
        super().__init__(name, can, settings.profile())
        self._settings = settings

    def console(self, driver: QemuNodeDriver, node: Node) -> str | None:
        return driver.ex_console(node)

    def check(self, driver: QemuNodeDriver) -> Iterator[Finding]:
        settings = self._settings
        yield _program(settings.program)
        if any(image.disk for image in settings.images.values()):
            yield _program("qemu-img")
        if shutil.which(settings.program):
            found = driver.ex_accelerator()
            slow = settings.accelerator == "auto" and found.name == "tcg"
            yield Finding(
                "accelerator",
                Severity.WARNING if slow else Severity.OK,
                f"{found.name}: {found.why}",
                "VMs are emulated, ten times slower; use a machine with KVM, or set accelerator: tcg" if slow else None,
            )
        for name, image in settings.images.items():
            yield from _readable(name, image)
        yield _network(settings)
        yield _memory(settings)
        most = "no maxVms is set" if settings.max_vms is None else f"maxVms is {settings.max_vms}"
        yield Finding("quota", Severity.OK, f"{len(driver.list_nodes())} VMs exist, {most}")


def _program(program: str) -> Finding:
    where = shutil.which(program)
    if where is None:
        return Finding("qemu", Severity.ERROR, f"there is no {program} here", cure_for(program))
    run = subprocess.run([where, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    lines = run.stdout.decode(errors="replace").splitlines()
    if run.returncode != 0 or not lines:
        return Finding("qemu", Severity.ERROR, f"{where} does not run: {run.stderr.decode(errors='replace').strip()}")
    return Finding("qemu", Severity.OK, f"{where}: {lines[0]}")


def _readable(name: str, image: GuestImage) -> Iterator[Finding]:
    for file in image.files:
        if os.path.isfile(file) and os.access(file, os.R_OK):
            yield Finding("image", Severity.OK, f"{name}: {file}")
        else:
            text = f"{name}: {file} is not there, or this user may not read it"
            yield Finding("image", Severity.ERROR, text, f"correct images.{name} in the settings")


def _network(settings: QemuSettings) -> Finding:
    if settings.restrict:
        return Finding("network", Severity.OK, "VMs reach nothing; only their SSH port is reached, from this machine")
    return Finding(
        "network",
        Severity.WARNING,
        "VMs reach the internet, and at 10.0.2.2 what listens on this machine's loopback, other VMs' SSH ports too",
        "set restrict: true, if their tasks need no network",
    )


def _memory(settings: QemuSettings) -> Finding:
    free, smallest = memory_mib("MemAvailable"), min(size.memory for size in settings.sizes.values())
    if free is None:
        return Finding("memory", Severity.WARNING, "this machine does not tell how much memory is free")
    text = f"{free} MiB are free, and the smallest size has {smallest}"
    if free < smallest:
        return Finding("memory", Severity.ERROR, text, "end other programs, or give a size less memory")
    return Finding("memory", Severity.OK, text)


def open_qemu(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: HostKeys | None, clock: Callable[[], float]
) -> LibcloudProvider:
    """Raises InvalidRequestError."""
    parsed = read_settings(name, settings, deployment)
    if host_keys is None:
        raise InvalidRequestError(f"provider {name}: no secret to make host keys of was handed in")
    driver = QemuNodeDriver(parsed, host_keys, clock)
    return LibcloudProvider(name, deployment, driver, QemuMapping(parsed, name))
