"""Folders of tasks that nobody needs any more: which there are, and their removal.

A folder is told with a mark of its last change, and is removed only while that holds: one that a task has entered again
meanwhile stays. It is put aside first, in one step, so that it is there wholly or not at all.
"""

from __future__ import annotations

import os
import stat

from . import PRIVATE, clock, trees
from .confine import WORK, PathRefused, directory, parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

MAX_TOLD = 5000


def folders(root: str) -> Message:
    """{"folders": [{"job", "id", "age", "mark"}], "free"}: the folders of tasks, the longest unchanged first (`age` in
    seconds), and the share of the disk that is free."""
    empty_trash(root)
    now = int(clock.now() * 1e9)
    found = []
    for top in _folders_in(f"{root}/{WORK}"):
        for job in _folders_in(f"{root}/{WORK}/{top}"):
            place = f"{WORK}/{top}/{job}"
            for name in _folders_in(f"{root}/{place}"):
                mark = _mark(f"{root}/{place}/{name}")
                if mark is not None:
                    found.append((mark, place, name))
    found.sort()
    disk = os.statvfs(root)
    told = [
        {"job": place, "id": name, "age": max(0, now - mark) / 1e9, "mark": str(mark)}
        for mark, place, name in found[:MAX_TOLD]
    ]
    return {"folders": told, "free": disk.f_bavail / max(1, disk.f_blocks)}


def remove(root: str, path: object, mark: object) -> bool:
    """Removes the folder of a task unless it has changed since it was told; was it? Raises PathRefused, OSError."""
    parts = parts_of(path)
    if len(parts) != 4 or parts[0] != WORK:
        raise PathRefused(f"{path!r} is not the folder of a task")
    try:
        parent = directory(root, parts[:3])
    except FileNotFoundError:
        return False
    try:
        here = f"/proc/self/fd/{parent}/{parts[3]}"
        try:
            if not stat.S_ISDIR(os.lstat(here).st_mode) or str(_mark(here)) != mark:
                return False
            trees.put_aside(root, parts[3], parent)
        except FileNotFoundError:
            return False
    finally:
        os.close(parent)
    try:
        os.rmdir("/".join([root, *parts[:3]]))
        os.rmdir("/".join([root, *parts[:2]]))
    except OSError:
        pass  # others are in it
    empty_trash(root)
    return True


def empty_trash(root: str) -> None:
    """What was put aside goes, as far as we may; links are not followed."""
    try:
        trash = os.open(f"{root}/{PRIVATE}/{trees.TRASH}", trees.FOLDER)
    except OSError:
        return  # there is none
    try:
        for name in os.listdir(trash):
            try:
                trees.remove(name, trash)
            except OSError:  # noqa: PERF203 - somebody's process is still at work there, or it may not go: the next time
                pass
    finally:
        os.close(trash)


def _folders_in(path: str) -> list[str]:
    """Names of real folders."""
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _mark(folder: str) -> int | None:
    """When it, its working directory or what it printed last changed, in nanoseconds since the epoch; None: it is gone,
    or not ours to read."""
    marks = [_changed(folder + inner) for inner in ("", "/wd", "/stdout.txt", "/stderr.txt")]
    return None if marks[0] is None else max(mark for mark in marks if mark is not None)


def _changed(path: str) -> int | None:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return None
