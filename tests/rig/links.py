"""The bridge of a rig and its cables, in this machine's own network namespace."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import Any

PREFIX = "ebrig"


def make_bridge(name: str, addresses: Iterable[str]) -> None:
    remove(name)  # of a rig that was killed together with its daemon
    # An address of its own: else it changes with every cable, and hosts speak to one that nobody has any more.
    own = f"06:00:00:00:00:{int(name.removeprefix(PREFIX)):02x}"
    lines = [f"link add name {name} address {own} type bridge", f"link set {name} addrgenmode none"]
    lines += [f"address add {address} dev {name}" for address in addresses]
    _batch([*lines, f"link set {name} up"])


def plug(bridge: str, hosts: Iterable[tuple[str, int, Mapping[str, Any]]]) -> None:
    """A cable from the bridge to each (device, process, spec). The neighbour entries are fixed: a host that is not
    there is met with silence, as on a real network, and not with the news that nobody has its address."""
    lines = []
    for device, pid, spec in hosts:
        lines += [
            f"link add name {device} type veth peer name eth0 address {spec['mac']} netns {pid}",
            f"link set {device} addrgenmode none",
            f"link set {device} master {bridge} up",
        ]
        for address in filter(None, (spec["private"], spec["public"])):
            lines.append(f"neighbour replace {address} lladdr {spec['mac']} dev {bridge} nud permanent")
    _batch(lines, careless=True)  # a host that gets none says so itself, and the others have theirs


def remove(bridge: str) -> None:
    """The bridge and all its cables; returns when the kernel has none of them left."""
    deadline = time.monotonic() + 10
    while (left := _devices(bridge)) and time.monotonic() < deadline:
        _batch([f"link delete {device}" for device in left], careless=True)


def bridges() -> list[str]:
    return [name for name in os.listdir("/sys/class/net") if name.startswith(PREFIX) and "-" not in name]


def _devices(bridge: str) -> list[str]:
    return [name for name in os.listdir("/sys/class/net") if name == bridge or name.startswith(f"{bridge}-")]


def _batch(lines: list[str], careless: bool = False) -> None:
    command = ["ip", *(["-force"] if careless else []), "-batch", "-"]
    done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, check=False)
    if done.returncode and not careless:
        raise OSError(f"ip: {done.stderr.decode().strip()}")
