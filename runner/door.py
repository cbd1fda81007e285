"""The door: the HTTP side of the controller, as commands on a node find it: a loopback port of the node that is
forwarded back over the node's SSH connection. Pure.

Which port that will be nobody knows when a command is made. Commands hold `DOOR` for its address, and it is replaced
by the real one as they leave.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

#: Stands for the address of the door, "http://127.0.0.1:PORT", in commands: their environment, resources, outputs
#: and checkpoint.
DOOR = "http://door.invalid"
#: Where the built-in object store is behind the door: `DOOR + STORAGE + "/CONTAINER/NAME"`.
STORAGE = "/storage"
#: The variable that holds the door's address.
URL_VARIABLE = "AZ_BATCH_ACCOUNT_URL"
#: What became of an execution that needs the door, on a node without.
UNAVAILABLE = "NodeDoorUnavailable"

_FILES = ("resources", "outputs", "checkpoint")
#: Below the ports that systems give to connections which they make themselves.
_FIRST, _PORTS = 20_000, 12_000
#: From here on only root may listen (Linux: net.ipv4.ip_unprivileged_port_start).
ANYBODY = 1024
#: Of those that only root may have, which well-known services do not want.
_SERVICES = {674, 694, 706, *range(749, 755), 760, 783, 808, 829, 843, 847, 853, 860, 873, 888, *range(901, 904), 953}
_GUARDED = tuple(port for port in range(665, 989) if port not in _SERVICES)


class NoDoor(Exception):
    """The command needs the door, and its node has none; the message says why, and what to do."""


def door_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def through_door(message: dict[str, Any], door: str | None) -> dict[str, Any]:
    """A start message with the door's address in place of `DOOR`.

    `door`: the address; None: this node has no door, and variables that would hold its address are left out. Raises
    NoDoor if files go through it then.
    """
    changed: dict[str, Any] = {}
    environment: Mapping[str, str] = message["env"]
    found = [name for name, value in environment.items() if DOOR in value]
    if found:
        kept = {name: value for name, value in environment.items() if door is not None or DOOR not in value}
        changed["env"] = {name: _placed(value, door) if DOOR in value else value for name, value in kept.items()}
    for name in _FILES:
        value = message.get(name)
        if value and _mentions(value):
            if door is None:
                raise NoDoor(
                    "its files come from or go to the object store of the controller, and the node's SSH server does "
                    "not forward a port to it; allow it there (AllowTcpForwarding yes, or remote; no PermitListen none)"
                )
            changed[name] = _placed(value, door)
    return {**message, **changed} if changed else message


def _mentions(value: Any) -> bool:
    if isinstance(value, str):
        return DOOR in value
    if isinstance(value, Mapping):
        return any(map(_mentions, value.values()))
    return isinstance(value, list | tuple) and any(map(_mentions, value))


def _placed(value: Any, door: str | None) -> Any:
    if isinstance(value, str):
        return value.replace(DOOR, door or "")
    if isinstance(value, Mapping):
        return {name: _placed(each, door) for name, each in value.items()}
    return [_placed(each, door) for each in value] if isinstance(value, list | tuple) else value


def likely_ports(node_id: str, count: int = 3) -> tuple[int, ...]:
    """Ports that a node's door is tried on, best first: always the same for a node, so that tasks which run find the
    door again after the controller has come back; and mostly others for other nodes, which may share a machine."""
    return tuple(_FIRST + number % _PORTS for number in _numbers(node_id, count))


def guarded_ports(node_id: str, count: int = 3) -> tuple[int, ...]:
    """The same of ports that only root may have: no task can take them while the connection is away, and be told what
    is meant for the controller."""
    return tuple(_GUARDED[number % len(_GUARDED)] for number in _numbers(node_id, count))


def _numbers(node_id: str, count: int) -> list[int]:
    return [zlib.crc32(f"{node_id}/{n}".encode()) for n in range(count)]
