"""The provider `digitalocean`, of its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..cloud_settings import read_cloud_settings
from ..errors import InvalidRequestError
from ..host_keys import HostKeys
from ..libcloud_provider import LibcloudProvider
from ..settings import SettingsReader
from .driver import Droplets
from .mapping import DigitalOceanMapping

_API = "https://api.digitalocean.com"
_VARIABLES = ("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN")


def open_digitalocean(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: HostKeys | None, clock: object
) -> LibcloudProvider:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    token = reader.text("token") or next(filter(None, map(os.environ.get, _VARIABLES)), None)
    common = read_cloud_settings(reader, consoles=False)
    reader.finish()
    if token is None:
        raise InvalidRequestError(f"provider {name}: set token, or the variable {_VARIABLES[0]}")
    if common.region is None and not common.zones:
        raise InvalidRequestError(f"provider {name}: set region to one of DigitalOcean's, such as fra1")
    if common.security_groups:
        raise InvalidRequestError(f"provider {name}: DigitalOcean has no security groups; its firewalls go by tag")
    secret, url = token, common.endpoint or _API

    def driver() -> Droplets:
        return Droplets(secret, url, common.timeout)

    return LibcloudProvider(name, deployment, driver, DigitalOceanMapping(name, deployment, common, host_keys))
