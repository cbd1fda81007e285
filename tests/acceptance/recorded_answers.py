"""What was answered, for who wants to hold it beside the description of the API: a line of JSON for each."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.types import Message, Send

from ..service.openapi.described import faults

#: Bytes of an answer that are kept; of files more is not looked at.
_MOST = 1 << 20


def kept(record: Path, operation: str, send: Send) -> Callable[[Message], Awaitable[None]]:
    """Sends, and notes in the file what was sent. `operation`: its name."""
    status, headers, pieces = 0, dict[str, str](), list[bytes]()

    async def sent(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode().lower(): value.decode("utf-8", "replace") for name, value in message["headers"]}
        elif sum(map(len, pieces)) < _MOST:
            pieces.append(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            body = base64.b64encode(b"".join(pieces)).decode()
            with open(record, "a", encoding="utf-8") as file:
                file.write(json.dumps([operation, status, headers, body]) + "\n")
        await send(message)

    return sent


def not_as_described(record: Path) -> set[str]:
    """In what the answers that the file holds are not as the description of the API says; of many, some."""
    found: set[str] = set()
    answers = 0
    for line in record.read_text(encoding="utf-8").splitlines():
        operation, status, headers, body = json.loads(line)
        if ":" not in operation and len(found) < 20:
            found |= set(faults(operation, status, headers, base64.b64decode(body)))
        answers += 1
    assert answers > 100, "hardly anything was recorded"
    return found
