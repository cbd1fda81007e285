"""How much of a disk may be used without taking it from the state, whose commits need room at any time."""

from __future__ import annotations

import os
from pathlib import Path

#: The reserve is no more than this part of a disk.
_PART = 20


def disk_room(directory: Path, reserve: int) -> int:
    """Bytes that are free where the directory lies, but for `reserve` of them, or 5 % of the disk if that is less.
    Raises OSError."""
    disk = os.statvfs(directory)
    return max(0, disk.f_bavail * disk.f_frsize - min(reserve, disk.f_blocks * disk.f_frsize // _PART))
