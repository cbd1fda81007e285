"""The controller's HTTP side: its socket, its errors, its beginning and its end."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from runner import CredentialError, Scope
from service import gc_routes, web
from service.controller_socket import NAME, client
from service.web_errors import WebError
from service.web_server import WebServer


class Refusing:
    """Takes one token, from one node."""

    def scope(self, node_id: str, shown: str, *_: object) -> Scope:
        if (node_id, shown) != ("n", "Bearer good"):
            raise CredentialError("not yours")
        return Scope("job", "u-1", 0.0)


def fake_routes(controller: Any) -> list[Route]:
    async def refused(request: Request) -> Response:
        raise WebError(409, "JobExists", "there is one; take another id")

    async def broken(request: Request) -> Response:
        raise RuntimeError("secret detail")

    async def endless(request: Request) -> Response:
        async def lines() -> Any:
            import asyncio

            while True:
                yield b"line\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(lines())

    return [Route("/refused", refused), Route("/broken", broken), Route("/endless", endless)]


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(gc_routes, "routes", fake_routes)
    monkeypatch.setattr(web, "handlers", lambda backend: {})
    return SimpleNamespace(
        deployment=SimpleNamespace(id="0123456789ab"), access=Refusing(), now=lambda: 0.0
    )


@pytest.fixture
def server(controller: Any, tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(controller, tmp_path)
    yield server
    server.close()


def over(sock: socket.socket, request: str) -> bytes:
    with sock:
        sock.settimeout(30.0)
        sock.sendall(request.encode())
        data = b""
        while more := sock.recv(1 << 16):
            data += more
        return data


def get(path: str, *headers: str) -> str:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: door", "Connection: close", *headers, "", ""))


def test_errors_are_json_and_tell_nothing_that_they_should_not(
    server: WebServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with client(tmp_path) as http:
        assert http.get("/refused").status_code == 409
        assert http.get("/refused").json() == {"code": "JobExists", "message": "there is one; take another id"}
        assert http.post("/refused").json()["code"] == "UnsupportedHttpVerb"
        assert http.get("/nowhere").json()["code"] == "ResourceNotFound"
        broken = http.get("/broken?sig=s3cret")
        assert broken.status_code == 500 and broken.json()["code"] == "InternalError"
        assert "secret detail" not in broken.text
    assert "secret detail" in caplog.text and "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("node", "header", "path", "status"),
    [
        ("n", "Authorization: Bearer good", "/health", 200),
        ("n", "Authorization: Bearer bad", "/health", 403),
        ("m", "Authorization: Bearer good", "/health", 403),
        ("n", "", "/health", 200),
        ("n", "", "/healthy", 401),
        ("n", "", "/jobs", 401),
        ("n", "Authorization: Basic x", "/jobs", 403),
        ("n", "Authorization: Bearer good", "/jobs", 403),  # it reaches one of them
        ("n", "Authorization: Bearer good", "/applications/a/versions/1", 403),
        ("n", "Authorization: Bearer good", "/refused", 404),  # what people on this machine may ask for
        ("n", "", "//health", 401),
        ("n", "", "/health/../refused", 401),
    ],
)
def test_what_a_node_may_ask_for(server: WebServer, node: str, header: str, path: str, status: int) -> None:
    answer = over(server.entry(node), get(path, *([header] if header else [])))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert b'"pid"' not in answer


@pytest.mark.parametrize("hostile", ["", "\r\n\r\n", "GET", "\0" * 100_000, "GET / HTTP/9.9\r\n\r\n", "X" * 1_000_000])
def test_what_is_no_http_hurts_nobody(server: WebServer, hostile: str) -> None:
    sock = server.entry("n")
    try:
        sock.settimeout(30.0)
        sock.sendall(hostile.encode())
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 16):
            pass
    except OSError:
        pass  # hung up on
    finally:
        sock.close()
    assert over(server.entry("n"), get("/health")).startswith(b"HTTP/1.1 200")


def test_many_connect_at_once_to_one_that_nobody_has_asked_yet(server: WebServer) -> None:
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(over(server.entry("n"), get("/health")))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 20


def test_the_end_waits_for_nobody_for_long(controller: Any, tmp_path: Path) -> None:
    server = WebServer(controller, tmp_path)
    with client(tmp_path) as http, http.stream("GET", "/endless") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "line"
        ending = threading.Thread(target=server.close)
        ending.start()
        with pytest.raises(httpx.HTTPError):
            for _ in lines:
                pass
        ending.join(30.0)
        assert not ending.is_alive()
    server.close()  # again
    with pytest.raises(OSError):
        server.entry("n")


def test_one_that_was_never_asked_ends_without_its_libraries(tmp_path: Path) -> None:
    code = """
import sys, pathlib
from service.web_server import WebServer
server = WebServer(None, pathlib.Path(sys.argv[1]))
server.close()
assert not {"starlette", "uvicorn", "httpx"} & set(sys.modules), "imported for nothing"
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / NAME).exists()


def test_a_stale_socket_is_replaced_and_only_the_owner_may_open_it(controller: Any, tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / NAME))
    stale.close()
    server = WebServer(controller, tmp_path)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    with client(tmp_path) as http:
        assert http.get("/health").json()["pid"] == os.getpid()
    server.close()


def test_without_a_socket_nodes_are_served(controller: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / NAME).mkdir()
    server = WebServer(controller, tmp_path)
    assert "nobody can ask" in caplog.text
    assert over(server.entry("n"), get("/health")).startswith(b"HTTP/1.1 200")
    server.close()
