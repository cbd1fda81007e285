"""The far end of a node's door for tests: whatever connects is handed to a function, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from runner.doors import Doors


def echo(sock: socket.socket) -> None:
    """Sends everything back, and ends when the other side has ended."""
    while data := sock.recv(1 << 16):
        sock.sendall(data)


class FarEnd:
    def __init__(self, directory: Path, serve: Callable[[socket.socket], None] = echo) -> None:
        self._serve = serve
        self.entered = 0
        self.doors = Doors(directory, self._enter)

    def _enter(self, node_id: str) -> socket.socket:
        self.entered += 1
        ours, theirs = socket.socketpair()

        def served() -> None:
            with theirs:
                try:
                    self._serve(theirs)
                except OSError:
                    pass  # the other side has gone

        threading.Thread(target=served, daemon=True).start()
        return ours


def knock(url: str | None, timeout: float = 30.0) -> socket.socket:
    """A connection to the door, as a task on the node makes it."""
    assert url is not None, "the node has no door"
    return socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout)


def say(sock: socket.socket, data: bytes) -> None:
    """All of it, and then no more."""
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)


def whole(sock: socket.socket) -> bytes:
    data = bytearray()
    while more := sock.recv(1 << 16):
        data += more
    return bytes(data)
