"""File bytes, on a channel of their own so that they never delay an outcome.

A request is a JSON line; `put` is followed by its bytes. The answer is a JSON line, `{"ok":true,..}` or
`{"ok":false,"code":..,"message":..}` (codes: NotFound, Refused, Failed); `get` is followed by `size` bytes.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from . import PRIVATE, trees, wire
from .confine import PathRefused, directory, locate, parts_of
from .incoming import Incoming
from .listed import Listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from .wire import Message

PIECE = 1 << 18
MAX_DEPTH = 2000  # no path leads deeper
# what lies in the way of reading a file however often that is tried; other troubles (no descriptors left) pass
_LASTING = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG)


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
            except Broken:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the next request may fare better
                self._refuse("Failed", "{}: {}".format(request.get("path"), str(error) or repr(error)))
            self._sink.flush()

    def _answer(self, answer: Message) -> None:
        self._sink.write(wire.encode({"ok": True, **answer}))

    def _refuse(self, code: str, message: str) -> None:
        self._sink.write(wire.encode({"ok": False, "code": code, "message": message}))

    def _do_get(self, request: Message) -> None:
        try:
            fd = self._opened(request["path"])
        except OSError as error:
            if error.errno not in _LASTING:
                raise
            raise PathRefused("{!r} cannot be read: {}".format(request["path"], error.strerror)) from error
        try:
            total = os.fstat(fd).st_size
            offset = max(0, int(request.get("offset", 0)))
            length = request.get("length")
            left = max(0, total - offset)
            if length is not None:
                left = min(left, max(0, int(length)))
            self._answer({"size": left, "total": total})
            while left:
                try:
                    piece = os.pread(fd, min(left, PIECE), offset)
                except OSError as error:
                    raise Broken("{!r} can no longer be read: {}".format(request["path"], error)) from error
                if not piece:
                    raise Broken("{!r} became shorter while it was read".format(request["path"]))
                self._sink.write(piece)
                left -= len(piece)
                offset += len(piece)
        finally:
            os.close(fd)

    def _opened(self, path: object) -> int:
        link = locate(self._root, path)
        try:
            if not stat.S_ISREG(os.fstat(link).st_mode):
                raise PathRefused(f"{path!r} is not a file")
            return os.open(f"/proc/self/fd/{link}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(link)

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
                from . import removal

                trees.put_aside(self._root, parts[-1], folder)
                removal.empty_trash(self._root)
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
        """Entries below a folder, with paths relative to it and in their order: the first ones behind `after`.
        Links are named, not followed."""
        link = locate(self._root, request.get("path", ""))
        try:
            if not stat.S_ISDIR(os.fstat(link).st_mode):
                raise PathRefused("{!r} is not a folder".format(request.get("path")))
            own = os.readlink(f"/proc/self/fd/{link}") == self._root
            top = os.open(".", trees.FOLDER, dir_fd=link)
        finally:
            os.close(link)
        found = Listed(str(request.get("after") or ""))
        try:
            for place, trail, folders, others in trees.walk(top):
                if own and not trail and PRIVATE in folders:
                    folders.remove(PRIVATE)
                for name in folders + others:
                    path = "/".join([*trail, name]).encode("utf-8", "replace").decode("utf-8")
                    if not found.wants(path):
                        continue
                    try:
                        described = _describe(os.stat(name, dir_fd=place, follow_symlinks=False))
                    except OSError:
                        continue  # it is gone
                    found.add(path, described)
                if not request.get("recursive") or len(trail) >= MAX_DEPTH:
                    folders.clear()
        finally:
            os.close(top)
        entries = [{"path": path, **described} for path, described in zip(found.paths, found.described)]
        self._answer({"entries": entries, "truncated": found.truncated})


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
