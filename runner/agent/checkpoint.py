"""The folder that a task keeps its progress in (EBBTIDE_CHECKPOINT_DIR), as a tar in the object store.

Saved by one PUT, so the one before stays until the new one is whole; restored before the next attempt, wherever that
runs.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile

from . import trees
from .transfer import TransferError, download, file_error, upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Iterator

BLOCK = 512
PIECE = 1 << 20


class _Tar:
    """A folder as a tar, read piece by piece; the same bytes each time as long as the folder does not change."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._entries = list(_entries(folder))
        self.size = sum(len(head) + _padded(size) for _, head, size in self._entries) + 2 * BLOCK
        self.seek(0)

    def __len__(self) -> int:
        return len(self._entries)

    def tell(self) -> int:
        return 0

    def seek(self, position: int) -> None:
        """To the beginning."""
        self._pieces = self._all()
        self._held = b""

    def read(self, count: int) -> bytes:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held = piece
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _all(self) -> Iterator[bytes]:
        for path, head, size in self._entries:
            yield head
            if not size:
                continue
            left = size
            with open(os.path.join(self._folder, path), "rb") as file:
                while left:
                    piece = file.read(min(left, PIECE))
                    if not piece:
                        raise TransferError("file", f"{path!r} became shorter while it was saved")
                    left -= len(piece)
                    yield piece
            if _padded(size) > size:
                yield b"\0" * (_padded(size) - size)
        yield b"\0" * (2 * BLOCK)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _entries(folder: str) -> Iterator[tuple[str, bytes, int]]:
    """(path, header, size of the content) of every file, folder and link that stays inside."""
    with tarfile.open(os.devnull, "w", format=tarfile.PAX_FORMAT) as tar:
        todo = [""] if os.path.isdir(folder) else []
        while todo:
            above = todo.pop()
            for name in sorted(os.listdir(os.path.join(folder, above))):
                path = os.path.join(above, name)
                info = tar.gettarinfo(os.path.join(folder, path), path)
                if not _is_kept(info):
                    continue
                if info.isdir():
                    todo.append(path)
                if info.islnk():  # to another name of the same file: each name gets its content
                    info.type, info.linkname = tarfile.REGTYPE, ""
                    info.size = os.lstat(os.path.join(folder, path)).st_size
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                size = info.size if info.isreg() else 0
                yield path, info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"), size


def _is_kept(info: tarfile.TarInfo) -> bool:
    return info.isreg() or info.isdir() or info.islnk() or (info.issym() and _stays(info))


def _stays(info: tarfile.TarInfo) -> bool:
    """Does the link lead to something in the folder?"""
    target = os.path.normpath(os.path.join(os.path.dirname(info.name), info.linkname))
    return not (info.linkname.startswith("/") or target == ".." or target.startswith("../"))


def save(url: str, folder: str, limit: int | None, deadline: float | None, patient: bool) -> str:
    """What was done, for the log. A folder that is empty or not there is not saved. Raises TransferError."""
    try:
        tar = _Tar(folder)
    except OSError as error:
        raise file_error("the checkpoint could not be read", error) from error
    if not len(tar):
        return "the checkpoint folder is empty; nothing was saved"
    if limit is not None and tar.size > limit:
        raise TransferError("limit", f"it takes {tar.size} bytes, more than the limit of {limit} bytes (a setting)")
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/x-tar"}
    upload(url, tar, tar.size, headers, deadline, patient)  # type: ignore[arg-type] # what of a file it needs
    return f"the checkpoint was saved: {tar.size} bytes"


def restore(url: str, folder: str, deadline: float | None = None, patient: bool = False) -> bool:
    """Puts what was saved into the folder, in place of what is there; False if nothing was. Raises TransferError."""
    try:
        with tempfile.TemporaryFile(dir=os.path.dirname(folder)) as file:
            try:
                download(url, file, None, deadline, patient)
            except TransferError as error:
                if error.kind in ("missing", "container"):
                    return False
                raise
            file.seek(0)
            _clear(folder)
            _extract(file, folder)
    except OSError as error:
        raise file_error("the checkpoint could not be restored", error) from error
    return True


def _clear(folder: str) -> None:
    """It is there, and empty."""
    place = os.open(os.path.dirname(folder), trees.FOLDER)
    try:
        trees.remove(os.path.basename(folder), place)
        os.mkdir(os.path.basename(folder), dir_fd=place)
    finally:
        os.close(place)


def _extract(file: BinaryIO, folder: str) -> None:
    """Links come last, so nothing is written through one."""
    links = []
    try:
        with tarfile.open(fileobj=file, mode="r:", format=tarfile.PAX_FORMAT) as tar:
            for info in tar:
                parts = info.name.split("/")
                if info.name.startswith("/") or ".." in parts or "" in parts:
                    raise TransferError("other", f"the checkpoint would write outside its folder: {info.name!r}")
                path = os.path.join(folder, info.name)
                if info.isdir():
                    os.makedirs(path, exist_ok=True)
                elif info.isreg():
                    source = tar.extractfile(info)
                    assert source is not None
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, "xb") as out:
                        shutil.copyfileobj(source, out, PIECE)
                    os.chmod(path, info.mode & 0o777)
                    os.utime(path, (info.mtime, info.mtime))
                elif info.issym() and _stays(info):
                    links.append((path, info.linkname))
                else:
                    raise TransferError("other", f"the checkpoint holds {info.name!r}, which is no file")
    except (tarfile.TarError, EOFError) as error:
        raise TransferError("other", f"the checkpoint is damaged: {error}") from error
    for path, target in links:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
