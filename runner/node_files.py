"""Files of a node, read and written over a channel of their own so that they never delay an outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec
import paramiko

from .link_errors import FileMissing, LinkError, Unreachable, told
from .node_ssh import close_channel


class TaskFolder(msgspec.Struct, frozen=True, kw_only=True):
    """`job`: the folder of its job, workitems/<...>/job-<n>. `age`: seconds since it changed; `mark`: of that."""

    job: str
    id: str
    age: float
    mark: str

    @property
    def path(self) -> str:
        return f"{self.job}/{self.id}"


_PIECE = 1 << 18
_MISSING = {"NotFound", "Refused"}


class NodeFiles:
    """Opens its channel when it is first needed, and again after it broke. Thread-safe, one transfer at a
    time.

    All paths are relative to the node root. Every method raises FileMissing when there is no such file, it
    leads out of the root or cannot be read by anybody, Unreachable when the connection fails, LinkError when the
    node cannot do it (disk full, no descriptors left).
    """

    def __init__(self, open_channel: Callable[[], paramiko.Channel], transfer_timeout: float) -> None:
        """`open_channel` runs the agent's file server; raises LinkError."""
        self._open = open_channel
        self._timeout = transfer_timeout
        self._lock = threading.Lock()
        self._channel: paramiko.Channel | None = None
        self._buffer = b""

    def fetch(self, path: str, offset: int, length: int | None, into: BinaryIO) -> None:
        """Writes `length` bytes from `offset` (all, if None) to `into`; fewer if the file ends before.

        Raises OSError too, if `into` does.
        """
        with self._lock:
            answer = self._ask({"op": "get", "path": path, "offset": offset, "length": length})
            left = answer["size"]
            try:
                while left:
                    piece = self._read(left)
                    into.write(piece)
                    left -= len(piece)
            except BaseException:
                self._drop()  # out of step
                raise

    def upload(self, path: str, source: BinaryIO, size: int, sha256: str, mode: int = 0o644) -> None:
        """The file appears whole or not at all. `sha256`: in hex, of the `size` bytes of `source`."""
        request = {"op": "put", "path": path, "size": size, "sha256": sha256, "mode": mode}
        with self._lock:
            self._ask(request, source)

    def stat(self, path: str) -> dict[str, Any]:
        """{"size", "modified", "mode", "dir", "link"}"""
        with self._lock:
            return self._ask({"op": "stat", "path": path})

    def list(self, path: str, recursive: bool = False, after: str = "") -> tuple[list[dict[str, Any]], bool]:
        """What is in a folder: `stat` of each with its "path" relative to the folder, in the order of the paths and
        behind `after`; at most 10,000. And whether there are more."""
        with self._lock:
            answer = self._ask({"op": "list", "path": path, "recursive": recursive, "after": after})
            return answer["entries"], answer["truncated"]

    def delete(self, path: str, recursive: bool = False) -> None:
        """A file, or an empty folder; `recursive`: a folder with all that is in it."""
        with self._lock:
            self._ask({"op": "delete", "path": path, "recursive": recursive})

    def task_folders(self) -> tuple[tuple[TaskFolder, ...], float]:
        """Those that are on the node, the longest unchanged first; and the share of its disk that is free."""
        with self._lock:
            answer = self._ask({"op": "folders", "path": ""})
        return msgspec.convert(answer["folders"], tuple[TaskFolder, ...]), float(answer["free"])

    def remove(self, folder: TaskFolder) -> bool:
        """Remove it, unless it has changed since it was told; was it?"""
        with self._lock:
            return bool(self._ask({"op": "remove", "path": folder.path, "mark": folder.mark})["removed"])

    def close(self) -> None:
        """Ends a transfer that is under way, too. Never raises."""
        channel = self._channel
        if channel is not None:
            close_channel(channel)

    def _ask(self, request: dict[str, Any], source: BinaryIO | None = None) -> dict[str, Any]:
        if self._channel is None or self._channel.closed:
            self._channel = self._open()
            self._channel.settimeout(self._timeout)
            self._buffer = b""
        try:
            self._channel.sendall(msgspec.json.encode(request) + b"\n")
            if source is not None:
                left = request["size"]
                while left:
                    piece = source.read(min(left, _PIECE))
                    if not piece:
                        raise LinkError(f"{request['path']}: the source ended {left} bytes early")
                    self._channel.sendall(piece)
                    left -= len(piece)
            while b"\n" not in self._buffer:
                self._buffer += self._receive()
        except (paramiko.SSHException, EOFError, OSError) as error:
            self._drop()
            raise Unreachable(f"{request['path']}: the transfer broke off: {told(error)}") from error
        except BaseException:
            self._drop()
            raise
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = msgspec.json.decode(line)
        if answer["ok"]:
            return answer
        kind = FileMissing if answer["code"] in _MISSING else LinkError
        raise kind(answer["message"])

    def _read(self, limit: int) -> bytes:
        if not self._buffer:
            try:
                self._buffer = self._receive()
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise Unreachable(f"the transfer broke off: {told(error)}") from error
        piece, self._buffer = self._buffer[:limit], self._buffer[limit:]
        return piece

    def _receive(self) -> bytes:
        assert self._channel is not None
        data = self._channel.recv(_PIECE)
        if not data:
            raise EOFError("the node closed the channel")
        return data

    def _drop(self) -> None:
        if self._channel is not None:
            close_channel(self._channel)
            self._channel = None
