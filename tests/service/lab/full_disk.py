"""A disk that is full, and is one: mounted."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_mounts = pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Callable[[], None]]:
    """Mounted there; call it to fill it to the last byte."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")

    def fill() -> None:
        with pytest.raises(OSError, match="No space left"), open(folder / "filling", "wb", buffering=0) as file:
            while True:
                assert file.write(bytes(4096))

    try:
        yield fill
    finally:
        subprocess.run(["umount", str(folder)], check=True)
