"""HTTP/1.1, one request on a connection of its own. By hand: `http.client` and what it brings along take longer to
load than all the rest that is done for a task's files, and it would be loaded anew for every task.

Whatever goes wrong here is an OSError or a ValueError.
"""

from __future__ import annotations

import io
import os
import socket
import time
from urllib.parse import quote, urlsplit, urlunsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Mapping
    from urllib.parse import SplitResult

SILENCE = 60.0  # seconds without a byte after which a try has failed
MAX_LINE, MAX_HEADERS = 32 << 10, 200
PORTS = {"http": 80, "https": 443}
_AS_IT_IS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"  # what an address may hold without being changed


class Unusable(ConnectionError):
    """What was answered is no HTTP, or ends too early."""


class Answer:
    """`headers`: by their names in lower case."""

    def __init__(self, status: int, reason: str, headers: dict[str, str], body: BinaryIO, empty: bool) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self._body = body
        self._chunked = headers.get("transfer-encoding", "").lower().endswith("chunked")
        told = headers.get("content-length", "")
        #: Bytes of the content, if that was said.
        self.length = 0 if empty else int(told) if told.isdigit() and not self._chunked else None
        self._left = 0 if self._chunked else self.length  # None: until the connection ends
        self._over = empty

    def read(self, most: int) -> bytes:
        """The next bytes of the content; none at its end."""
        if self._chunked and not self._left and not self._over:
            self._left = self._chunk()
            self._over = not self._left
        if self._over or self._left == 0:
            return b""
        piece: bytes = self._body.read1(most if self._left is None else min(most, self._left))  # type: ignore[attr-defined]
        if self._left is not None:
            if not piece:
                raise Unusable("the answer was cut short")
            self._left -= len(piece)
            if self._chunked and not self._left and _line(self._body):
                raise Unusable("the answer is no HTTP")
        return piece

    def _chunk(self) -> int:
        """The size of the next one; 0 at the end, with what follows it read."""
        size = _line(self._body).split(b";")[0].strip()
        if not size or set(size) - set(b"0123456789abcdefABCDEF"):
            raise Unusable("the answer is no HTTP")
        if not int(size, 16):
            _headers(self._body)
        return int(size, 16)


class Connection:
    """To the server of an address, by the proxy that the environment has for it, but never by one to this machine.

    Nothing that is done with it goes on after `deadline`, in monotonic seconds.
    """

    def __init__(self, url: str, deadline: float | None = None) -> None:
        self._deadline = deadline
        parts = urlsplit(url)
        scheme, self._host = parts.scheme.lower(), parts.netloc.rpartition("@")[2]
        host, port = parts.hostname or "", parts.port or PORTS[scheme]
        self._target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        self._more: dict[str, str] = {}
        proxy = None if _is_loopback(host) else _proxy(scheme, self._host)
        if proxy is None:
            self.socket = _connected(host, port, self._patience())
        else:
            self.socket = _connected(proxy.hostname or "", proxy.port or 80, self._patience())
        try:
            if proxy is not None:
                from .proxies import authorization

                if scheme == "https":
                    self._tunnel(host, port, authorization(proxy))
                else:
                    self._target = urlunsplit((scheme, self._host, parts.path or "/", parts.query, ""))
                    self._more = authorization(proxy)
            if scheme == "https":
                import ssl

                self.socket.settimeout(self._patience())
                self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=host)
        except BaseException:
            self.socket.close()
            raise

    def _patience(self) -> float:
        """How long the server may be silent now. Raises TimeoutError."""
        left = SILENCE if self._deadline is None else self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(left, SILENCE)

    def send(self, data: bytes) -> None:
        self.socket.settimeout(self._patience())
        self.socket.sendall(data)

    def receive(self, into: Any) -> int:
        """How many bytes came into the buffer; 0 at the end."""
        self.socket.settimeout(self._patience())
        return self.socket.recv_into(into)

    def ask(self, method: str, headers: Mapping[str, str]) -> None:
        """Sends the request but for its content."""
        self._ask(method, self._target, {"Host": self._host, **self._more, **headers, "Connection": "close"})

    def _ask(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        lines = [f"{method} {quote(target, safe=_AS_IT_IS)} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        for line in lines:
            if "\r" in line or "\n" in line or "\0" in line:
                raise ValueError("a header holds a line break")
        self.send("".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1"))

    def _tunnel(self, host: str, port: int, headers: Mapping[str, str]) -> None:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._ask("CONNECT", place, {"Host": place, **headers})
        head, byte = b"", bytearray(1)
        while not head.endswith((b"\r\n\r\n", b"\n\n")):  # not a byte more than it: what follows is the server's
            if not self.receive(byte) or len(head) > MAX_LINE:
                raise Unusable("the proxy's answer is no HTTP")
            head += byte
        status, reason = _status(head.split(b"\n")[0])
        if not 200 <= status < 300:
            raise ConnectionError(f"the proxy answered {status} {reason}")

    def answer(self) -> Answer:
        """Reads its head; those that only say that the request goes on are passed over."""
        body = io.BufferedReader(_Incoming(self))
        for _ in range(MAX_HEADERS):
            status, reason = _status(_line(body))
            headers = _headers(body)
            if status >= 200:
                return Answer(status, reason, headers, body, status in (204, 304))
        raise Unusable("the answer is no HTTP")

    def close(self) -> None:
        self.socket.close()


class _Incoming(io.RawIOBase):
    """What comes by a connection, as a file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.receive(buffer)


def _connected(host: str, port: int, patience: float) -> socket.socket:
    """Looked up as bytes where that is the same: to look up a text loads the rules of international names."""
    name = host.encode("ascii" if host.isascii() else "idna")
    made = socket.create_connection((name, port), patience)  # type: ignore[arg-type]  # as getaddrinfo has it
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _proxy(scheme: str, host: str) -> SplitResult | None:
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from .proxies import of

    return of(scheme, host)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _line(file: BinaryIO) -> bytes:
    line = file.readline(MAX_LINE)
    if not line.endswith(b"\n"):
        raise Unusable("the answer was cut short" if len(line) < MAX_LINE else "the answer is no HTTP")
    return line.rstrip(b"\r\n")


def _status(line: bytes) -> tuple[int, str]:
    version, _, rest = line.decode("latin-1").partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(code) != 3 or not (code.isascii() and code.isdigit()):
        raise Unusable("the answer is no HTTP")
    return int(code), reason.strip()


def _headers(file: BinaryIO) -> dict[str, str]:
    """Of several of one name the first counts."""
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        line = _line(file)
        if not line:
            return headers
        name, _, value = line.decode("latin-1").partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    raise Unusable("the answer is no HTTP")
