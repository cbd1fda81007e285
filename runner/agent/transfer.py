"""HTTP as `fetch` and `upload` need it: streams in both directions, further tries, time limits, and what went wrong.

Imports are made late: the supervisors import what imports this module, and must not pay for it.
"""

from __future__ import annotations

import errno
import time
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from .exchange import Answer, Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable

PIECE = 1 << 20
TRIES = 4
PAUSE, PAUSE_MAX = 0.5, 15.0
REDIRECTS = 5
CONTINUE_WITHIN = 1.0  # seconds that a server may take to ask for the body; after that it is sent unasked
_WHOLE = (200, 203, 204)  # answers to a GET that hold all of it; a part (206) is never asked for
VERSION = "2021-08-06"  # of the Blob protocol
_STORE = "/storage/"  # of the door; its addresses carry a signature for a name
_FULL = (errno.ENOSPC, errno.EDQUOT)


class TransferError(Exception):
    """`kind`: missing, denied, timeout, limit, disk (ours is full), file (ours cannot be used) or other.

    The message names the address without its query, which may hold a token.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Passing(Exception):
    """Worth another try. `unreached`: nobody answered at all."""

    def __init__(self, message: str, unreached: bool = False) -> None:
        super().__init__(message)
        self.unreached = unreached


def shown(url: str) -> str:
    """The address as people may see it, in one line: without query and password. What lies in the controller's object
    store is called as users write it."""
    parts = urlsplit(url)
    if parts.netloc.startswith("127.0.0.1:") and parts.path.startswith(_STORE) and "&sn=" in parts.query:
        return "storage://" + legible(unquote(parts.path[len(_STORE) :]))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def legible(text: str) -> str:
    """In one line, and not too long for a message."""
    short = text if len(text) <= 300 else f"{text[:200]}...{text[-90:]}"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in short)


def with_query(url: str, fields: dict[str, str]) -> str:
    """The address with more in its query; a token that is there already stays as it is written."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(fields, quote_via=quote))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def below(url: str, name: str) -> str:
    """The address of a blob in the container (or of a file below the folder) `url`, with the same query."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + "/" + quote(name, safe="/")
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def is_azure(url: str) -> bool:
    """Does the address carry a signature of Azure Storage?"""
    query = dict(parse_qsl(urlsplit(url).query))
    return "sig" in query and "sv" in query


def until(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def persevere(url: str, deadline: float | None, patient: bool, attempt: Callable[[], Any]) -> Any:
    """Tries again what may pass; `patient`: as long as nobody answers and there is time. Raises TransferError."""
    tried, pause = 0, PAUSE
    while True:
        try:
            return attempt()
        except _Passing as error:
            tried += not (patient and error.unreached)
            if deadline is not None and time.monotonic() + pause >= deadline:
                raise TransferError("timeout", f"{shown(url)}: not done within the time limit: {error}") from error
            if tried >= TRIES:
                raise TransferError("other", f"{shown(url)}: {error}") from error
        time.sleep(pause)
        pause = min(2 * pause, PAUSE_MAX)


def download(
    url: str, sink: BinaryIO, limit: int | None = None, deadline: float | None = None, patient: bool = False
) -> int:
    """The content into `sink`, which is emptied before each try; its size. Raises TransferError."""
    if not _is_web(url):
        raise TransferError("file", f"{shown(url)!r}: only http and https can be fetched")

    def attempt() -> int:
        rewind(sink)
        return _download(url, sink, limit, deadline)

    size: int = persevere(url, deadline, patient, attempt)
    return size


def rewind(sink: BinaryIO) -> None:
    if sink.tell():
        sink.seek(0)
        sink.truncate()


def _download(url: str, sink: BinaryIO, limit: int | None, deadline: float | None) -> int:
    target = url
    for _ in range(REDIRECTS):
        version = {"x-ms-version": VERSION} if is_azure(target) else {}
        connection = _connection(target, deadline)
        try:
            try:
                connection.ask("GET", {"User-Agent": "ebbtide", **version})
                answer = connection.answer()
            except (OSError, ValueError) as error:
                raise _Passing(_reason(error), unreached=True) from error
            if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("location"):
                target = _further(url, target, answer)
                continue
            if answer.status not in _WHOLE:
                raise _status(url, answer)
            return _received(url, answer, sink, limit)
        finally:
            connection.close()
    raise TransferError("other", f"{shown(url)}: it redirects without end")


def _received(url: str, answer: Answer, sink: BinaryIO, limit: int | None) -> int:
    size = 0
    if limit is not None and answer.length is not None and answer.length > limit:
        raise _too_large(url, limit)
    while True:
        try:
            piece = answer.read(PIECE)
        except (OSError, ValueError) as error:
            raise _Passing(_reason(error), unreached=True) from error
        if not piece:
            return size
        size += len(piece)
        if limit is not None and size > limit:
            raise _too_large(url, limit)
        try:
            sink.write(piece)
        except OSError as error:
            raise file_error(shown(url), error) from error


def _connection(url: str, deadline: float | None) -> Connection:
    try:
        return Connection(url, deadline)
    except (OSError, ValueError) as error:
        raise _Passing(_reason(error), unreached=True) from error


def _further(url: str, target: str, answer: Answer) -> str:
    """Where `target` sends us."""
    further = urljoin(target, answer.headers["location"])
    if not _is_web(further):
        raise TransferError("other", f"{shown(url)}: it redirects to what is neither http nor https")
    return further


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _too_large(url: str, limit: int) -> TransferError:
    return TransferError("limit", f"{shown(url)}: larger than the limit of {limit} bytes (a setting)")


def file_error(what: str, error: OSError) -> TransferError:
    kind = "disk" if error.errno in _FULL else "file"
    return TransferError(kind, f"{what}: {error.strerror or error}")


def upload(
    url: str,
    source: BinaryIO,
    size: int,
    headers: dict[str, str],
    deadline: float | None = None,
    patient: bool = False,
) -> None:
    """PUTs `size` bytes of `source` from where it stands. Raises TransferError."""
    start = source.tell()

    def attempt() -> None:
        target = url
        for _ in range(REDIRECTS):
            source.seek(start)
            further = _put(target, url, source, size, headers if target == url else {}, deadline)
            if further is None:
                return
            target = further
        raise TransferError("other", f"{shown(url)}: it redirects without end")

    persevere(url, deadline, patient, attempt)


def _put(
    url: str, named: str, source: BinaryIO, size: int, headers: dict[str, str], deadline: float | None
) -> str | None:
    """None: done. Else the address where it is to be put instead. `named`: where it was to be put at first."""
    if not _is_web(url):
        raise TransferError("file", f"{shown(url)!r}: files can only be put to http and https addresses")
    expect = {"Expect": "100-continue"} if url.lower().startswith("http://") and size > 0 else {}
    connection = _connection(url, deadline)
    try:
        try:
            connection.ask("PUT", {"User-Agent": "ebbtide", **headers, "Content-Length": str(size), **expect})
            if not expect or _wanted(connection):
                _send(connection, source, size)
            answer = connection.answer()
            body = answer.read(4096)
        except (OSError, ValueError) as error:
            raise _Passing(_reason(error), unreached=True) from error
        if answer.status in (307, 308) and answer.headers.get("location"):
            return _further(url, url, answer)
        if not 200 <= answer.status < 300:
            raise _status(named, answer, body)
        return None
    finally:
        connection.close()


def _wanted(connection: Connection) -> bool:
    """Does the server want the body? One that redirects or refuses says so before."""
    import select
    import socket

    ready, _, _ = select.select([connection.socket], [], [], CONTINUE_WITHIN)
    if not ready:
        return True
    head = connection.socket.recv(12, socket.MSG_PEEK)
    return head[9:12] == b"100" or len(head) < 12


def _send(connection: Connection, source: BinaryIO, size: int) -> None:
    left = size
    try:
        while left:
            piece = source.read(min(left, PIECE))
            if not piece:
                raise TransferError("file", "the file became shorter while it was uploaded")
            connection.send(piece)
            left -= len(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has answered already, and the answer says why


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return type(error).__name__  # the others quote the address


def _status(url: str, answer: Answer, body: bytes | None = None) -> Exception:
    """An answer that is not what was asked for. `body`: its beginning, if it has been read."""
    if body is None:
        try:
            body = answer.read(4096)
        except (OSError, ValueError):
            body = b""
    status, code = answer.status, answer.headers.get("x-ms-error-code")
    text = f"{status} {answer.reason}" + (f" ({code})" if code else _message(body))
    if status == 421:  # somebody else's door, where ours was: it opens again when the controller is back
        return _Passing(text, unreached=True)
    if status in (408, 429) or (status >= 500 and status != 507):
        return _Passing(text)
    kind = {401: "denied", 403: "denied", 404: "missing", 410: "missing", 507: "disk"}.get(status, "other")
    if code == "ContainerNotFound":
        kind = "container"
    return TransferError(kind, f"{shown(url)}: {text}")


def _message(body: bytes) -> str:
    import re

    found = re.search(rb"<Code>([A-Za-z]{1,60})</Code>", body)
    return f" ({found.group(1).decode()})" if found else ""


