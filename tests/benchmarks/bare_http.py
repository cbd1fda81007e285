"""A server that parses collections of tasks and stores nothing: `python -m tests.benchmarks.bare_http [bare]`.

It prints its port. Each body is parsed into typed specifications, the same that the API makes of it; with `bare` into
objects that know no more than an id and a command line. The answer is the same few bytes each time.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import httptools
import msgspec

from service.api import tasks

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Task(msgspec.Struct, frozen=True):
    id: str
    command_line: str = msgspec.field(name="commandLine")


class Collection(msgspec.Struct, frozen=True):
    value: list[Task]


_decode = msgspec.json.Decoder(Collection if "bare" in sys.argv else tasks.Collection).decode


class Bare(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        _decode(b"".join(self._body))
        self._body.clear()
        self._transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
