"""The object store in a local directory: a blob is a file."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from . import blob_paths, durable
from .disk_room import disk_room
from .object_store import PAGE, PIECE, Blob, Page, StoreError, Upload, check_names, not_found
from .storage_urls import invalid_container

#: A half-written blob that nobody has touched for so long (seconds) belongs to a process that is no more.
_ABANDONED = 86400.0
_INCOMING = ".incoming"


class LocalStore:
    """In a directory that is ours alone. Several processes may use it at the same time."""

    def __init__(self, directory: Path, reserve: int = 0) -> None:
        """`reserve`: bytes of the disk that `room` does not offer, or 5 % of it if that is less."""
        self._directory = directory
        self._reserve = reserve

    def begin(self, container: str, name: str) -> Upload:
        check_names(container, name)
        return _LocalUpload(self._directory, self._path(container, name), name)

    def stat(self, container: str, name: str) -> Blob:
        check_names(container, name)
        try:
            return _blob(name, os.stat(self._path(container, name), follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            raise not_found(container, name) from None
        except OSError as exc:
            raise _failure(exc) from exc

    def read(self, container: str, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        check_names(container, name)
        try:
            descriptor = os.open(self._path(container, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise not_found(container, name) from None
        except OSError as exc:
            raise _failure(exc) from exc
        return _pieces(descriptor, start, length)

    def delete(self, container: str, name: str) -> None:
        check_names(container, name)
        path = self._path(container, name)
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            raise not_found(container, name) from None
        except OSError as exc:
            raise _failure(exc) from exc
        for parent in path.parents:
            if parent == self._directory:
                break
            try:
                parent.rmdir()
            except OSError:
                break  # it holds other blobs

    def page(self, container: str, prefix: str = "", after: str = "", limit: int = PAGE) -> Page:
        check_names(container)
        found: list[Blob] = []
        top = self._directory / container
        try:
            for name, path in blob_paths.walk(top, prefix, after):
                if len(found) == limit:
                    return Page(tuple(found), found[-1].name)
                with suppress(FileNotFoundError):  # deleted meanwhile
                    found.append(_blob(name, os.stat(path, follow_symlinks=False)))
        except OSError as exc:
            raise _failure(exc) from exc
        return Page(tuple(found))

    def containers(self) -> list[str]:
        try:
            names = sorted(os.listdir(self._directory))
        except FileNotFoundError:
            return []
        return [name for name in names if invalid_container(name) is None and self.page(name, limit=1).blobs]

    def file(self, container: str, name: str) -> Path | None:
        check_names(container, name)
        return self._path(container, name)

    def redirect(self, method: str, container: str, name: str, seconds: float, size: int | None = None) -> str | None:
        return None

    def room(self) -> int | None:
        if not self._reserve:
            return None
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            return disk_room(self._directory, self._reserve)
        except OSError as exc:
            raise _failure(exc) from exc

    def _path(self, container: str, name: str) -> Path:
        return self._directory / container / blob_paths.path_of(name)


class _LocalUpload(Upload):
    def __init__(self, directory: Path, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        incoming = directory / _INCOMING
        try:
            durable.make_folder(directory)
            incoming.mkdir(exist_ok=True, mode=0o700)
            self._descriptor, self._temporary = tempfile.mkstemp(dir=incoming)
        except OSError as exc:
            raise _failure(exc) from exc
        self._digest = hashlib.sha256()
        self._open = True
        _sweep(incoming, os.fstat(self._descriptor).st_mtime - _ABANDONED)

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hex."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        self._digest.update(piece)
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as exc:
            raise _failure(exc) from exc

    def commit(self) -> Blob:
        try:
            os.fsync(self._descriptor)
            blob = _blob(self._name, os.fstat(self._descriptor))
            while True:
                try:
                    durable.make_folder(self._path.parent)
                    durable.rename(self._temporary, self._path)
                    break
                except (FileNotFoundError, FileExistsError):
                    # a deletion took a folder away meanwhile: it is made again
                    if not os.path.exists(self._temporary) or self._path.parent.is_file():
                        raise
        except OSError as exc:
            raise _failure(exc) from exc
        self._open = False
        os.close(self._descriptor)
        return blob

    def abort(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)
            with suppress(FileNotFoundError):
                os.unlink(self._temporary)


def _sweep(incoming: Path, before: float) -> None:
    with os.scandir(incoming) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < before:
                    os.unlink(entry.path)


def _pieces(descriptor: int, start: int, length: int | None) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        file.seek(start)
        left = length
        while left is None or left > 0:
            piece = file.read(PIECE if left is None else min(left, PIECE))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _blob(name: str, found: os.stat_result) -> Blob:
    etag = f"0x{found.st_mtime_ns:X}{found.st_ino & 0xFFFFFF:06X}"
    return Blob(name, found.st_size, found.st_mtime, etag)


def _failure(exc: OSError) -> StoreError:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError("OutOfSpace", "the disk of the object store is full; make room there")
    return StoreError("InternalError", f"the object store: {exc.strerror or exc}")
