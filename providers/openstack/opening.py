"""The provider `openstack`, of its settings and the usual OS_... variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..cloud_settings import read_cloud_settings
from ..errors import InvalidRequestError
from ..host_keys import HostKeys
from ..libcloud_provider import LibcloudProvider
from ..settings import URL, SettingsReader, is_url
from .driver import Account, Servers
from .mapping import OpenStackMapping


def open_openstack(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: HostKeys | None, clock: object
) -> LibcloudProvider:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    pool = reader.text("floatingIpPool")
    volume = reader.count("volumeSize")
    config_drive = reader.flag("configDrive")
    secrets = {key: reader.text(key) for key in _KEYS}
    common = read_cloud_settings(reader, consoles=True, public=pool is not None)
    reader.finish()
    account = _account(name, secrets, common.endpoint, common.region)
    mapping = OpenStackMapping(
        name, deployment, common, host_keys, floating_pool=pool, volume_gib=volume, config_drive=config_drive
    )
    return LibcloudProvider(name, deployment, lambda: Servers(account, common.timeout), mapping)


#: setting -> variable
_KEYS = {
    "username": "OS_USERNAME",
    "password": "OS_PASSWORD",
    "project": "OS_PROJECT_NAME",
    "userDomain": "OS_USER_DOMAIN_NAME",
    "projectDomain": "OS_PROJECT_DOMAIN_ID",
    "applicationCredentialId": "OS_APPLICATION_CREDENTIAL_ID",
    "applicationCredentialSecret": "OS_APPLICATION_CREDENTIAL_SECRET",
}


def _account(name: str, given: Mapping[str, str | None], endpoint: str | None, region: str | None) -> Account:
    found = {key: given[key] or os.environ.get(variable) for key, variable in _KEYS.items()}
    url = endpoint or os.environ.get("OS_AUTH_URL")
    if url is None:
        raise InvalidRequestError(f"provider {name}: set endpoint to Keystone's URL, or the variable OS_AUTH_URL")
    if not is_url(url):  # the setting was looked at before; this is the variable
        raise InvalidRequestError(f"provider {name}: the variable OS_AUTH_URL is {url!r}; it must be {URL}")
    by_credential = found["applicationCredentialId"] is not None
    needed: tuple[str, ...] = ("applicationCredentialId", "applicationCredentialSecret")
    if not by_credential:
        needed = ("username", "password", "project")
    for key in needed:
        if found[key] is None:
            raise InvalidRequestError(f"provider {name}: set {key}, or the variable {_KEYS[key]}")
    user, secret = found[needed[0]], found[needed[1]]
    assert user is not None and secret is not None
    return Account(
        url=url.rstrip("/").removesuffix("/v3"),
        user=user,
        secret=secret,
        application_credential=by_credential,
        project=found["project"],
        user_domain=found["userDomain"] or "Default",
        project_domain=found["projectDomain"] or "default",
        region=region or os.environ.get("OS_REGION_NAME"),
    )
