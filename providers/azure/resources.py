"""A VM and what goes with it as Azure's API takes them: an address, a network interface, a disk, all named after it.

All go with the VM when it is deleted (`deleteOption`); should one be left all the same, its name tells whose it was.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cloud_names import host_name
from ..cloud_settings import CloudSettings
from ..errors import InvalidRequestError
from ..provider import VmSpec

COMPUTE = "2023-09-01"  # versions of the APIs
NETWORK = "2023-09-01"
DISKS = "2023-04-02"
GROUPS = "2021-04-01"

_URN = re.compile(r"([^:/\s]+)[:/]([^:/\s]+)[:/]([^:/\s]+)(?:[:/]([^:/\s]+))?\Z")


@dataclass(frozen=True)
class AzureSettings:
    subscription: str
    group: str
    region: str
    network: str | None
    disk_type: str
    disk_gb: int | None

    @property
    def subscription_path(self) -> str:
        return f"/subscriptions/{self.subscription}"

    @property
    def group_path(self) -> str:
        return f"{self.subscription_path}/resourceGroups/{self.group}"

    @property
    def location_path(self) -> str:
        return f"{self.subscription_path}/providers/Microsoft.Compute/locations/{self.region}"

    def compute(self, kind: str, name: str = "") -> str:
        return f"{self.group_path}/providers/Microsoft.Compute/{kind}" + (f"/{name}" if name else "")

    def net(self, kind: str, name: str = "") -> str:
        return f"{self.group_path}/providers/Microsoft.Network/{kind}" + (f"/{name}" if name else "")

    def subnet(self, subnet: str) -> str:
        network = self.net("virtualNetworks", self.network or "")
        return subnet if subnet.startswith("/") else f"{network}/subnets/{subnet}"

    def vm_path(self, name: str) -> str:
        return self.compute("virtualMachines", host_name(name))

    def nic_path(self, name: str) -> str:
        return self.net("networkInterfaces", f"{host_name(name)}-nic")

    def address_path(self, name: str) -> str:
        return self.net("publicIPAddresses", f"{host_name(name)}-ip")

    def disk_path(self, name: str) -> str:
        return self.compute("disks", f"{host_name(name)}-os")


def address_body(own: AzureSettings, spec: VmSpec, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "location": own.region,
        "tags": dict(tags),
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
        **_zones(spec),
    }


def nic_body(own: AzureSettings, settings: CloudSettings, spec: VmSpec, tags: Mapping[str, str]) -> dict[str, Any]:
    subnet = spec.subnet or settings.subnet or "default"
    address: dict[str, Any] = {"subnet": {"id": own.subnet(subnet)}, "privateIPAllocationMethod": "Dynamic"}
    if settings.public:
        address["publicIPAddress"] = {"id": own.address_path(spec.name), "properties": {"deleteOption": "Delete"}}
    properties: dict[str, Any] = {"ipConfigurations": [{"name": "main", "properties": address}]}
    for group in settings.security_groups:
        path = group if group.startswith("/") else own.net("networkSecurityGroups", group)
        properties["networkSecurityGroup"] = {"id": path}
    return {"location": own.region, "tags": dict(tags), "properties": properties}


def vm_body(
    own: AzureSettings, settings: CloudSettings, spec: VmSpec, tags: Mapping[str, str], image: str, script: str
) -> dict[str, Any]:
    disk: dict[str, Any] = {
        "name": f"{host_name(spec.name)}-os",
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Delete",
        "managedDisk": {"storageAccountType": own.disk_type},
    }
    if own.disk_gb:
        disk["diskSizeGB"] = own.disk_gb
    key = {"path": f"/home/{settings.user}/.ssh/authorized_keys", "keyData": spec.public_key}
    interface = {"id": own.nic_path(spec.name), "properties": {"primary": True, "deleteOption": "Delete"}}
    properties: dict[str, Any] = {
        "hardwareProfile": {"vmSize": spec.size},
        "storageProfile": {"imageReference": image_reference(image), "osDisk": disk},
        "osProfile": {
            "computerName": host_name(spec.name),
            "adminUsername": settings.user,
            # libcloud's create_node puts bytes here, which no JSON takes.
            "customData": base64.b64encode(script.encode()).decode(),
            "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
        },
        "networkProfile": {"networkInterfaces": [interface]},
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    if spec.low_priority:
        most = spec.max_price if spec.max_price is not None else settings.max_price
        properties["priority"] = "Spot"
        properties["evictionPolicy"] = "Deallocate"  # a deleted one could not tell that it was evicted
        properties["billingProfile"] = {"maxPrice": most if most is not None else -1}
    return {"location": own.region, "tags": dict(tags), "properties": properties, **_zones(spec)}


def image_reference(image: str) -> dict[str, str]:
    """Of `publisher:offer:sku[:version]` (or with '/'), or an image's whole id. Raises InvalidRequestError."""
    if image.startswith(("/subscriptions/", "/sharedGalleries/", "/communityGalleries/", "/CommunityGalleries/")):
        key = {"/s": "id", "/c": "communityGalleryImageId", "/C": "communityGalleryImageId"}[image[:2]]
        return {"sharedGalleryImageId" if image.startswith("/sharedGalleries/") else key: image}
    found = _URN.match(image)
    if found is None:
        raise InvalidRequestError(
            f"the image {image!r} is none of Azure's: write publisher:offer:sku:version such as"
            " Debian:debian-12:12-gen2:latest, or the whole id of an image"
        )
    names = ("publisher", "offer", "sku", "version")
    return dict(zip(names, (*found.groups()[:3], found[4] or "latest"), strict=True))


def _zones(spec: VmSpec) -> dict[str, Any]:
    return {"zones": [spec.zone]} if spec.zone is not None else {}
