"""A file that appears whole, or stays as it was: written beside under another name, which then takes its place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """To write to; it takes its place at the end of the context. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".ebbtide-")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o666 & ~_umask())
            yield file
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):  # an interrupt may come when it has its new name already
            os.unlink(temporary)
        raise


def write_whole(path: Path, content: bytes) -> None:
    """Raises OSError that names this file."""
    try:
        with whole_file(path) as file:
            file.write(content)
    except OSError as exc:  # of the temporary file, or of none
        raise OSError(exc.errno, exc.strerror, str(path)) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
