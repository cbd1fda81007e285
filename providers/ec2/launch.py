"""From a VmSpec to the arguments of one RunInstances call: everything that a VM needs is in that one call."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libcloud.compute.base import Node, NodeImage, NodeSize
from libcloud.compute.drivers.ec2 import EC2NetworkSubnet

from ..bootstrap import Bootstrap
from ..errors import InvalidRequestError
from ..host_keys import HostKeys
from ..provider import VmSpec
from .batch_names import OWN_SIZES
from .driver import Driver
from .images import MachineImage
from .network import Place
from .prices import size_names
from .settings import DEPLOYMENT, NODE, POOL, VM, Ec2Settings

_BURSTS = re.compile(r"t\d")  # sizes whose CPU time beyond a share of it is counted, and may be billed


@dataclass(frozen=True)
class Launch:
    """One RunInstances call, ready to be made, and to be made again: it is the same each time."""

    name: str
    size: str
    image: str
    arguments: Mapping[str, Any]  # libcloud's create_node knows these
    more: Mapping[str, str]  # and these it does not
    tags: Mapping[str, str] = field(default_factory=dict)

    def run(self, driver: Driver, dry: bool = False) -> Node | list[Node]:
        """`dry`: raises with the code DryRunOperation if it would have worked."""
        with driver.more({**self.more, **({"DryRun": "true"} if dry else {})}):
            made: Node | list[Node] = driver.create_node(  # type: ignore[no-untyped-call]
                name=self.name,
                size=NodeSize(self.size, self.size, 0, 0, 0, 0, driver),
                image=NodeImage(self.image, self.image, driver),
                **self.arguments,
            )
        return made


def client_token(vm_name: str) -> str:
    """The same for every call that is to make this VM: EC2 makes one. At most 64 characters."""
    return hashlib.sha256(f"ebbtide {vm_name}".encode()).hexdigest()


def check_size(provider: str, size: str, region: str) -> None:
    """What does not look like a size of EC2's is refused before anything is asked; a size that is newer than our
    table is EC2's to judge. Raises InvalidRequestError."""
    if re.fullmatch(OWN_SIZES, size):
        return
    near = difflib.get_close_matches(size.lower().removeprefix("standard_"), size_names(region), n=3, cutoff=0.3)
    hint = f"such as {', '.join(near)}" if near else "such as t3.small"
    raise InvalidRequestError(
        f"provider {provider} does not know the vmSize {size!r}; name one of EC2's, {hint}, or say in the settings "
        "what it stands for (`sizes`, `size`)"
    )


def bursts(size: str) -> bool:
    """Its price is for a share of its CPUs; what it uses beyond is extra."""
    return _BURSTS.match(size) is not None


def prepare(
    spec: VmSpec,
    settings: Ec2Settings,
    image: MachineImage,
    place: Place,
    key_pair: str | None,
    host_keys: HostKeys | None,
) -> Launch:
    """Raises InvalidRequestError."""
    ours = {DEPLOYMENT: spec.deployment, VM: spec.name, POOL: spec.pool_id, NODE: spec.node_id}
    tags = {**settings.tags, **spec.tags, **ours}
    arguments: dict[str, Any] = {
        "ex_clienttoken": client_token(spec.name),
        "ex_metadata": tags,
        "ex_userdata": _user_data(spec, settings, host_keys),
        "ex_keyname": key_pair,
        "ex_blockdevicemappings": _disks(image, settings) or None,
        "ex_assign_public_ip": settings.public,
        "ex_terminate_on_shutdown": True,  # what powers itself off costs nothing from then on
    }
    more = {
        "MetadataOptions.HttpEndpoint": "enabled",
        "MetadataOptions.HttpTokens": "required",
        "MetadataOptions.HttpPutResponseHopLimit": "1",
        "TagSpecification.2.ResourceType": "volume",
    }
    for number, (key, value) in enumerate({"Name": spec.name, **tags}.items(), 1):
        more |= {f"TagSpecification.2.Tag.{number}.Key": key, f"TagSpecification.2.Tag.{number}.Value": value}
    if settings.instance_profile is not None:  # libcloud knows ARNs of one partition only
        arn = settings.instance_profile.startswith("arn:")
        more[f"IamInstanceProfile.{'Arn' if arn else 'Name'}"] = settings.instance_profile
    if settings.cpu_credits is not None and bursts(spec.size):
        more["CreditSpecification.CpuCredits"] = settings.cpu_credits
    if place.zone is not None:
        more["Placement.AvailabilityZone"] = place.zone
    if place.subnet is not None:
        subnet = EC2NetworkSubnet(place.subnet, place.subnet, "available")  # type: ignore[no-untyped-call]
        arguments["ex_subnet"] = subnet
        arguments["ex_security_group_ids"] = list(place.groups)
    else:  # libcloud takes ids of groups together with a subnet only
        root = "NetworkInterface.1." if settings.public else ""
        more |= {f"{root}SecurityGroupId.{number}": group for number, group in enumerate(place.groups, 1)}
    if spec.low_priority:
        cap = spec.max_price if spec.max_price is not None else settings.max_price
        arguments["ex_spot"] = True
        arguments["ex_spot_max_price"] = None if cap is None else f"{cap:.6f}".rstrip("0").rstrip(".")
    return Launch(spec.name, spec.size, image.id, arguments, more, tags)


def _user_data(spec: VmSpec, settings: Ec2Settings, host_keys: HostKeys | None) -> str:
    if settings.host_keys == "userData" and host_keys is None:
        raise InvalidRequestError("the VM needs a host key and none can be made: open the provider with host_keys")
    bootstrap = Bootstrap(
        user=settings.ssh_user,
        public_key=spec.public_key,
        host_key=host_keys.private(spec.name) if host_keys is not None and settings.host_keys == "userData" else None,
        node_root=settings.node_root,
        dead_man=settings.idle_timeout,
        user_data=spec.user_data if spec.user_data is not None else settings.user_data,
    )
    try:
        return bootstrap.script()
    except ValueError as exc:
        raise InvalidRequestError(str(exc)) from exc


def _disks(image: MachineImage, settings: Ec2Settings) -> list[dict[str, Any]]:
    """Every disk that the image makes goes with the VM, whatever the image says."""
    disks = []
    for device, size in image.disks.items():
        ebs = {"DeleteOnTermination": "true"}
        if size is not None:  # EC2 knows it; what imitates EC2 may not
            ebs["VolumeSize"] = str(size)
        if settings.disk_encrypted:
            ebs["Encrypted"] = "true"
        if settings.disk_size is not None and device == image.root:
            ebs["VolumeSize"] = str(settings.disk_size)
        disks.append({"DeviceName": device, "Ebs": ebs})
    return disks
