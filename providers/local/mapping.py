"""The local driver's words in the contract's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from libcloud.compute.base import Node, NodeAuthSSHKey, NodeImage, NodeSize
from libcloud.compute.types import NodeState

from ..driver_mapping import DriverMapping
from ..errors import InvalidRequestError, ProviderError
from ..libcloud_provider import LibcloudProvider
from ..provider import Capabilities, Finding, Image, Profile, Severity, Size, Vm, VmSpec, VmState
from ..settings import SettingsReader
from .driver import SIZES, LocalNodeDriver, LocalSettings
from .spawn import refused

_IDLE_TIMEOUT = 600.0  # seconds

_STATES = {
    NodeState.PENDING: VmState.PENDING,
    NodeState.RUNNING: VmState.RUNNING,
    NodeState.TERMINATED: VmState.TERMINATED,
    NodeState.UNKNOWN: VmState.UNKNOWN,
}


class LocalMapping(DriverMapping):
    def __init__(self, max_vms: int | None, name: str = "local") -> None:
        self.name = name
        self.capabilities = Capabilities(
            low_priority=True, preempt=True, user_data=False, host_keys=True, max_vms=max_vms
        )
        self.profile = Profile()

    def size(self, size: NodeSize) -> Size:
        return Size(size.name, size.extra["cpus"], size.ram, size.price, size.extra["low_priority_price"])

    def image(self, image: NodeImage) -> Image:
        return Image(image.name, image.extra["description"])

    def create_arguments(self, spec: VmSpec) -> dict[str, Any]:
        return {
            "auth": NodeAuthSSHKey(spec.public_key),
            "ex_pool_id": spec.pool_id,
            "ex_node_id": spec.node_id,
            "ex_low_priority": spec.low_priority,
            "ex_tags": spec.tags,
        }

    def find(self, driver: LocalNodeDriver, name: str) -> Node | None:
        return driver.ex_get_node(name)

    def vm(self, node: Node) -> Vm:
        extra = node.extra
        state = VmState.PREEMPTED if extra["preempted"] else _STATES[node.state]
        return Vm(
            name=node.name,
            provider_id=node.name,
            state=state,
            address=node.private_ips[0],
            port=extra["port"],
            user=extra["user"],
            host_key=extra["host_key"],
            low_priority=extra["low_priority"],
            node_root=extra["node_root"],
            created=node.created_at.timestamp() if node.created_at else None,
            reason=extra["reason"],
            tags=extra["tags"],
            size=extra["size"],
            price_per_hour=extra["price"],
        )

    def check(self, driver: LocalNodeDriver) -> Iterator[Finding]:
        yield Finding("nodes", Severity.OK, f"{len(driver.list_nodes())} exist; more are processes on this machine")

    def error(self, exc: Exception) -> ProviderError | None:
        return refused(exc, "the local provider") if isinstance(exc, OSError) else None


def open_local(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: object, clock: Any
) -> LibcloudProvider:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    base = reader.text("baseDir")
    parsed = LocalSettings(
        base=Path(base or "."),
        deployment=deployment,
        idle_timeout=reader.number("idleTimeout", _IDLE_TIMEOUT, least=1.0),
        max_vms=reader.count("maxVms"),
        prices=reader.prices("prices", SIZES),
        low_priority_prices=reader.prices("lowPriorityPrices", SIZES),
    )
    reader.finish()
    if base is None:
        raise InvalidRequestError(f"provider {name}: set baseDir to the directory that shall hold the nodes")
    return LibcloudProvider(name, deployment, LocalNodeDriver(parsed, clock), LocalMapping(parsed.max_vms, name))
