"""What tasks write leaves room for the state on the same disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from runner import OutputStore
from runner.disk_room import disk_room

BLOCK = 4096


@pytest.mark.parametrize(
    ("blocks", "free", "reserve", "room"),
    [
        (1 << 20, 300, 1 << 20, 300 * BLOCK - (1 << 20)),
        (1 << 20, 100, 1 << 20, 0),
        (200, 100, 1 << 20, 90 * BLOCK),  # of a small disk 5 %
        (1 << 20, 100, 0, 100 * BLOCK),
    ],
)
def test_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int, free: int, reserve: int, room: int
) -> None:
    found = os.statvfs_result((BLOCK, BLOCK, blocks, free, free, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: found)
    assert disk_room(tmp_path, reserve) == room
    if not reserve:
        return

    def fetch(offset: int, length: int, file: BinaryIO) -> None:
        file.write(b"x" * length)

    outputs = OutputStore(tmp_path / "outputs", cap=1 << 30, reserve=reserve)
    with pytest.raises(OSError, match="storageReserve") as caught:
        outputs.keep("u-1", "stdout", room + 1, fetch)
    assert caught.value.errno == errno.ENOSPC and not list((tmp_path / "outputs").iterdir())
    if room:
        assert outputs.kept(outputs.keep("u-1", "stdout", room, fetch)) == room
    assert OutputStore(tmp_path / "outputs", cap=10, reserve=0).keep("u-2", "stdout", room + 1, fetch).file
