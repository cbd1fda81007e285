"""What of a request's body is read, and how much of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from service.api.application import BatchApplication
from service.api.call import Answer, Call
from service.api.errors import ApiError
from service.api.gates import open_gate

LARGEST = 100_000


class Asked:
    """One request to the application, whose body comes piece by piece."""

    def __init__(self, application: BatchApplication, method: str, path: str, length: int | None = None) -> None:
        headers = [(b"host", b"h")] + ([(b"content-length", str(length).encode())] if length is not None else [])
        raw = path.encode()
        self.scope = {
            "type": "http", "method": method, "path": path, "raw_path": raw, "query_string": b"", "scheme": "http",
            "headers": headers, "server": ("h", 80),
        }  # fmt: skip
        self.pieces: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self.read = 0
        self.sent: list[dict[str, Any]] = []
        self._application = application

    async def run(self) -> tuple[int, str]:
        """Status and code of the answer."""
        await self._application(self.scope, self._receive, self._send)
        content = b"".join(message.get("body", b"") for message in self.sent)
        return self.sent[0]["status"], json.loads(content)["code"] if content else ""

    async def _receive(self) -> dict[str, Any]:
        piece, more = await self.pieces.get()
        self.read += len(piece)
        return {"type": "http.request", "body": piece, "more_body": more}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


async def _handled(call: Call) -> Answer:
    return Answer()


def application(gate: Any = open_gate) -> BatchApplication:
    handlers = dict.fromkeys(("pool.add", "pool.list"), _handled)
    return BatchApplication(handlers, gate, lambda: 0.0, lambda: "id", LARGEST)


@pytest.mark.parametrize(
    ("method", "length", "status", "code"),
    [
        ("POST", LARGEST, 201, ""),
        ("POST", LARGEST + 1, 413, "RequestBodyTooLarge"),
        ("GET", 65_536, 200, ""),
        ("GET", 65_537, 413, "RequestBodyTooLarge"),
    ],
)
@pytest.mark.parametrize("told", [True, False], ids=["told", "in chunks"])
def test_the_largest_body(method: str, length: int, status: int, code: str, told: bool) -> None:
    async def ask() -> None:
        asked = Asked(application(), method, "/pools", length if told else None)
        for place in range(0, length, 1000):
            asked.pieces.put_nowait((b"x" * min(1000, length - place), place + 1000 < length))
        assert await asked.run() == (status, code)
        assert asked.read == (0 if told and code else length), "one that tells its length is not read at all"

    asyncio.run(ask())


def test_bodies_that_come_at_the_same_time_have_a_limit_together() -> None:
    async def ask() -> None:
        shared = application()
        crowd = [Asked(shared, "POST", "/pools") for _ in range(9)]
        answers = [asyncio.create_task(each.run()) for each in crowd]
        for each in crowd:
            each.pieces.put_nowait((b"x" * 95_000, True))
        done, waiting = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert [each.result() for each in done] == [(503, "ServerBusy")] and len(waiting) == 8
        for each in crowd:
            each.pieces.put_nowait((b"", False))
        assert [await each for each in waiting] == [(201, "")] * 8
        again = Asked(shared, "POST", "/pools")
        again.pieces.put_nowait((b"x" * 95_000, False))
        assert await again.run() == (201, ""), "they are not held any more"

    asyncio.run(ask())


def test_nothing_is_read_of_one_that_may_not() -> None:
    def refuse(*_: object) -> None:
        raise ApiError("AuthenticationFailed", "no")

    async def ask() -> None:
        asked = Asked(application(refuse), "POST", "/pools")
        asked.pieces.put_nowait((b"x" * 1000, True))
        assert await asked.run() == (403, "AuthenticationFailed") and asked.read == 0

    asyncio.run(ask())
