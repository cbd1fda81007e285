"""One client: a connection of its own, requests signed with the account's key, each sent once."""

from __future__ import annotations

import time
from email.utils import formatdate
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

import msgspec

from runner import signature

#: Seconds for an answer.
PATIENCE = 60.0
_VERSION = "api-version=2025-06-01"


class At(NamedTuple):
    port: int
    account: str
    key: str


class Reply(NamedTuple):
    """`status` None: the connection ended before an answer was there."""

    status: int | None
    etag: str
    body: Any
    sent: float
    answered: float


class Client:
    def __init__(self, at: At) -> None:
        self._at = at
        self._connection: HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """`path`: below the root, quoted. `headers`: `_` for `-`."""
        sent = time.monotonic()
        try:
            status, etag, content = self._exchange(method, f"/{path}", body, headers)
        except (OSError, HTTPException):
            self.close()
            return Reply(None, "", None, sent, time.monotonic())
        return Reply(status, etag, msgspec.json.decode(content) if content else None, sent, time.monotonic())

    def _exchange(self, method: str, path: str, body: object, more: dict[str, str]) -> tuple[int, str, bytes]:
        content = None if body is None else msgspec.json.encode(body)
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        headers["ocp-date"] = formatdate(time.time(), usegmt=True)
        if content is not None:
            headers["content-type"] = "application/json; odata=minimalmetadata"
            headers["content-length"] = str(len(content))
        path, _, query = path.partition("?")
        query = f"{query}&{_VERSION}" if query else _VERSION
        made = signature(self._at.key, self._at.account, method, path, query, headers)
        headers["authorization"] = f"SharedKey {self._at.account}:{made}"
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self._at.port, timeout=PATIENCE)
        self._connection.request(method, f"{path}?{query}", content, headers)
        response = self._connection.getresponse()
        read = response.read()
        if response.will_close:
            self.close()
        return response.status, response.headers.get("etag", ""), read
