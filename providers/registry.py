"""Opening a provider by the name that settings and pools use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import clock as wall_clock
from .errors import InvalidRequestError
from .names import check_deployment
from .provider import Provider

DRIVERS = ("local", "simulated")


def open_provider(
    name: str,
    settings: Mapping[str, Any],
    deployment: str,
    *,
    clock: Callable[[], float] = wall_clock.now,
) -> Provider:
    """The provider `name`, bound to `deployment`. `settings["driver"]` says which kind it is; without it,
    `name` does.

    `deployment` must be unique among everything that shares this machine or account: it is part of every VM's
    name. `clock` tells the Instant; the simulated provider lives by it, others only stamp records with it.
    Raises InvalidRequestError for an unknown driver, an unknown setting or a wrong value.
    """
    check_deployment(deployment)
    rest = {key: value for key, value in settings.items() if key != "driver"}
    driver = settings.get("driver", name)
    if driver == "local":
        from .local.mapping import open_local  # libcloud takes 0.3 s to import: only who needs it pays

        return open_local(name, rest, deployment, clock)
    if driver == "simulated":
        from .simulated import open_simulated

        return open_simulated(name, rest, deployment, clock)
    raise InvalidRequestError(f"provider {name}: unknown driver {driver!r}; it can be {' or '.join(DRIVERS)}")
