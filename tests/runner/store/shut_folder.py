"""A folder in which nobody can write, as that of a backup on a disk that is mounted so."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def shut_folder(folder: Path, content: Iterable[Path]) -> Iterator[Path]:
    """Holds copies of the files and folders. Root is kept from writing only by the disk."""
    folder.mkdir()
    root = not os.geteuid()
    if root:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        if mounted.returncode:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr!r}")
    try:
        for each in content:
            copy = shutil.copytree if each.is_dir() else shutil.copy
            copy(each, folder / each.name)
        if root:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        else:
            _allow(folder, 0o500)
        yield folder
    finally:
        if root:  # lazily: a test that failed may still hold a file
            subprocess.run(["umount", "--lazy", folder], check=True)
        else:
            _allow(folder, 0o700)


def _allow(folder: Path, mode: int) -> None:
    for each in (folder, *folder.rglob("*")):
        if each.is_dir():
            each.chmod(mode)
