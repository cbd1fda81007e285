"""Machines that the user has already: an inventory of SSH hosts, leased as nodes and returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidRequestError
from ..settings import SettingsReader
from .fleet import StaticSettings
from .inventory import read_hosts
from .provider import StaticProvider

_MIB = 1 << 20


def open_static(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: object, clock: Callable[[], float]
) -> StaticProvider:
    """Connects to nothing. Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    hosts, usual = read_hosts(name, reader)
    sizes = tuple(dict.fromkeys(host.size for host in hosts))
    base = reader.text("baseDir")
    pool_user, unasked_root = reader.run_as(any(host.user == "root" for host in hosts))
    parsed = StaticSettings(
        hosts=hosts,
        base=Path(base or "."),
        max_vms=reader.count("maxVms"),
        check_interval=reader.number("checkInterval", 60.0, least=1.0),
        timeout=reader.number("timeout", 30.0, least=1.0),
        least_free=reader.number("minDiskMiB", 1024.0) * _MIB,
        boot_timeout=reader.seconds("bootTimeout", None, least=1.0),
        sizes=reader.lists("sizes"),
        default_size=usual,
        prices=reader.prices("prices", sizes),
        low_priority_prices=reader.prices("lowPriorityPrices", sizes),
        pool_user=pool_user,
        unasked_root=unasked_root,
    )
    reader.finish()
    if base is None:
        raise InvalidRequestError(f"provider {name}: set baseDir to the directory that shall hold its records")
    for vm_size, stands_for in parsed.sizes.items():
        for size in stands_for:
            if size not in sizes:
                known = ", ".join(sizes)
                raise InvalidRequestError(
                    f"provider {name}: sizes.{vm_size} names {size!r}, and no host has that size; they have {known}"
                )
    return StaticProvider(name, deployment, parsed, clock)
