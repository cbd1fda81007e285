"""File bytes, on a channel of their own so that they never delay an outcome.

A request is a JSON line; `put` is followed by its bytes. The answer is a JSON line, `{"ok":true,..}` or
`{"ok":false,"code":..,"message":..}` (codes: NotFound, Refused, Failed); `get` is followed by `size` bytes.
"""

from __future__ import annotations

import os
import stat
import sys

from . import wire
from .confine import PathRefused, directory, locate, parts_of
from .incoming import Incoming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from .wire import Message

PIECE = 1 << 18
MAX_LISTED = 10_000


class Broken(Exception):
    """The stream can no longer be read in step."""


class FileServer:
    """Answers one request after another; `root` is a real path."""

    def __init__(self, root: str, source: BinaryIO, sink: BinaryIO) -> None:
        self._root = root
        self._source = source
        self._sink = sink

    def run(self) -> None:
        """Returns when the other side hangs up. Raises Broken."""
        for line in iter(self._source.readline, b""):
            request = wire.decode(line)
            answer = getattr(self, "_do_" + str(request.get("op")), None)
            try:
                if answer is None:
                    raise PathRefused("unknown op {!r}".format(request.get("op")))
                answer(request)
            except FileNotFoundError:
                self._refuse("NotFound", "there is no {!r} on the node".format(request.get("path")))
            except PathRefused as error:
                self._refuse("Refused", str(error))
            except (OSError, KeyError, ValueError, TypeError) as error:
                self._refuse("Failed", "{}: {}".format(request.get("path"), error))
            self._sink.flush()

    def _answer(self, answer: Message) -> None:
        self._sink.write(wire.encode({"ok": True, **answer}))

    def _refuse(self, code: str, message: str) -> None:
        self._sink.write(wire.encode({"ok": False, "code": code, "message": message}))

    def _do_get(self, request: Message) -> None:
        link = locate(self._root, request["path"])
        try:
            if not stat.S_ISREG(os.fstat(link).st_mode):
                raise PathRefused("{!r} is not a file".format(request["path"]))
            fd = os.open(f"/proc/self/fd/{link}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(link)
        try:
            total = os.fstat(fd).st_size
            offset = max(0, int(request.get("offset", 0)))
            length = request.get("length")
            left = max(0, total - offset)
            if length is not None:
                left = min(left, max(0, int(length)))
            self._answer({"size": left, "total": total})
            while left:
                piece = os.pread(fd, min(left, PIECE), offset)
                if not piece:
                    raise Broken("{!r} became shorter while it was read".format(request["path"]))
                self._sink.write(piece)
                left -= len(piece)
                offset += len(piece)
        finally:
            os.close(fd)

    def _do_put(self, request: Message) -> None:
        """The file appears whole, or not at all. The bytes are read to their end whatever goes wrong."""
        import hashlib

        left = int(request["size"])
        digest = hashlib.sha256()
        file: Incoming | None = None
        error: Exception | None = None
        try:
            parts = parts_of(request["path"], private=True)
            if parts[0] == ".ebbtide" and parts[1:2] != ["packages"]:
                raise PathRefused("{!r} belongs to the agent".format(request["path"]))
            file = Incoming(self._root, parts)
        except (PathRefused, OSError) as caught:
            error = caught
        try:
            while left:
                piece = self._source.read(min(left, PIECE))
                if not piece:
                    raise Broken("the upload of {!r} was cut off".format(request["path"]))
                left -= len(piece)
                digest.update(piece)
                if file is not None and error is None:
                    try:
                        file.write(piece)
                    except OSError as caught:
                        error = caught
            if error is None and request.get("sha256") not in (None, digest.hexdigest()):
                error = ValueError("the checksum is wrong: upload it again")
            if file is not None and error is None:
                file.publish(int(request.get("mode", 0o644)) & 0o777)
        finally:
            if file is not None:
                file.close()
        if error is not None:
            raise error
        self._answer({})

    def _do_stat(self, request: Message) -> None:
        link = locate(self._root, request["path"])
        try:
            self._answer(_describe(os.fstat(link)))
        finally:
            os.close(link)

    def _do_delete(self, request: Message) -> None:
        """A file or link, or with `recursive` a folder with all that is in it."""
        parts = parts_of(request["path"])
        folder = directory(self._root, parts[:-1])
        try:
            if not stat.S_ISDIR(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(parts[-1], dir_fd=folder)
            elif request.get("recursive"):
                import shutil

                shutil.rmtree(f"/proc/self/fd/{folder}/{parts[-1]}")
            else:
                os.rmdir(parts[-1], dir_fd=folder)
        finally:
            os.close(folder)
        self._answer({})

    def _do_folders(self, request: Message) -> None:
        from . import removal

        self._answer(removal.folders(self._root))

    def _do_remove(self, request: Message) -> None:
        from . import removal

        self._answer({"removed": removal.remove(self._root, request["path"], request["mark"])})

    def _do_list(self, request: Message) -> None:
        """Entries below a folder, with paths relative to it; links are named, not followed."""
        link = locate(self._root, request.get("path", ""))
        try:
            top = os.readlink(f"/proc/self/fd/{link}")
            if not os.path.isdir(top):
                raise PathRefused("{!r} is not a folder".format(request.get("path")))
        finally:
            os.close(link)
        entries: list[Message] = []
        todo = [""]
        while todo and len(entries) < MAX_LISTED:
            below = todo.pop()
            try:
                found = sorted(os.scandir(f"{top}/{below}"), key=lambda entry: entry.name)
            except OSError:
                continue  # gone, or not ours to read
            for entry in found:
                if top == self._root and not below and entry.name == ".ebbtide":
                    continue
                try:
                    described = _describe(entry.stat(follow_symlinks=False))
                except OSError:
                    continue
                name = below + entry.name
                entries.append({"path": name.encode("utf-8", "replace").decode("utf-8"), **described})
                if described["dir"] and request.get("recursive"):
                    todo.append(name + "/")
        self._answer({"entries": entries[:MAX_LISTED], "truncated": len(entries) > MAX_LISTED})


def _describe(status: os.stat_result) -> Message:
    return {
        "size": status.st_size,
        "modified": status.st_mtime,
        "mode": stat.S_IMODE(status.st_mode),
        "dir": stat.S_ISDIR(status.st_mode),
        "link": stat.S_ISLNK(status.st_mode),
    }


def serve_files(root: str) -> None:
    """Serves stdin and stdout until the other side hangs up; a broken stream ends the process."""
    try:
        FileServer(root, sys.stdin.buffer, sys.stdout.buffer).run()
    except (Broken, BrokenPipeError) as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
