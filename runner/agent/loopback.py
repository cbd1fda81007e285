"""Connections over the node's loopback, as the kernel lists them: whose is the other end?"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F")  # 127.0.0.1, also as IPv6 writes it
_LISTENS = "0A"
_OVER = "06"  # TIME_WAIT: it is nobody's any more, and listed as root's


def clients(ports: set[int]) -> dict[int, int]:
    """{port of the client: its user id} of the connections to one of the ports."""
    return {local: uid for local, remote, uid in _connections() if remote in ports}


def is_of(uids: set[int], own: int, port: int) -> bool:
    """Does our connection from `own` to `port` lead to one of these users?

    One that nobody has accepted yet belongs to nobody, or to root, so whoever listens is looked at too; the kernel
    lists those first.
    """
    listening: set[int] = set()
    ends: set[int] = set()
    for local, address, remote, state, uid in _listed():
        if local == port and state == _LISTENS:
            listening.add(uid)
        elif (local, remote) == (port, own) and address in _LOOPBACK:
            ends.add(uid)
    return bool(listening) and bool(ends) and listening | ends <= uids


def trusted() -> set[int]:
    """User ids that the SSH server's sockets belong to: root, who runs it, or who has logged in."""
    sudo = os.environ.get("SUDO_UID", "")
    return {0, os.getuid(), int(sudo) if sudo.isdigit() else 0}


def _connections() -> Iterator[tuple[int, int, int]]:
    """(local port, remote port, user id) of each."""
    for local, address, remote, state, uid in _listed():
        if address in _LOOPBACK and remote and state != _OVER:
            yield local, remote, uid


def _listed() -> Iterator[tuple[int, str, int, str, int]]:
    """(local port, local address, remote port, state, user id) of each socket."""
    for table in _TABLES:
        try:
            with open(table, encoding="ascii") as file:
                lines = file.readlines()[1:]
        except OSError:
            continue  # a kernel without
        for line in lines:
            fields = line.split(None, 8)
            address, local = fields[1].split(":")
            yield int(local, 16), address, int(fields[2].rpartition(":")[2], 16), fields[3], int(fields[7])
