"""Requests as bytes: whatever one wants to send, over one connection that is kept."""

from __future__ import annotations

import socket
import time
from email.utils import formatdate
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple

from runner import signature

#: Seconds for an answer.
PATIENCE = 60.0


class Key(NamedTuple):
    account: str
    key: str


class Request(NamedTuple):
    """`path` with its query, as it is sent. `headers` without those of authentication. `operation`: what it is meant to
    be."""

    operation: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


class Reply(NamedTuple):
    """`headers`: by names in lower case. `status` 0: the server hung up."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    def __init__(self, host: str, port: int) -> None:
        self.at = host, port
        self._sock: socket.socket | None = None
        #: requests that were sent
        self.sent = 0

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def ask(self, request: Request, authorization: dict[str, str]) -> Reply:
        self.sent += 1
        data = _encoded(request, authorization, f"{self.at[0]}:{self.at[1]}")
        for _ in range(2):  # a connection that was kept may have been given up by the server
            fresh = self._sock is None
            try:
                return self._exchange(request.method, data)
            except (HTTPException, ConnectionError):
                self.close()
                if fresh:
                    break
        return Reply(0, {}, b"")

    def _exchange(self, method: str, data: bytes) -> Reply:
        if self._sock is None:
            self._sock = socket.create_connection(self.at, timeout=PATIENCE)
        try:
            self._sock.sendall(data)
        except ConnectionError:
            pass  # it may have answered before it hung up
        response = HTTPResponse(self._sock, method=method)
        response.begin()
        body = response.read()
        found = Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
        if response.will_close:
            self.close()
        return found


def signed(request: Request, by: Key, at: float | None = None, path: str | None = None) -> dict[str, str]:
    """The headers of authentication. `at`: when it is said to have been made; None: now. `path`: that is signed, if not
    the request's."""
    date = formatdate(time.time() if at is None else at, usegmt=True)
    headers = {name.lower(): value for name, value in request.headers} | {"ocp-date": date}
    if request.body is not None:
        headers["content-length"] = str(len(request.body))
    raw, _, query = (request.path if path is None else path).partition("?")
    return {
        "ocp-date": date,
        "Authorization": f"SharedKey {by.account}:{signature(by.key, by.account, request.method, raw, query, headers)}",
    }


def _encoded(request: Request, authorization: dict[str, str], host: str) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (*request.headers, *authorization.items())]
    if request.body is not None:
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (request.body or b"")
