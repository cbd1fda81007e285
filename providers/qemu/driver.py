"""A libcloud driver whose cloud is qemu on this machine: a node is a process with a directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from libcloud.compute.base import Node, NodeAuthPassword, NodeAuthSSHKey, NodeDriver, NodeImage, NodeLocation, NodeSize
from libcloud.compute.types import NodeState

from ..bootstrap import Bootstrap
from ..errors import CapacityError, InvalidRequestError, NotFoundError, ProviderError, QuotaError
from ..host_keys import HostKeys
from ..local.record import VmRecord
from ..local.registry import Entry, Phase
from ..local.spawn import refused
from ..sweep import StubbornProcessesError
from .accelerator import Accelerator, choose
from .machine import ADDRESS, Guest, console, start
from .registry import VmRegistry
from .settings import GuestSize, QemuSettings

_STATES = {
    Phase.PENDING: NodeState.PENDING,
    Phase.RUNNING: NodeState.RUNNING,
    Phase.PREEMPTED: NodeState.TERMINATED,
    Phase.DEAD: NodeState.TERMINATED,
    Phase.DAMAGED: NodeState.UNKNOWN,
}


class QemuNodeDriver(NodeDriver):
    """`ex_*` arguments and methods follow libcloud's custom for what only one cloud has.

    Raises this package's typed errors, which are part of its contract, instead of libcloud's.
    """

    name = "qemu"
    website = "https://www.qemu.org/"
    type = "qemu"
    features = {"create_node": ["ssh_key"]}  # noqa: RUF012 - the base class declares it so

    def __init__(self, settings: QemuSettings, host_keys: HostKeys, clock: Callable[[], float]) -> None:
        # No connection to any API: the base class's constructor would open one.
        self.api_name = "qemu"
        self._settings = settings
        self._host_keys = host_keys
        self._clock = clock
        self._registry = VmRegistry(settings.base)
        self._registry.tidy()
        self._accelerator: Accelerator | None = None
        self._choosing = threading.Lock()

    def list_sizes(self, location: object = None) -> list[NodeSize]:
        return [self._size(name, size) for name, size in self._settings.sizes.items()]

    def _size(self, name: str, size: GuestSize) -> NodeSize:
        price, low = self._settings.price(name, False), self._settings.price(name, True)
        extra = {"cpus": size.cpus, "low_priority_price": low}
        return NodeSize(name, name, size.memory, int(size.disk), None, price, self, extra)

    def list_images(self, location: object = None) -> list[NodeImage]:
        return [
            NodeImage(name, name, self, {"description": ", ".join(map(str, image.files))})
            for name, image in self._settings.images.items()
        ]

    def create_node(
        self,
        name: str,
        size: NodeSize,
        image: NodeImage,
        location: NodeLocation | None = None,
        auth: NodeAuthSSHKey | NodeAuthPassword | None = None,
        ex_pool_id: str = "",
        ex_node_id: str = "",
        ex_low_priority: bool = False,
        ex_tags: Mapping[str, str] | None = None,
        ex_userdata: str | None = None,
    ) -> Node:
        """Idempotent by name. The node is running on return, and boots."""
        if not isinstance(auth, NodeAuthSSHKey):
            raise InvalidRequestError(f"VM {name}: a VM needs an SSH key (auth=NodeAuthSSHKey)")
        script = self._script(name, auth.pubkey, ex_userdata)
        record = VmRecord(
            name=name,
            deployment=self._settings.deployment,
            pool_id=ex_pool_id,
            node_id=ex_node_id,
            size=size.id,
            image=image.id,
            low_priority=ex_low_priority,
            public_key=auth.pubkey,
            idle_timeout=self._settings.dead_man or 0.0,
            created=self._clock(),
            tags=dict(ex_tags or {}),
        )
        try:
            self._registry.add(record, lambda entries: self._admit(entries, size.id))
            return self._boot(name, script)
        except OSError as exc:
            error = refused(exc, f"creating VM {name}")
        except ProviderError as exc:
            error = exc
        entry = self._registry.get(name)
        if entry is not None and entry.phase is not Phase.RUNNING:
            self._end(name)  # what could not start must not stay listed
        raise error

    def _script(self, name: str, public_key: str, user_data: str | None) -> str:
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
            return bootstrap.script()
        except ValueError as exc:
            raise InvalidRequestError(f"VM {name}: {exc}") from exc

    def _boot(self, name: str, script: str) -> Node:
        entry = self._registry.get(name)
        if entry is not None and entry.phase is Phase.PENDING and entry.vm is not None:
            try:
                start(entry.path, self._guest(entry.vm, script), self._settings.program)
            except (FileNotFoundError, ProviderError):
                if entry.path.exists():
                    raise
                # else it was destroyed meanwhile, which is why it could not start
            entry = self._registry.get(name)
        if entry is None:
            raise NotFoundError(f"VM {name} was destroyed while it was created")
        return self._node(entry)

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
        """Raises QuotaError, CapacityError."""
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

    def _ours(self, entry: Entry) -> bool:
        return entry.vm is None or entry.vm.deployment == self._settings.deployment

    def list_nodes(self) -> list[Node]:
        entries = [entry for entry in self._registry.entries() if self._ours(entry)]
        self._registry.bury(entry.name for entry in entries if entry.phase is Phase.PREEMPTED and entry.haunted)
        return [self._node(entry) for entry in entries]

    def destroy_node(self, node: Node) -> bool:
        self._end(node.name)
        return True

    def _end(self, name: str) -> None:
        try:
            self._registry.destroy(name)
        except StubbornProcessesError as exc:
            raise ProviderError(f"VM {name}: {exc}") from exc
        except OSError as exc:
            raise refused(exc, f"destroying VM {name}") from exc

    def ex_get_node(self, name: str) -> Node:
        """The node; in an unknown state if there is no record of it (a process may be left all the same)."""
        entry = self._registry.get(name)
        return self._node(entry or Entry(name, self._registry.path(name), Phase.DAMAGED, "no record", None, None))

    def ex_console(self, node: Node) -> str | None:
        path: Path = node.extra["path"]
        return console(path)

    def ex_preempt_node(self, node: Node) -> None:
        """Take the node away as a spot market would: abruptly. Raises NotFoundError, InvalidRequestError."""
        entry = self._registry.get(node.name)
        if entry is None or not self._ours(entry):
            raise NotFoundError(f"there is no VM {node.name} to preempt")
        if entry.vm is None or not entry.vm.low_priority:
            raise InvalidRequestError(f"VM {node.name} is dedicated; only low-priority VMs can be preempted")
        if entry.lives:
            try:
                self._registry.preempt(node.name, "preempted on command")
            except StubbornProcessesError as exc:
                raise ProviderError(f"VM {node.name}: {exc}") from exc

    def _node(self, entry: Entry) -> Node:
        vm, process = entry.vm, entry.node
        return Node(
            id=entry.name,
            name=entry.name,
            state=_STATES[entry.phase],
            public_ips=[],
            private_ips=[ADDRESS],
            driver=self,
            extra={
                "path": entry.path,
                "port": process.port if process else None,
                "user": process.user if process else self._settings.user,
                "host_key": self._host_keys.public(entry.name),
                "node_root": self._settings.node_root,
                "low_priority": vm.low_priority if vm else False,
                "preempted": entry.phase is Phase.PREEMPTED,
                "reason": entry.reason,
                "tags": vm.tags if vm else {},
                "size": vm.size if vm else None,
                "price": self._settings.price(vm.size, vm.low_priority) if vm else None,
            },
            created_at=datetime.fromtimestamp(vm.created, UTC) if vm else None,
        )


def memory_mib(field: str) -> int | None:
    """A figure of this machine's memory, such as MemTotal or MemAvailable."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            rows = dict(line.split(":", 1) for line in file)
        return int(rows[field].split()[0]) // 1024
    except (OSError, LookupError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20 if field == "MemTotal" else None
