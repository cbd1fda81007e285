"""The part of a node's door that runs on the node, on a channel of its own: runner/agent/gate.py, as root.

It listens where only root may, if the SSH server may not, and tells whose connections are whose.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

import msgspec
import paramiko

from .link_errors import LinkError
from .node_ssh import close_channel

_PIECE = 1 << 16
_FAILURES = (LinkError, paramiko.SSHException, EOFError, OSError, msgspec.MsgspecError)


class _Begun(msgspec.Struct, frozen=True):
    port: int


class _Told(msgspec.Struct, frozen=True):
    sources: dict[int, int]


class NodeGate:
    """Thread-safe."""

    def __init__(self, open_channel: Callable[[int, Sequence[int]], paramiko.Channel], timeout: float) -> None:
        """`open_channel` runs it, for the port that the SSH server forwards and the ports to listen on instead; raises
        LinkError. `timeout`: seconds until it answers."""
        self._open = open_channel
        self._timeout = timeout
        self._lock = threading.Lock()
        self._channel: paramiko.Channel | None = None
        self._passes_on = False
        self._buffer = b""

    def begin(self, port: int, wanted: Sequence[int]) -> int | None:
        """Have it listen on one of the ports `wanted` in place of `port`, which the SSH server forwards; which is it?
        None: it cannot, and does not."""
        with self._lock:
            return self._begin(port, wanted)

    def sources(self, ports: Collection[int], origins: Collection[int]) -> dict[int, int]:
        """The user id on the node of whoever has made them, by the port that they come from (`origins`), of connections
        that came in by `ports`; without those of which it is not known (any more)."""
        with self._lock:
            if self._channel is None:
                self._begin(min(ports, default=0), ())
            if self._channel is None:
                return {}
            try:
                asked = list(origins if self._passes_on else ports)
                self._channel.sendall(msgspec.json.encode({"ports": asked}) + b"\n")
                return msgspec.json.decode(self._line(), type=_Told).sources
            except _FAILURES:
                self._drop()
                return {}

    def close(self) -> None:
        """Never raises."""
        channel = self._channel
        if channel is not None:
            close_channel(channel)

    def _begin(self, port: int, wanted: Sequence[int]) -> int | None:
        try:
            self._channel = self._open(port, wanted)
            self._channel.settimeout(self._timeout)
            self._buffer = b""
            found = msgspec.json.decode(self._line(), type=_Begun).port
        except _FAILURES:
            self._drop()
            return None
        self._passes_on = bool(found)
        if wanted and not found:
            self._drop()  # it is not root there; `sources` makes another
        return found or None

    def _line(self) -> bytes:
        assert self._channel is not None
        while b"\n" not in self._buffer:
            data = self._channel.recv(_PIECE)
            if not data:
                raise EOFError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _drop(self) -> None:
        if self._channel is not None:
            close_channel(self._channel)
            self._channel = None
