"""Clients that ask again as soon as they have their answer: some connections in one process, which takes little of the
machine. What they say is made before the time runs."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator, Sequence

import httptools

#: Seconds without any answer.
_PATIENCE = 120.0


class Refused(Exception):
    """An answer that is not the one that was wanted."""


class _Client:
    """One connection; sends what it takes from `requests`."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._complete = False
        self.last = b""

    def ask(self) -> bool:
        """False: there is nothing left to ask."""
        request = next(self._requests, None)
        if request is not None:
            self.sock.sendall(request)
        return request is not None

    def heard(self, status: int) -> bool:
        """Something has come: is the answer complete? Raises Refused."""
        data = self.sock.recv(1 << 20)
        if not data:
            raise Refused("the server has hung up")
        self._parser.feed_data(data)
        if not self._complete:
            return False
        self._complete = False
        self.last = b"".join(self._body)
        self._body.clear()
        if self._parser.get_status_code() != status:
            raise Refused(f"{self._parser.get_status_code()} {self.last[:500]!r}")
        # one parser reads one answer: the next is of the same connection
        self._parser = httptools.HttpResponseParser(self)
        return True

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._complete = True


def ask_all(port: int, requests: Sequence[bytes], clients: int, status: int = 200) -> bytes:
    """All requests, by so many clients; the last answer's body. Raises Refused at the first of another status."""
    todo = iter(requests)
    made = [_Client(port, todo) for _ in range(clients)]
    last = b""
    with selectors.DefaultSelector() as asking:
        try:
            for client in made:
                if client.ask():
                    asking.register(client.sock, selectors.EVENT_READ, client)
            while asking.get_map():
                ready = asking.select(_PATIENCE)
                if not ready:
                    raise Refused(f"no answer within {_PATIENCE:g} s")
                for key, _ in ready:
                    if key.data.heard(status):
                        last = key.data.last
                        if not key.data.ask():
                            asking.unregister(key.fileobj)
        finally:
            for client in made:
                client.sock.close()
    return last
