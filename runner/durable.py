"""Names that outlive a power loss: a file's content is synced by its writer, its name by its folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_folder(path: Path) -> None:
    """With what is missing above it. Raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    sync_folder(path.parent)


def rename(temporary: Path | str, path: Path) -> None:
    """In the end the file has that name, also after a power loss. Raises OSError."""
    os.rename(temporary, path)
    with suppress(FileNotFoundError):  # somebody has deleted it and its folder meanwhile
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
