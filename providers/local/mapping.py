"""The local driver's words in the contract's words."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from libcloud.compute.base import Node

from ..driver_mapping import DriverMapping
from ..errors import InvalidRequestError, SettingError
from ..libcloud_provider import LibcloudProvider
from ..provider import Capabilities, Finding, Profile, Severity, Vm
from ..settings import SettingsReader
from .driver import IMAGES, SIZES, LocalNodeDriver, LocalSettings

_IDLE_TIMEOUT = 600.0  # seconds


class LocalMapping(DriverMapping):
    def __init__(self, max_vms: int | None, name: str = "local", profile: Profile | None = None) -> None:
        can = Capabilities(
            low_priority=True, preempt=True, user_data=False, host_keys=True, known_by="names", max_vms=max_vms
        )
        super().__init__(name, can, profile or Profile())

    def vm(self, node: Node) -> Vm:
        return replace(super().vm(node), internal=_internal(node.name))

    def check(self, driver: LocalNodeDriver) -> Iterator[Finding]:
        yield Finding("nodes", Severity.OK, f"{len(driver.list_nodes())} exist; more are processes on this machine")


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
    pool_user, unasked_root = reader.run_as(not os.getuid())
    images, size, sizes = reader.mapping("images"), reader.text("size"), reader.lists("sizes")
    reader.finish()
    _check_names(name, "images", images.values(), IMAGES)
    _check_names(name, "sizes", [each for stands_for in sizes.values() for each in stands_for], SIZES)
    _check_names(name, "size", [size] if size is not None else [], SIZES)
    if pool_user and os.getuid():
        raise InvalidRequestError(f"provider {name}: runAs: poolUser needs root, who alone can become other users")
    if base is None:
        raise InvalidRequestError(f"provider {name}: set baseDir to the directory that shall hold the nodes")
    profile = Profile(
        sizes=sizes,
        default_size=size or "local.small",
        pool_user=pool_user,
        unasked_root=unasked_root,
        batch_images="one",
    )
    mapping = LocalMapping(parsed.max_vms, name, profile)
    return LibcloudProvider(name, deployment, LocalNodeDriver(parsed, clock), mapping)


def _check_names(provider: str, setting: str, names: Iterable[str], known: Mapping[str, object]) -> None:
    """What names stand for must be there. Raises InvalidRequestError."""
    for each in names:
        if each not in known:
            text = f"setting {setting} names {each!r}; there is {', '.join(known)}"
            raise SettingError(provider, setting, text)


def _internal(name: str) -> str:
    """An address of the loopback network that is, but for a chance of one in millions, the node's alone: programs of
    several nodes can use the same ports."""
    first, second, third = hashlib.sha256(name.encode()).digest()[:3]
    return f"127.{1 + first % 254}.{second}.{1 + third % 254}"
