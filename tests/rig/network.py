"""The addresses of a rig: a network of its own that leads nowhere, and no two rigs of this machine have the same."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import links

#: Of instances without hosts: they lead nowhere but to this machine.
LOOPBACK, PUBLIC_LOOPBACK = "127.64.0.0/16", "127.128.0.0/16"
_LOCKS = Path(tempfile.gettempdir()) / "ebbtide-rig-networks"
_MOST = 100


@dataclass(frozen=True)
class Network:
    """`lock`: the descriptor that holds the number for us; the kernel gives it back when we die."""

    number: int
    lock: int

    @property
    def bridge(self) -> str:
        return f"{links.PREFIX}{self.number}"

    @property
    def private(self) -> str:
        return f"10.{100 + self.number}.0.0/16"

    @property
    def public(self) -> str:
        """Of the addresses that are reserved for measuring networks: in no route of the world."""
        return str(list(ipaddress.ip_network("198.18.0.0/15").subnets(new_prefix=23))[self.number])

    @property
    def controllers(self) -> list[str]:
        """This machine's own addresses, the private and the public one."""
        return [str(ipaddress.ip_network(cidr)[1]) for cidr in (self.private, self.public)]

    def addresses(self) -> list[str]:
        lengths = [ipaddress.ip_network(cidr).prefixlen for cidr in (self.private, self.public)]
        return [f"{own}/{length}" for own, length in zip(self.controllers, lengths, strict=True)]

    def release(self) -> None:
        os.close(self.lock)


def claim() -> Network:
    """A free one. Raises OSError if this machine has no more."""
    _LOCKS.mkdir(exist_ok=True)
    routes = list(_routes())
    for number in range(_MOST):
        lock = _try_lock(number)
        if lock is None:
            continue
        network = Network(number, lock)
        taken = [route for route, device in routes if device != network.bridge]
        wanted = [ipaddress.ip_network(network.private), ipaddress.ip_network(network.public)]
        if not any(own.overlaps(route) for own in wanted for route in taken):
            return network
        network.release()
    raise OSError("no network is free for a rig: python -m tests.rig cleanup removes what is left of dead ones")


def abandoned() -> list[Network]:
    """The bridges whose rigs are dead. The caller removes them, and releases the networks."""
    _LOCKS.mkdir(exist_ok=True)
    found = []
    for bridge in links.bridges():
        number = bridge.removeprefix(links.PREFIX)
        lock = _try_lock(int(number)) if number.isdigit() else None
        if lock is not None:
            found.append(Network(int(number), lock))
    return found


def mac_of(address: str, groups: int) -> str:
    """`groups`: the bits of the security groups that a host is in, at most 24; others' rules look at them."""
    parts = [2, groups >> 16 & 255, groups >> 8 & 255, groups & 255, *ipaddress.IPv4Address(address).packed[2:]]
    return ":".join(f"{part:02x}" for part in parts)


def _try_lock(number: int) -> int | None:
    lock = os.open(_LOCKS / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _routes() -> Iterator[tuple[ipaddress.IPv4Network, str]]:
    """What this machine's routes cover, the default one left out."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        device, target, *_ = line.split()
        mask = line.split()[7]
        if int(mask, 16):
            parts = [socket.inet_ntoa(struct.pack("<L", int(value, 16))) for value in (target, mask)]
            yield ipaddress.IPv4Network((parts[0], parts[1])), device
