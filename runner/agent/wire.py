"""JSON lines: what the controller, the agent and the supervisors say to each other."""

from __future__ import annotations

import errno
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would cost every start of the agent some milliseconds
    from typing import Any, Dict

    Message = Dict[str, Any]

_encoder = json.JSONEncoder(separators=(",", ":"), check_circular=False)
MAX_LINE = 64 << 20


def encode(message: Message) -> bytes:
    """One line. ASCII only, so that the id of a line stands in it as it is (see `id_of`)."""
    return _encoder.encode(message).encode("ascii", "replace") + b"\n"


def decode(line: bytes) -> Message:
    """Raises ValueError for what is not a JSON object."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message must be a JSON object")
    return message


def valid_id(value: object) -> bool:
    """Execution ids are printable ASCII without quotes and backslashes, 1 to 128 characters."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= 128
        and value.isascii()
        and value.isprintable()
        and '"' not in value
        and "\\" not in value
    )


def head_of(line: bytes) -> tuple[bytes, str]:
    """(op, id) of a line that a supervisor wrote, `{"op":"..","id":".."`, without parsing the rest of it."""
    parts = line.split(b'"', 8)
    return parts[3], parts[7].decode("ascii")


class Lines:
    """Splits a byte stream into lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._length = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The complete lines that `data` ends, without their line feeds."""
        if b"\n" not in data:
            self._rest.append(data)
            self._length += len(data)
            if self._length > MAX_LINE:
                raise ValueError(f"a line is longer than {MAX_LINE} bytes")
            return []
        if self._rest:
            data = b"".join(self._rest) + data
        lines = data.split(b"\n")
        rest = lines.pop()
        self._rest = [rest] if rest else []
        self._length = len(rest)
        return lines


class Outbox:
    """Lines on their way into a non-blocking descriptor; many leave in one write."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: list[bytes] = []
        self._rest: memoryview | None = None
        self.size = 0

    def put(self, line: bytes) -> None:
        self._lines.append(line)
        self.size += len(line)

    def take(self) -> list[bytes]:
        """The lines back, before any of them was flushed."""
        lines, self._lines, self.size = self._lines, [], 0
        return lines

    def flush(self) -> bool:
        """True when all is written. Raises OSError when the other side is gone."""
        while self.size:
            if self._rest is None:
                self._rest = memoryview(b"".join(self._lines))
                self._lines.clear()
            try:
                written = os.write(self._fd, self._rest)
            except OSError as error:
                if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
                    return False
                raise
            self.size -= written
            self._rest = self._rest[written:] if written < len(self._rest) else None
        return True
