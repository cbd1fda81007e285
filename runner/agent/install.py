"""Unpacking application packages: once per node, whole or not at all, and never outside their folder.

The work is done in a child process, one at a time, so that a large archive delays no outcome.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections import deque

from . import PRIVATE, outcome, processes, removal, trees
from .confine import PathRefused, directory, locate, parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zipfile
    from typing import BinaryIO

    from .wire import Message

MAX_BYTES = 8 << 30
MAX_ENTRIES = 200_000
MAX_RATIO = 200  # unpacked to packed; only looked at above RATIO_FROM
RATIO_FROM = 256 << 20


class PackageRefused(Exception):
    """The archive is damaged, hostile or does not fit."""


class Installer:
    """Runs `install` messages one after another. A readable `fd` says that `result` is there; -1: idle."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._queue: deque[Message] = deque()
        self._pid = 0
        self._id = ""
        self.fd = -1
        self.env: dict[str, str] = dict(os.environ)  # of what a node is configured with

    def put(self, message: Message) -> None:
        """Raises KeyError for a message that lacks something. With `images` it is about images of containers."""
        for key in ("id",) if "images" in message else ("id", "file", "dir", "sha256"):
            message[key]
        self._queue.append(message)

    def start(self) -> list[Message]:
        """Takes up the next one, if idle. Returns the answers for those that could not be taken up."""
        failed = []
        while self.fd < 0 and self._queue:
            message = self._queue.popleft()
            try:
                self._begin(message)
            except OSError as error:  # no descriptor, process or memory is to be had
                text = f"cannot start the installer: {os.strerror(error.errno or 0)}"
                failed.append({"op": "install-failed", "id": message["id"], "message": text})
        return failed

    def _begin(self, message: Message) -> None:
        fd, other = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            os.close(fd)
            os.close(other)
            raise
        if pid:
            os.close(other)
            self.fd, self._pid, self._id = fd, pid, message["id"]
            return
        answer = "the installer died"
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for fd in range(3):
                os.dup2(null, fd)
            processes.close_inherited({other})  # the connection and the root's lock are the agent's alone
            if "images" in message:
                from .contain import prefetch

                prefetch(self._root, self.env, message)
            else:
                install(self._root, message)
            answer = ""
        except (PackageRefused, PathRefused) as error:
            answer = str(error)
        except BaseException as error:  # noqa: BLE001 - a child of fork: whatever happens must not run on
            answer = f"{type(error).__name__}: {error}"
        finally:
            try:
                os.write(other, b"." + outcome.clip(answer).encode())
            finally:  # also when the agent is gone
                os._exit(0)

    def result(self) -> Message:
        """The message for the controller; the next one may start."""
        answer = os.read(self.fd, 4096).decode("utf-8", "replace")
        os.close(self.fd)
        os.waitpid(self._pid, 0)
        self.fd = -1
        if answer == ".":
            return {"op": "installed", "id": self._id}
        return {"op": "install-failed", "id": self._id, "message": answer[1:] or "the installer was killed"}


def install(root: str, message: Message) -> None:
    """Unpacks the uploaded zip `file` into `dir`, unless exactly this one is there already.

    Raises PackageRefused, PathRefused, OSError.
    """
    import hashlib

    parts = parts_of(message["dir"])
    if parts[0] != "applications" or len(parts) < 2:
        raise PathRefused("a package belongs below applications/, not in {!r}".format(message["dir"]))
    wanted = str(message["sha256"])
    private = f"{root}/{PRIVATE}"
    marker = "{}/installed/{}".format(private, hashlib.sha256(message["dir"].encode()).hexdigest())
    os.makedirs(private + "/installed", 0o700, exist_ok=True)
    target = "/".join([root, *parts])
    lock = os.open(private + "/installing", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # the child of an agent that is gone may still be at it
    if _read(marker) == wanted and os.path.isdir(target):
        return
    temporary = private + "/unpacking"
    _remove(root, "unpacking")
    os.mkdir(temporary, 0o755)
    try:
        link = locate(root, message["file"], private=True)
        try:
            with open(f"/proc/self/fd/{link}", "rb") as file:
                if _sha256(file) != wanted:
                    raise PackageRefused("the checksum of {!r} is wrong: upload it again".format(message["file"]))
                _unpack(file, temporary)
        finally:
            os.close(link)
        parent = directory(root, parts[:-1], create=True)
        try:
            try:
                os.rename(temporary, parts[-1], dst_dir_fd=parent)
            except OSError:  # there is an older one, or half of one
                if os.path.lexists(marker):
                    os.unlink(marker)
                trees.put_aside(root, parts[-1], parent)
                os.rename(temporary, parts[-1], dst_dir_fd=parent)
        finally:
            os.close(parent)
    finally:
        _remove(root, "unpacking")
    with open(marker + ".new", "w", encoding="ascii") as file:
        file.write(wanted)
    os.rename(marker + ".new", marker)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return None


def _remove(root: str, name: str) -> None:
    """Of the agent's folder, and all that was put aside."""
    place = os.open(f"{root}/{PRIVATE}", trees.FOLDER)
    try:
        trees.put_aside(root, name, place)
    except FileNotFoundError:
        pass
    finally:
        os.close(place)
    removal.empty_trash(root)


def _sha256(file: BinaryIO) -> str:
    import hashlib

    digest = hashlib.sha256()
    for piece in iter(lambda: file.read(1 << 20), b""):
        digest.update(piece)
    return digest.hexdigest()


def _unpack(file: BinaryIO, into: str) -> None:
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check(entries, os.fstat(file.fileno()).st_size, into)
            for entry in entries:
                _extract(archive, entry, into)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise PackageRefused(f"not a readable zip: {error}") from error


def _check(entries: list[zipfile.ZipInfo], packed: int, into: str) -> None:
    total = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or total > MAX_BYTES:
        raise PackageRefused(f"the package holds {len(entries)} files of {total} bytes: too many")
    if total > RATIO_FROM and total > packed * MAX_RATIO:
        raise PackageRefused(f"{packed} bytes unpack to {total}: this looks like a zip bomb")
    disk = os.statvfs(into)
    if total > disk.f_bavail * disk.f_frsize:
        raise PackageRefused(f"the package unpacks to {total} bytes, more than the node's disk has free")


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, into: str) -> None:
    """Zips made without Unix modes unpack executable; others keep their modes, without setuid."""
    # only Unix (3) and macOS (19) write modes that mean something; tools on Windows leave none, or made-up ones
    mode = entry.external_attr >> 16 if entry.create_system in (3, 19) else 0
    kind = stat.S_IFMT(mode)
    name = entry.filename
    folder = name.endswith("/")
    if kind not in (0, stat.S_IFDIR if folder else stat.S_IFREG):
        raise PackageRefused(f"{name!r} is a link or a special file: packages hold files and folders only")
    try:
        parts = parts_of(name.rstrip("/"), private=True)
    except PathRefused as error:
        raise PackageRefused(f"the package would write outside its folder: {error}") from error
    path = "/".join([into, *parts])
    if folder:
        os.makedirs(path, 0o755, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    access = (mode & 0o777 | 0o600) if mode else 0o755
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, access)
    except FileExistsError as error:
        raise PackageRefused(f"the package holds {name!r} twice") from error
    with archive.open(entry) as source, os.fdopen(fd, "wb") as out:
        for piece in iter(lambda: source.read(1 << 20), b""):
            out.write(piece)
    os.chmod(path, access)
