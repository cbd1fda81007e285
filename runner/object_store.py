"""The object store: containers of blobs, in a local directory (local_store.py) or in a bucket (s3_store.py).

A blob appears whole or not at all, under any name that Azure Blob Storage allows. A container comes into being with
its first blob.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from .storage_urls import invalid_container, invalid_name

#: Bytes that are read or written at a time.
PIECE = 1 << 20
#: Most blobs in one page of a listing.
PAGE = 5000


class StoreError(Exception):
    """`code` as Azure Blob Storage names it: BlobNotFound, ContainerNotFound, InvalidResourceName, RequestBodyTooLarge,
    OutOfSpace (ours), InternalError."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Blob:
    """`modified`: seconds since the epoch; `etag` changes with the content."""

    name: str
    size: int
    modified: float
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """Blobs in the order of their names (by code point); `after`: the name to ask on from, None at the end."""

    blobs: tuple[Blob, ...]
    after: str | None = None


class Upload(AbstractContextManager["Upload"]):
    """A blob on its way in. Leaving the context without `commit` leaves nothing behind."""

    @abstractmethod
    def write(self, piece: bytes) -> None:
        """Raises StoreError."""

    @abstractmethod
    def commit(self) -> Blob:
        """The blob is there from now on, in place of the one before. Raises StoreError."""

    @abstractmethod
    def abort(self) -> None:
        """Leave nothing behind; after `commit`, nothing happens."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class ObjectStore(Protocol):
    """Every method raises StoreError, InvalidResourceName for names that cannot be."""

    def begin(self, container: str, name: str) -> Upload: ...

    def stat(self, container: str, name: str) -> Blob: ...

    def read(self, container: str, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The content from `start` on, at most `length` bytes; a reader sees one version of it to the end."""
        ...

    def delete(self, container: str, name: str) -> None: ...

    def page(self, container: str, prefix: str = "", after: str = "", limit: int = PAGE) -> Page:
        """Blobs whose names begin with `prefix` and are greater than `after`; none if there is no such container."""
        ...

    def containers(self) -> list[str]:
        """Those that hold a blob."""
        ...

    def file(self, container: str, name: str) -> Path | None:
        """Where the blob lies on this machine; None: elsewhere."""
        ...

    def redirect(self, method: str, container: str, name: str, seconds: float, size: int | None = None) -> str | None:
        """An address where GET or PUT can be had without us for so long; None: come through us. `size`: bytes that are
        put, neither more nor less."""
        ...

    def room(self) -> int | None:
        """Bytes that may still be written without taking the disk from others; None: it is for others to say."""
        ...


def put_blob(store: ObjectStore, container: str, name: str, pieces: Iterable[bytes]) -> Blob:
    """Keep a blob. Raises StoreError, and what `pieces` raises."""
    with store.begin(container, name) as upload:
        for piece in pieces:
            upload.write(piece)
        return upload.commit()


def check_names(container: str, name: str | None = None) -> None:
    """Raises StoreError."""
    fault = invalid_container(container) or (invalid_name(name) if name is not None else None)
    if fault is not None:
        raise StoreError("InvalidResourceName", fault)


def not_found(container: str, name: str) -> StoreError:
    return StoreError("BlobNotFound", f"there is no blob {name!r} in the container {container!r}")
