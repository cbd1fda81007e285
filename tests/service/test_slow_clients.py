"""Connections from nodes that say nothing, or too little, are cut off; others are waited for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from service import gc_routes, node_protocol, node_routes, storage_routes, web
from service.web_server import WebServer
from tests.providers.waiting import wait_until

from .test_web_server import Refusing

#: Seconds after which the test fails.
PATIENCE = 60.0


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    async def taken(request: Request) -> Response:
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return Response(str(size))

    async def endless(request: Request) -> Response:
        async def lines() -> Any:
            import asyncio

            while True:
                yield b"line\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(lines())

    made = [Route("/storage/put", taken, methods=["PUT"]), Route("/storage/endless", endless)]
    for module in (gc_routes, node_routes):
        monkeypatch.setattr(module, "routes", lambda controller: [])
    monkeypatch.setattr(storage_routes, "routes", lambda controller: made)
    monkeypatch.setattr(web, "handlers", lambda backend: {})
    for name, value in (("HEAD", 0.3), ("BODY", 0.3), ("LEAST", 1000)):
        monkeypatch.setattr(node_protocol, name, value)
    controller: Any = SimpleNamespace(
        deployment=SimpleNamespace(id="0123456789ab"), access=Refusing(), now=lambda: 0.0
    )
    server = WebServer(controller, tmp_path)
    yield server
    server.close()


def whole(sock: socket.socket) -> bytes:
    sock.settimeout(PATIENCE)
    data = b""
    while more := sock.recv(1 << 16):
        data += more
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


PUT = b"PUT /storage/put HTTP/1.1\r\nHost: door\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\n", PUT, PUT + b"x" * 500])
def test_one_that_falls_silent(server: WebServer, said: bytes) -> None:
    with server.entry("n") as sock:
        sock.sendall(said)
        assert whole(sock) == b""


@pytest.mark.parametrize(("said", "piece"), [(b"GET /health HTTP/1.1\r\n", b"A: b\r\n"), (PUT, b"x")])
def test_one_that_says_next_to_nothing(server: WebServer, said: bytes, piece: bytes) -> None:
    with server.entry("n") as sock:
        sock.sendall(said)
        drip(sock, piece)
        try:
            assert whole(sock) == b""
        except ConnectionResetError:
            pass  # it was cut off with something unread


def test_the_next_request_on_a_connection_has_its_time_too(server: WebServer) -> None:
    with server.entry("n") as sock:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: door\r\n\r\nGET /hea")
        data = whole(sock)
        assert data.startswith(b"HTTP/1.1 200") and data.count(b"HTTP/1.1") == 1


def test_a_body_that_comes_is_waited_for(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_protocol, "BODY", 3600.0)

    def begun(sock: socket.socket, count: int) -> Any:
        """The other end, when so much of the body has come."""
        state: Any = server._server
        sock.sendall(PUT)
        protocol = wait_until(lambda: next((p for p in list(state.server_state.connections) if p._awaited), None))
        sock.sendall(b"x" * count)
        wait_until(lambda: protocol._received == count)
        return protocol

    def time_is_up(protocol: Any) -> None:
        done = threading.Event()
        protocol.loop.call_soon_threadsafe(protocol._late)
        protocol.loop.call_soon_threadsafe(done.set)
        assert done.wait(PATIENCE)

    with server.entry("n") as sock:
        protocol = begun(sock, 1000)
        time_is_up(protocol)
        assert protocol._received == 0 and protocol._timer is not None, "as much as that in the next while"
        sock.sendall(b"x" * 999_000)
        sock.shutdown(socket.SHUT_WR)
        assert whole(sock).endswith(b"1000000")
    with server.entry("n") as sock:
        time_is_up(begun(sock, 999))
        assert whole(sock) == b""


def test_an_answer_may_take_its_time(server: WebServer) -> None:
    with server.entry("n") as sock, server.entry("n") as other:
        sock.settimeout(PATIENCE)
        sock.sendall(b"GET /storage/endless HTTP/1.1\r\nHost: door\r\n\r\n")
        assert whole(other) == b""  # which has said nothing
        assert all(sock.recv(1 << 16) for _ in range(100))
