"""Users of a node who log in to it over SSH: made, changed and removed by its agent, on a channel for each request.

The node is the only place that knows them: nothing of them is recorded here, and their passwords least of all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import paramiko

from .link_errors import LinkError, Unreachable, told
from .node_ssh import close_channel

_LARGEST = 1 << 20


@dataclass(frozen=True)
class NodeUser:
    """`expires`: an Instant. `key`: public, in OpenSSH form, "type base64"."""

    name: str
    expires: float
    admin: bool = False
    password: str | None = field(default=None, repr=False)
    key: str | None = None


class NodeUserError(LinkError):
    """The node refuses. `code`: "exists", "missing", "taken" (its machine has such a user, who is none of ours),
    "impossible" (on this node) or "failed"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NodeUsers:
    """Of one node. Thread-safe. Every method raises NodeUserError, and Unreachable when the connection fails; then it
    may have been done or not."""

    def __init__(self, open_channel: Callable[[], paramiko.Channel], timeout: float) -> None:
        """`open_channel` runs the agent's `logins`; raises LinkError. `timeout`: seconds for one request."""
        self._open = open_channel
        self._timeout = timeout

    def add(self, user: NodeUser, salt: bytes) -> None:
        """`salt`: 16 random bytes."""
        self._ask("add", user, salt)

    def update(self, user: NodeUser, salt: bytes) -> None:
        """Another password, key and expiry for the user of that name."""
        self._ask("update", user, salt)

    def remove(self, name: str) -> None:
        """With its home; what it runs ends."""
        self._ask("remove", NodeUser(name, 0.0), b"")

    def _ask(self, op: str, user: NodeUser, salt: bytes) -> None:
        request = {"op": op, "name": user.name, "admin": user.admin, "expires": user.expires}
        request |= {"password": user.password, "key": user.key, "salt": salt.hex()}
        channel = self._open()
        try:
            channel.settimeout(self._timeout)
            channel.sendall(msgspec.json.encode(request) + b"\n")
            line = _line(channel)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Unreachable(f"user {user.name!r}: the node did not answer: {told(error)}") from error
        finally:
            close_channel(channel)
        try:
            answer: dict[str, Any] = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise LinkError(f"user {user.name!r}: the agent did not do it: {line[:200]!r}") from error
        if not answer["ok"]:
            raise NodeUserError(answer["code"], answer["message"])


def _line(channel: paramiko.Channel) -> bytes:
    data = b""
    while b"\n" not in data and len(data) < _LARGEST:
        piece = channel.recv(1 << 16)
        if not piece:
            errors = channel.recv_stderr(1 << 12).decode(errors="replace").strip()
            raise EOFError(errors.splitlines()[-1] if errors else "the agent ended without a word")
        data += piece
    return data
