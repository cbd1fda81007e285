"""A server for the network, with an application for tests, and connections to it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from service import network_door, network_protocol, web
from service.listening import Listening
from service.server_settings import ServerSettings
from service.web_server import WebServer

#: Seconds after which the test fails.
PATIENCE = 60.0
#: Connections at a time.
MOST = 8
GET = b"GET /size HTTP/1.1\r\nHost: h\r\n"
PUT = b"PUT /size HTTP/1.1\r\nHost: h\r\n"


class Held:
    """Requests that are answered when they may be."""

    def __init__(self) -> None:
        self.at_work = 0
        self.free = threading.Event()

    async def answer(self, request: Request) -> Response:
        self.at_work += 1
        while not self.free.is_set():
            await asyncio.sleep(0.01)
        self.at_work -= 1
        return Response("<held>")


class Network:
    """A server for the network, with an application for tests, and connections to it."""

    def __init__(self, directory: Path, listening: Listening, held: Held, most: int = MOST) -> None:
        self.held = held
        settings = SimpleNamespace(server=ServerSettings(connections=most))
        deployment = SimpleNamespace(id="0123456789ab")
        controller: Any = SimpleNamespace(deployment=deployment, settings=settings, access=None, now=lambda: 0.0)
        self.broken = threading.Event()
        self.web = WebServer(controller, directory)
        self.at = self.web.listen(listening, None, self.broken.set)  # type: ignore[arg-type]  # the application needs none

    def connect(self, said: bytes = b"") -> socket.socket:
        sock = socket.create_connection((self.at.host, self.at.port), timeout=PATIENCE)
        sock.sendall(said)
        return sock

    @property
    def open(self) -> int:
        door: Any = self.web._door
        return len(door._open)


def application(held: Held) -> Starlette:
    async def size(request: Request) -> Response:
        found = 0
        async for piece in request.stream():
            found += len(piece)
        return Response(f"<{found}>")

    async def unread(request: Request) -> Response:
        return Response("<refused>", 413)

    async def endless(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)

        return StreamingResponse(pieces())

    async def slow(request: Request) -> Response:
        await asyncio.sleep(1.2)
        return Response("<slow>")

    async def keyed(request: Request) -> Response:
        request.scope[network_protocol.KNOWN] = True
        return Response("<keyed>")

    routes = [
        Route("/keyed", keyed), Route("/size", size, methods=["GET", "PUT"]), Route("/unread", unread, methods=["PUT"]),
        Route("/endless", endless), Route("/slow", slow), Route("/held", held.answer),
    ]  # fmt: skip
    return Starlette(routes=routes)


@contextmanager
def opened(directory: Path, listening: Listening) -> Iterator[Network]:
    """A server whose clients have little time."""
    held = Held()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "handlers", lambda backend: {})
        patch.setattr(web.Web, "network_application", lambda *_: application(held))
        for name, value in (("HEAD", 0.5), ("BODY", 0.5), ("STALL", 1.0), ("LINGER", 0.5), ("LEAST", 1000)):
            patch.setattr(network_protocol, name, value)
        patch.setattr(network_door, "_SWEEP", 0.05)
        patch.setattr(network_door, "_HANDSHAKE", 0.5)
        network = Network(directory, listening, held)
        try:
            yield network
        finally:
            network.web.close()


def whole(sock: socket.socket) -> bytes:
    """What comes until the other side hangs up."""
    data = b""
    try:
        while more := sock.recv(1 << 16):
            data += more
    except ConnectionResetError:
        pass  # with something unread
    return data


def drip(sock: socket.socket, piece: bytes) -> None:
    """Sends on and on, until the other side has hung up."""

    def dripping() -> None:
        ended = threading.Event()
        try:
            while not ended.wait(0.02):
                sock.sendall(piece)
        except OSError:
            pass

    threading.Thread(target=dripping, daemon=True).start()


def serves(network: Network) -> bool:
    with network.connect(GET + b"Connection: close\r\n\r\n") as sock:
        return whole(sock).endswith(b"<0>")
