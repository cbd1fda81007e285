"""An instance as Google's API takes it.

Its description holds the VM's name and tags: labels are too narrow for them, and a list that asks for metadata brings
every start-up script along.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cloud_names import host_name, label, label_key
from ..cloud_settings import CloudSettings
from ..host_keys import HostKeys
from ..http_cloud import DEPLOYMENT_TAG, OWN_TAGS
from ..provider import VmSpec

_LONGEST_DESCRIPTION = 2048
_MOST_LABELS = 64
_RUN_ONCE = "[ -e /var/lib/ebbtide-node ] && exit 0\nmkdir -p /var/lib && : > /var/lib/ebbtide-node"


@dataclass(frozen=True)
class GceSettings:
    network: str | None
    network_tags: tuple[str, ...]
    service_account: str | None
    disk_type: str
    disk_gb: int | None


def instance(
    spec: VmSpec,
    tags: Mapping[str, str],
    zone: str,
    image: str,
    settings: CloudSettings,
    own: GceSettings,
    host_keys: HostKeys | None,
) -> dict[str, Any]:
    """The body of the call that makes it. `image`: a path for sourceImage. Raises InvalidRequestError."""
    shebang, _, rest = settings.script(spec, host_keys).partition("\n")
    metadata = {
        "startup-script": f"{shebang}\n{_RUN_ONCE}\n{rest}",  # Google runs it at every boot
        "ssh-keys": f"{settings.user}:{spec.public_key}",
        "block-project-ssh-keys": "TRUE",
        "enable-oslogin": "FALSE",
    }
    disk: dict[str, Any] = {
        "sourceImage": image,
        "diskType": f"zones/{zone}/diskTypes/{own.disk_type}",
        "labels": _labels(spec.deployment, tags),
    }
    if own.disk_gb:
        disk["diskSizeGb"] = str(own.disk_gb)
    account = [{"email": own.service_account, "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}]
    return {
        "name": host_name(spec.name),
        "description": _description(spec, tags),
        "machineType": f"zones/{zone}/machineTypes/{spec.size}",
        "labels": _labels(spec.deployment, tags),
        "metadata": {"items": [{"key": key, "value": value} for key, value in metadata.items()]},
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": disk}],
        "networkInterfaces": [_interface(spec, zone, settings, own)],
        "scheduling": _scheduling(spec.low_priority),
        "tags": {"items": list(own.network_tags)},
        "serviceAccounts": account if own.service_account else [],
    }


def _interface(spec: VmSpec, zone: str, settings: CloudSettings, own: GceSettings) -> dict[str, Any]:
    interface: dict[str, Any] = {}
    if subnet := spec.subnet or settings.subnet:
        interface["subnetwork"] = subnet_path(subnet, zone)
    else:
        network = own.network or "default"
        interface["network"] = network if "/" in network else f"global/networks/{network}"
    if settings.public:
        interface["accessConfigs"] = [{"type": "ONE_TO_ONE_NAT", "name": "External NAT"}]
    return interface


def _labels(deployment: str, tags: Mapping[str, str]) -> dict[str, str]:
    """For people, and their bills; the one by which it is ours first, should there be too many."""
    rest = [(label_key(key), label(value)) for key, value in tags.items() if key != DEPLOYMENT_TAG]
    return dict([(DEPLOYMENT_TAG, label(deployment)), *rest][:_MOST_LABELS])


def _scheduling(low_priority: bool) -> dict[str, Any]:
    if not low_priority:
        return {"automaticRestart": False}
    return {
        "provisioningModel": "SPOT",
        "preemptible": True,
        "instanceTerminationAction": "STOP",  # a deleted one could not tell that it was preempted
        "onHostMaintenance": "TERMINATE",
        "automaticRestart": False,
    }


def _description(spec: VmSpec, tags: Mapping[str, str]) -> str:
    told = {"deployment": spec.deployment, "name": spec.name, "tags": dict(tags)}
    text = json.dumps(told, separators=(",", ":"))
    if len(text) <= _LONGEST_DESCRIPTION:
        return text
    ours = {key: value for key, value in tags.items() if key in OWN_TAGS}
    return json.dumps({**told, "tags": ours}, separators=(",", ":"))


def described(node: Mapping[str, Any]) -> dict[str, Any]:
    """What the description of an instance holds; {} if it is not of ours."""
    try:
        told = json.loads(node.get("description") or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def last(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def subnet_path(subnet: str, zone: str) -> str:
    return subnet if "/" in subnet else f"regions/{zone.rpartition('-')[0]}/subnetworks/{subnet}"
