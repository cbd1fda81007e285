"""The kinds of clouds that the contract suite runs on: one module each, with a class below CloudUnderTest.

A kind joins by a line here. Its module is imported when a test is about to use it; while there is none, the kind is
left out.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from .base import CloudUnderTest

#: kind -> "module:Class", the module in this package
KINDS = {
    "local": "local:LocalCloud",
    "simulated": "simulated:SimulatedCloud",
    "static": "static:StaticCloud",
    "ec2": "ec2:Ec2Cloud",
    "ec2 with hosts": "ec2:Ec2HostsCloud",
    "qemu": "qemu:QemuCloud",
    "gce": "gce:GceCloud",
    "azure": "azure:AzureCloud",
    "openstack": "openstack:OpenStackCloud",
    "digitalocean": "digitalocean:DigitalOceanCloud",
}
#: kinds whose every test takes seconds
SLOW = frozenset({"qemu"})


def there() -> list[str]:
    """The kinds whose module exists."""
    return [kind for kind, place in KINDS.items() if find_spec(f"{__name__}.{place.partition(':')[0]}")]


def class_of(kind: str) -> type[CloudUnderTest]:
    module, name = KINDS[kind].split(":")
    found: type[CloudUnderTest] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
