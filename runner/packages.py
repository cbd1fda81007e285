"""The package store: application packages as zips in a folder of the state, named by their checksum."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import stat
import zipfile
import zlib
from pathlib import Path

from . import durable
from .agent.install import MAX_BYTES, MAX_ENTRIES, MAX_RATIO, RATIO_FROM
from .model import ApplicationPackage


class PackageError(ValueError):
    """The source of an application cannot be used; the message names it and says why."""


# What zipfile raises for damaged, encrypted or unsupported archives: its own and each decompressor's errors, and for
# a name that is not UTF-8 though marked as such a ValueError.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)


class PackageStore:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, application_id: str, version: str, source: Path, now: float) -> ApplicationPackage:
        """Keep a zip file or a folder (which is zipped) as a version of an application. Raises PackageError.

        The same content gives the same package, so adding twice changes nothing.
        """
        check_source(source)
        data = _zip_folder(source) if source.is_dir() else source.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        path = self._directory / f"{digest}.zip"
        try:
            os.utime(path)  # nobody takes it for an old one now, that no record names
        except FileNotFoundError:
            durable.make_folder(self._directory)
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            durable.rename(temporary, path)
        return ApplicationPackage(
            application_id=application_id, version=version, sha256=digest, size=len(data), created=now
        )

    def path(self, package: ApplicationPackage) -> Path:
        return self._directory / f"{package.sha256}.zip"


def check_source(source: Path) -> None:
    """Is it a folder or a zip file that every node can unpack? Raises PackageError."""
    if source.is_dir():
        link = next((path for path in sorted(source.rglob("*")) if path.is_symlink()), None)
        if link is not None:
            raise PackageError(f"{link} is a symbolic link; put the file itself there")
        return
    if not source.exists():
        raise PackageError(f"there is no file or folder {source}")
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            _check_sizes(source, entries)
            for entry in entries:
                _check_entry(source, entry)
            bad = archive.testzip()
    except PackageError:
        raise
    except _UNREADABLE as exc:
        why = str(exc) or "it is cut off"
        raise PackageError(f"{source} is neither a folder nor a readable zip file: {why}") from None
    if bad is not None:
        raise PackageError(f"the zip file {source} is damaged at {bad!r}")


def _check_sizes(source: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Before anything of it is unpacked. Raises PackageError."""
    packed, total = source.stat().st_size, sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or total > MAX_BYTES:
        text = f"holds {len(entries)} files of {total} bytes; a package holds at most {MAX_ENTRIES} of {MAX_BYTES}"
        raise PackageError(f"the zip file {source} {text}")
    if total > RATIO_FROM and total > packed * MAX_RATIO:
        raise PackageError(f"the zip file {source}: {packed} bytes unpack to {total}: this looks like a zip bomb")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename.rstrip("/")
        if name in seen and not entry.filename.endswith("/"):
            raise PackageError(f"the zip file {source} holds {entry.filename!r} twice; keep one")
        seen.add(name)


def _check_entry(source: Path, entry: zipfile.ZipInfo) -> None:
    """What no node would unpack is refused here already. Raises PackageError."""
    parts = entry.filename.rstrip("/").split("/")
    if entry.filename.startswith("/") or ".." in parts or "" in parts:
        raise PackageError(f"the zip file {source}: {entry.filename!r} would be unpacked outside the package's folder")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.create_system == 3 and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        text = f"{entry.filename!r} is a link or a special file; pack files and folders only"
        raise PackageError(f"the zip file {source}: {text}")


def _zip_folder(source: Path) -> bytes:
    """The folder as a zip that depends on its files' names, modes and contents alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.rglob("*")):
            if not path.is_file():
                continue
            entry = zipfile.ZipInfo(path.relative_to(source).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = stat.S_IMODE(path.stat().st_mode)
            # only what belongs to the content: umask and owner of this machine do not
            entry.external_attr = (stat.S_IFREG | (0o755 if mode & 0o100 else 0o644)) << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()
