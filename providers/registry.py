"""Opening a provider by the name that settings and pools use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from . import clock as wall_clock
from .errors import InvalidRequestError, SettingError
from .host_keys import HostKeys
from .names import check_deployment
from .provider import Provider
from .settings import did_you_mean

#: Where each driver is opened. Imported when one is asked for: libcloud alone takes 0.3 s.
_OPENERS = {
    "local": ("local.mapping", "open_local"),
    "static": ("static", "open_static"),
    "qemu": ("qemu", "open_qemu"),
    "ec2": ("ec2", "open_ec2"),
    "gce": ("gce", "open_gce"),
    "azure": ("azure", "open_azure"),
    "openstack": ("openstack", "open_openstack"),
    "digitalocean": ("digitalocean", "open_digitalocean"),
    "simulated": ("simulated", "open_simulated"),
}
DRIVERS = tuple(_OPENERS)


def open_provider(
    name: str,
    settings: Mapping[str, Any],
    deployment: str,
    *,
    host_keys: HostKeys | None = None,
    clock: Callable[[], float] = wall_clock.now,
) -> Provider:
    """The provider `name`, bound to `deployment`. `settings["driver"]` says which kind it is; without it,
    `name` does.

    `deployment` must be unique among everything that shares this machine or account: it is part of every VM's
    name. `host_keys` are those that its VMs get; drivers whose nodes make their own do without.
    `clock` tells the Instant; the simulated provider lives by it, others only stamp records with it.
    Raises InvalidRequestError for an unknown driver, an unknown setting or a wrong value, and for a cloud where a VM is
    not known again: what it lost sight of would run, and cost, for ever.
    """
    check_deployment(deployment)
    rest = {key: value for key, value in settings.items() if key != "driver"}
    driver = settings.get("driver", name)
    if not isinstance(driver, str) or driver not in _OPENERS:
        cure = did_you_mean(str(driver), DRIVERS) or f"it can be {', '.join(DRIVERS)}"
        raise SettingError(name, "driver", f"unknown driver {driver!r}; {cure}")
    module, function = _OPENERS[driver]
    opened: Provider = getattr(import_module(f".{module}", __package__), function)(
        name, rest, deployment, host_keys, clock
    )
    if opened.capabilities().known_by is None:
        raise InvalidRequestError(
            f"provider {name}: this cloud can neither name nor tag VMs, so that lost ones could not be found and ended;"
            " use another driver"
        )
    return opened
