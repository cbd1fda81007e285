"""The package store: application packages as zips in a folder of the state, named by their checksum."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast

from . import durable
from .agent.install import MAX_BYTES, MAX_ENTRIES, MAX_RATIO, RATIO_FROM
from .disk_room import disk_room
from .model import ApplicationPackage
from .request_checks import check_application

#: Bytes of the name of a file, as file systems have it, and of the names of all folders that lead to it as well.
NAME_LIMIT, PATH_LIMIT = 255, 1024
_PIECE = 1 << 20


class PackageError(ValueError):
    """The source of an application cannot be used; the message names it and says why."""


# What zipfile raises for damaged, encrypted or unsupported archives: its own and each decompressor's errors, and for
# a name that is not UTF-8 though marked as such a ValueError.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)


class PackageStore:
    def __init__(self, directory: Path, reserve: int = 0) -> None:
        """`reserve`: bytes of the disk that what is received leaves free (see disk_room)."""
        self._directory = directory
        self._reserve = reserve
        #: names of the files that were added here
        self._added: set[str] = set()

    def add(self, application_id: str, version: str, source: Path, now: float) -> ApplicationPackage:
        """Keep a zip file or a folder (which is zipped) as a version of an application. Raises PackageError.

        The same content gives the same package, so adding twice changes nothing.
        """
        check_source(source)
        with self._incoming(application_id, version) as incoming:
            if source.is_dir():
                _zip_folder(source, incoming.file)
            else:
                with open(source, "rb") as file:
                    shutil.copyfileobj(file, incoming.file, _PIECE)
            return incoming.kept(now)

    def receive(self, application_id: str, version: str) -> AbstractContextManager[IncomingPackage]:
        """For a zip that comes piece by piece; it is gone in the end if it was not kept. Raises JobError if there can
        be no such version, OSError."""
        named = ApplicationPackage(application_id=application_id, version=version, sha256="", size=0, created=0.0)
        check_application(named)
        return self._incoming(application_id, version)

    @contextmanager
    def _incoming(self, application_id: str, version: str) -> Iterator[IncomingPackage]:
        durable.make_folder(self._directory)
        with NamedTemporaryFile(dir=self._directory, suffix=".tmp", delete=False) as file:
            path = Path(file.name)
            try:
                yield IncomingPackage(cast(BinaryIO, file), path, self, application_id, version)
            finally:
                path.unlink(missing_ok=True)

    def room(self) -> int:
        """Bytes that may yet be received. Raises OSError."""
        return disk_room(self._directory, self._reserve)

    def take(self, temporary: Path, digest: str) -> None:
        """The file becomes that of the package with that checksum, which may be there already. Raises OSError."""
        path = self._directory / f"{digest}.zip"
        self._added.add(path.name)
        try:
            os.utime(path)  # nobody takes it for an old one now, that no record names
        except FileNotFoundError:
            durable.rename(temporary, path)

    def awaits_record(self, name: str) -> bool:
        """May a record yet name this file? So it is with all that were added here, which are few."""
        return name in self._added

    def settled(self, package: ApplicationPackage) -> None:
        """A record names it, or never will."""
        self._added.discard(f"{package.sha256}.zip")

    def path(self, package: ApplicationPackage) -> Path:
        return self._directory / f"{package.sha256}.zip"


class IncomingPackage:
    def __init__(
        self, file: BinaryIO, path: Path, store: PackageStore, application_id: str, version: str
    ) -> None:
        self.file = file
        self._named = application_id, version
        self._path = path
        self._store = store

    def check(self) -> None:
        """Can every node unpack what has come? Raises PackageError."""
        self.file.flush()
        _check_zip("the zip file", self._path)

    def kept(self, now: float) -> ApplicationPackage:
        """What has come is durable from here on. Raises OSError."""
        self.file.flush()
        os.fsync(self.file.fileno())
        with open(self._path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        self._store.take(self._path, digest)
        name, version = self._named
        return ApplicationPackage(application_id=name, version=version, sha256=digest, size=size, created=now)


def check_source(source: Path) -> None:
    """Is it a folder or a zip file that every node can unpack? Raises PackageError."""
    if source.is_dir():
        files = _files(source)
        _check_amount(f"the folder {source}", len(files), sum(path.stat().st_size for path in files.values()))
        return
    if not source.exists():
        raise PackageError(f"there is no file or folder {source}")
    _check_zip(f"the zip file {source}", source, f"{source} is neither a folder nor a readable zip file")


def _check_zip(what: str, path: Path, unreadable: str = "this is no readable zip file") -> None:
    """Raises PackageError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(what, archive.infolist(), path.stat().st_size)
            bad = archive.testzip()
    except PackageError:
        raise
    except _UNREADABLE as exc:
        raise PackageError(f"{unreadable}: {str(exc) or 'it is cut off'}") from None
    if bad is not None:
        raise PackageError(f"{what} is damaged at {bad!r}")


def _check_entries(what: str, entries: list[zipfile.ZipInfo], packed: int) -> None:
    """What no node would unpack is refused here already, before anything of it is unpacked. Raises PackageError."""
    total = sum(entry.file_size for entry in entries)
    _check_amount(what, len(entries), total)
    if total > RATIO_FROM and total > packed * MAX_RATIO:
        raise PackageError(f"{what}: {packed} bytes unpack to {total}: this looks like a zip bomb")
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        name = entry.filename.rstrip("/")
        _check_name(what, name)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.create_system == 3 and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise PackageError(f"{what}: {name!r} is a link or a special file; pack files and folders only")
        if name in files and not entry.is_dir():
            raise PackageError(f"{what} holds {name!r} twice; keep one")
        (folders if entry.is_dir() else files).add(name)
        folders.update(name[:at] for at, char in enumerate(name) if char == "/")
    if files & folders:
        raise PackageError(f"{what} holds {min(files & folders)!r} twice, as a file and as a folder; keep one")


def _check_amount(what: str, count: int, total: int) -> None:
    if count > MAX_ENTRIES or total > MAX_BYTES:
        text = f"holds {count} files of {total} bytes; a package holds at most {MAX_ENTRIES} of {MAX_BYTES}"
        raise PackageError(f"{what} {text}")


def _check_name(what: str, name: str) -> None:
    """Of a file or folder in it. Raises PackageError."""
    parts = name.split("/")
    if {"", ".", ".."} & set(parts):
        text = f"{name!r} would be unpacked outside the package's folder, or is not in its plain form"
        raise PackageError(f"{what}: {text}")
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise PackageError(f"{what}: the name {name!r} is not UTF-8; rename it") from None
    if max(sizes) > NAME_LIMIT or sum(sizes) + len(sizes) > PATH_LIMIT:
        text = f"{name[:80]!r}... is too long: a name has at most {NAME_LIMIT} bytes, with its folders {PATH_LIMIT}"
        raise PackageError(f"{what}: {text}")


def _files(source: Path) -> dict[str, Path]:
    """What is in a folder, by the names in its zip. Raises PackageError."""
    found: dict[str, Path] = {}
    todo = [""]
    while todo:
        above = todo.pop()
        try:
            entries = list(os.scandir(source / above))
        except OSError as exc:
            raise PackageError(f"the folder {source / above} cannot be read: {exc.strerror}") from None
        for entry in entries:
            name, path = above + entry.name, Path(entry.path)
            if entry.is_symlink():
                raise PackageError(f"{path} is a symbolic link; put the file itself there")
            _check_name(f"the folder {source}", name)
            if entry.is_dir():
                todo.append(f"{name}/")
            elif entry.is_file():
                found[name] = path
    return found


def _zip_folder(source: Path, into: BinaryIO) -> None:
    """The folder as a zip that depends on its files' names, modes and contents alone. Raises PackageError."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(_files(source).items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = stat.S_IMODE(path.stat().st_mode)
            # only what belongs to the content: umask and owner of this machine do not
            entry.external_attr = (stat.S_IFREG | (0o755 if mode & 0o100 else 0o644)) << 16
            try:
                entry.file_size = path.stat().st_size
                with open(path, "rb") as file, archive.open(entry, "w") as packed:
                    shutil.copyfileobj(file, packed, _PIECE)
            except OSError as exc:
                raise PackageError(f"{path} cannot be read: {exc.strerror}") from None
    _check_entries(f"the folder {source}, as a zip", archive.infolist(), into.tell())
