"""The provider `azure`, of its settings and Azure's usual variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..cloud_settings import CloudSettings, read_cloud_settings
from ..errors import InvalidRequestError
from ..host_keys import HostKeys
from ..libcloud_provider import LibcloudProvider
from ..settings import SettingsReader
from .driver import Account, VirtualMachines
from .mapping import AzureMapping
from .resources import AzureSettings

_VARIABLES = {
    "tenantId": "AZURE_TENANT_ID",
    "subscriptionId": "AZURE_SUBSCRIPTION_ID",
    "clientId": "AZURE_CLIENT_ID",
    "clientSecret": "AZURE_CLIENT_SECRET",
}
#: cloud -> where its API is, and where one signs in
_CLOUDS = {
    "public": ("https://management.azure.com", "https://login.microsoftonline.com"),
    "china": ("https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
    "usGovernment": ("https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
}


def open_azure(
    name: str, settings: Mapping[str, Any], deployment: str, host_keys: HostKeys | None, clock: object
) -> LibcloudProvider:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    found = {key: reader.text(key) or os.environ.get(variable) for key, variable in _VARIABLES.items()}
    cloud = reader.choice("cloud", tuple(_CLOUDS), "public")
    token_endpoint, group = reader.url("tokenEndpoint"), reader.text("resourceGroup")
    network, disk_type, disk_gb = reader.text("network"), reader.text("diskType"), reader.count("diskSize")
    common = read_cloud_settings(reader, consoles=False, public=False)
    reader.finish()
    if found["subscriptionId"] is None:
        raise InvalidRequestError(f"provider {name}: set subscriptionId, or the variable AZURE_SUBSCRIPTION_ID")
    if found["clientSecret"] is not None and (found["clientId"] is None or found["tenantId"] is None):
        raise InvalidRequestError(f"provider {name}: with clientSecret go clientId and tenantId")
    if group is None or common.region is None:
        raise InvalidRequestError(f"provider {name}: set resourceGroup (an existing one) and region")
    own = AzureSettings(
        subscription=found["subscriptionId"],
        group=group,
        region=common.region.lower().replace(" ", ""),
        network=network,
        disk_type=disk_type or "StandardSSD_LRS",
        disk_gb=disk_gb,
    )
    _check(name, common, own)
    api, login = _CLOUDS[cloud]
    account = Account(
        tenant=found["tenantId"],
        subscription=own.subscription,
        client=found["clientId"],
        secret=found["clientSecret"],
        url=common.endpoint or api,
        token_url=token_endpoint or login,
        resource=api + "/",
    )
    mapping = AzureMapping(name, deployment, common, own, host_keys)
    return LibcloudProvider(name, deployment, lambda: VirtualMachines(account, common.timeout), mapping)


def _check(name: str, common: CloudSettings, own: AzureSettings) -> None:
    if own.network is None and not (common.subnet or "").startswith("/"):
        raise InvalidRequestError(
            f"provider {name}: set network (a virtual network of the group) and subnet, or subnet to a whole id"
        )
    if len(common.security_groups) > 1:
        raise InvalidRequestError(f"provider {name}: Azure takes one network security group, not several")
    if common.key_pair:
        raise InvalidRequestError(f"provider {name}: Azure has no key pairs; leave keyPair out")
