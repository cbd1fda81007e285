"""What the settings file says of an EC2 account: read, checked, and put into values."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from ..errors import InvalidRequestError
from ..provider import Profile
from ..settings import SettingsReader
from .batch_names import IMAGES, OWN_SIZES, SIZES

#: What describes our VMs at the cloud. `DEPLOYMENT` and `VM` are what they are found by.
DEPLOYMENT, VM, POOL, NODE = "ebbtide-deployment", "ebbtide-vm", "ebbtide-pool", "ebbtide-node"
_TAGS = 45  # EC2 takes 50, and five are ours


@dataclass(frozen=True)
class Ec2Settings:
    """Durations in seconds, prices in US dollars per hour."""

    region: str
    endpoint: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    profile: str | None = None
    image: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    image_owners: tuple[str, ...] = ("self", "amazon")
    size: str | None = None
    sizes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    subnet: str | None = None
    subnets: Mapping[str, str] = field(default_factory=dict)
    security_groups: tuple[str, ...] = ()
    ssh_from: tuple[str, ...] = ()
    key_pair: str | None = None
    instance_profile: str | None = None
    ssh_user: str = "admin"
    ssh_port: int = 22
    ssh_address: str = "private"
    user_data: str | None = None
    node_root: str = "/mnt/batch/tasks"
    boot_timeout: float | None = None
    idle_timeout: float | None = 1800.0
    max_vms: int | None = None
    max_price: float | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    low_priority_prices: Mapping[str, float] = field(default_factory=dict)
    host_keys: str = "userData"
    disk_size: int | None = None
    disk_encrypted: bool = True
    cpu_credits: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0
    visibility_delay: float = 20.0
    full_listing: float = 600.0

    @property
    def public(self) -> bool:
        return self.ssh_address == "public"

    @property
    def profile_of_pools(self) -> Profile:
        return Profile(
            sizes=self.sizes,
            default_size=self.size,
            usual_sizes=SIZES,
            own_sizes=OWN_SIZES,
            usual_images=IMAGES,
            zones=self.zones,
            boot_timeout=self.boot_timeout,
            notices="ec2",
            image=self.image,
            reach=bool(self.security_groups) or "set securityGroups to a group whose members let each other in",
        )

    @property
    def configured_sizes(self) -> tuple[str, ...]:
        named = [self.size] if self.size is not None else []
        return tuple(dict.fromkeys([*named, *(size for sizes in self.sizes.values() for size in sizes)]))


def read_settings(name: str, settings: Mapping[str, Any]) -> Ec2Settings:
    """Raises InvalidRequestError."""
    reader = SettingsReader(name, settings)
    subnets = reader.mapping("subnets")
    profile, region = reader.text("profile"), reader.text("region")
    parsed = Ec2Settings(
        region=region or "",
        endpoint=reader.url("endpoint"),
        access_key_id=reader.text("accessKeyId"),
        secret_access_key=reader.text("secretAccessKey"),
        session_token=reader.text("sessionToken"),
        profile=profile,
        image=reader.text("image"),
        images=reader.mapping("images"),
        image_owners=reader.texts("imageOwners") or Ec2Settings.image_owners,
        size=reader.text("size"),
        sizes=reader.lists("sizes"),
        zones=reader.texts("zones") or tuple(subnets),
        subnet=reader.text("subnet"),
        subnets=subnets,
        security_groups=reader.texts("securityGroups"),
        ssh_from=reader.texts("sshFrom"),
        key_pair=reader.text("keyPair"),
        instance_profile=reader.text("instanceProfile"),
        ssh_user=reader.text("sshUser") or "admin",
        ssh_port=reader.port("sshPort", 22),
        ssh_address=reader.choice("sshAddress", ("private", "public"), "private"),
        user_data=reader.text("userData"),
        node_root=reader.text("nodeRoot") or "/mnt/batch/tasks",
        boot_timeout=reader.seconds("bootTimeout", None, least=1.0),
        idle_timeout=reader.seconds("idleTimeout", 1800.0, least=1.0),
        max_vms=reader.count("maxVms"),
        max_price=reader.limit("maxPrice"),
        prices=reader.prices("prices", None),
        low_priority_prices=reader.prices("lowPriorityPrices", None),
        host_keys=reader.choice("hostKeys", ("userData", "console"), "userData"),
        disk_size=reader.count("diskSize") or None,
        disk_encrypted=reader.flag("diskEncrypted", True),
        cpu_credits=reader.choice("cpuCredits", ("standard", "unlimited"), "") or None,
        tags=reader.mapping("tags"),
        timeout=reader.number("timeout", 30.0, least=0.1),
        visibility_delay=reader.number("visibilityDelay", 20.0),
        full_listing=reader.number("fullListing", 600.0, least=1.0),
    )
    reader.finish()
    _check(name, parsed)
    return parsed if region else _with_region(name, parsed)


def _check(name: str, settings: Ec2Settings) -> None:
    problem = next(chain(_credentials(settings), _network(settings), _nodes(settings)), None)
    if problem is not None:
        raise InvalidRequestError(f"provider {name}: {problem}")


def _nodes(settings: Ec2Settings) -> Iterator[str]:
    if settings.user_data is not None and not settings.user_data.startswith("#!"):
        yield "userData must be a script that begins with #!"
    if ours := [key for key in settings.tags if key.lower().startswith(("ebbtide-", "aws:")) or key == "Name"]:
        yield f"the tag {ours[0]!r} is not yours to give; choose another name"
    if len(settings.tags) > _TAGS:
        yield f"{len(settings.tags)} tags are too many; EC2 takes {_TAGS} beside ours"
    for key, value in settings.tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or not (key + value).isprintable():
            yield f"the tag {key!r} is none that EC2 takes: up to 128 printable characters, and a value of up to 256"


def _credentials(settings: Ec2Settings) -> Iterator[str]:
    if (settings.access_key_id is None) != (settings.secret_access_key is None):
        yield "accessKeyId and secretAccessKey go together; give both, or neither for AWS's own chain"
    if settings.session_token is not None and settings.access_key_id is None:
        yield "sessionToken needs accessKeyId and secretAccessKey"
    if settings.profile is not None and settings.access_key_id is not None:
        yield "give either profile or accessKeyId"


def _network(settings: Ec2Settings) -> Iterator[str]:
    if settings.subnet is not None and (settings.subnets or len(settings.zones) > 1):
        yield "a subnet lies in one zone; give `subnets: {zone: subnet}` for several"
    if missing := [zone for zone in settings.zones if settings.subnets and zone not in settings.subnets]:
        yield f"subnets names none for the zone {missing[0]}"
    for network in settings.ssh_from:
        try:
            ipaddress.ip_network(network)
        except ValueError as exc:
            yield f"sshFrom: {exc}; write networks as 203.0.113.7/32"
    if settings.public and not settings.ssh_from and not settings.security_groups:
        yield (
            "with `sshAddress: public`, sshFrom must say from where SSH is let in: this machine's public address, "
            "as in [203.0.113.7/32]"
        )


def _with_region(name: str, settings: Ec2Settings) -> Ec2Settings:
    """AWS's own chain may know the region: environment, then the profile."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None:
        import boto3
        from botocore.exceptions import ProfileNotFound

        try:
            region = boto3.session.Session(profile_name=settings.profile).region_name
        except ProfileNotFound as exc:
            raise InvalidRequestError(f"provider {name}: {exc}") from exc
    if not region:
        raise InvalidRequestError(f"provider {name}: set region, as in us-east-1")
    return replace(settings, region=region)
