"""A libcloud driver whose cloud is qemu on this machine: a node is a process with a directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from libcloud.compute.base import Node, NodeImage, NodeSize

from ..bootstrap import Bootstrap
from ..errors import CapacityError, InvalidRequestError, QuotaError
from ..host_keys import HostKeys
from ..local.machine_driver import MachineDriver
from ..local.record import VmRecord
from ..local.registry import Entry, Phase
from .accelerator import Accelerator, choose
from .machine import Guest, console, start
from .registry import VmRegistry
from .settings import GuestSize, QemuSettings


class QemuNodeDriver(MachineDriver):
    """A node that was created is running, and boots."""

    name = "qemu"
    website = "https://www.qemu.org/"
    type = "qemu"

    def __init__(self, settings: QemuSettings, host_keys: HostKeys, clock: Callable[[], float]) -> None:
        super().__init__(VmRegistry(settings.base), settings.deployment, settings.dead_man or 0.0, clock)
        self._settings = settings
        self._host_keys = host_keys
        self._accelerator: Accelerator | None = None
        self._choosing = threading.Lock()

    def list_sizes(self, location: object = None) -> list[NodeSize]:
        return [self._size(name, size) for name, size in self._settings.sizes.items()]

    def _size(self, name: str, size: GuestSize) -> NodeSize:
        price, low = self._price(name, False), self._price(name, True)
        extra = {"cpus": size.cpus, "low_priority_price": low}
        return NodeSize(name, name, size.memory, int(size.disk), None, price, self, extra)

    def list_images(self, location: object = None) -> list[NodeImage]:
        return [
            NodeImage(name, name, self, {"description": ", ".join(map(str, image.files))})
            for name, image in self._settings.images.items()
        ]

    def _starter(self, name: str, public_key: str, user_data: str | None) -> Callable[[Entry], None]:
        settings = self._settings
        bootstrap = Bootstrap(
            user=settings.user,
            public_key=public_key,
            host_key=self._host_keys.private(name),
            node_root=settings.node_root,
            dead_man=settings.dead_man,
            user_data=user_data if user_data is not None else settings.user_data,
        )
        try:
            return partial(self._start, bootstrap.script())
        except ValueError as exc:
            raise InvalidRequestError(f"VM {name}: {exc}") from exc

    def _start(self, script: str, entry: Entry) -> None:
        assert entry.vm is not None
        start(entry.path, self._guest(entry.vm, script), self._settings.program)

    def _guest(self, vm: VmRecord, script: str) -> Guest:
        settings = self._settings
        if vm.image not in settings.images or vm.size not in settings.sizes:
            raise InvalidRequestError(f"VM {vm.name}: the settings have no image {vm.image} or size {vm.size} any more")
        return Guest(
            name=vm.name,
            image=settings.images[vm.image],
            size=settings.sizes[vm.size],
            script=script,
            accelerator=self.ex_accelerator(),
            restrict=settings.restrict,
            user=settings.user,
            host_key=self._host_keys.public(vm.name),
        )

    def ex_accelerator(self) -> Accelerator:
        """Raises OSError."""
        with self._choosing:
            if self._accelerator is None:
                self._accelerator = choose(self._settings.accelerator, self._settings.program, self._settings.base)
            return self._accelerator

    def _admit(self, entries: list[Entry], size: str) -> None:
        settings, living = self._settings, [entry for entry in entries if entry.lives]
        ours = sum(self._ours(entry) for entry in living)
        if settings.max_vms is not None and ours >= settings.max_vms:
            raise QuotaError(f"{ours} VMs exist and maxVms is {settings.max_vms}; raise it, or wait until one ends")
        promised = [settings.sizes[entry.vm.size].memory for entry in living if self._known(entry) and entry.vm]
        needed, total = settings.sizes[size].memory, memory_mib("MemTotal")
        if total is not None and sum(promised) + needed > total:
            raise CapacityError(
                f"{len(living)} VMs have {sum(promised)} of this machine's {total} MiB of memory, and one more of size "
                f"{size} needs {needed}; use fewer or smaller VMs"
            )

    def _known(self, entry: Entry) -> bool:
        return entry.vm is not None and entry.vm.size in self._settings.sizes

    def ex_console(self, node: Node) -> str | None:
        path: Path = node.extra["path"]
        return console(path)

    def _haunted(self, entry: Entry) -> bool:
        """A VM that has ended is one process less; nothing else of it runs on this machine."""
        return entry.haunted and entry.phase is Phase.PREEMPTED

    def _price(self, size: str, low_priority: bool) -> float:
        return self._settings.price(size, low_priority)

    def _told(self, entry: Entry) -> dict[str, Any]:
        return {
            "path": entry.path,
            "user": entry.node.user if entry.node else self._settings.user,
            "host_key": self._host_keys.public(entry.name),
            "node_root": self._settings.node_root,
        }


def memory_mib(field: str) -> int | None:
    """A figure of this machine's memory, such as MemTotal or MemAvailable."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            rows = dict(line.split(":", 1) for line in file)
        return int(rows[field].split()[0]) // 1024
    except (OSError, LookupError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20 if field == "MemTotal" else None
