"""The folder of an execution: made, entered, owned by its user, and taken back.

All folders above it belong to the agent's user, so that nobody can put another in its place. What lies in it is its
user's, who may exchange anything at any time: it is reached by a descriptor of the folder that is kept as long as the
execution lasts, links are never followed, and a file is never opened that was there before.
"""

from __future__ import annotations

import errno
import os

from .confine import PathRefused, directory, parts_of
from .identity import is_private
from .trees import FOLDER, clear_name, give, make_folder, put_aside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .identity import Identity

_OUTPUT = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
OUTPUTS = ("stdout.txt", "stderr.txt")
CHECKPOINT = "checkpoint"
#: Bytes. With less free a disk counts as full: what fails to write a larger piece may leave that much.
NO_ROOM = 64 << 10
#: Of multi-instance tasks: AZ_BATCH_TASK_SHARED_DIR.
COMMON = "shared"


def enter(root: str, path: str, who: Identity | None, mode: int, *, instance: bool = False) -> int:
    """Makes the folder and its wd for `who` (None: the agent's own user) and changes into wd. Returns a descriptor of
    the folder, whose mode is `mode` for another user. `instance`: of a multi-instance task, which has a folder for
    common files too. Raises PathRefused, OSError."""
    parts = parts_of(path)
    parent = "/".join([root, *parts[:-1]])
    try:
        os.chdir(parent)
    except FileNotFoundError:
        os.close(directory(root, parts[:-1], create=True))
        os.chdir(parent)
    if os.getcwd() != parent:  # it shows what a link would have hidden
        raise PathRefused(f"{path!r} is reached through a link")
    folder = _made(root, parts[-1], path, who)
    try:
        _furnish(folder, who, instance)
        if who is not None:
            os.fchown(folder, who.uid, who.gid)
            os.fchmod(folder, mode)
    except BaseException:
        os.close(folder)
        raise
    return folder


def _made(root: str, name: str, path: str, who: Identity | None) -> int:
    """The folder in the current one, with nothing in it that a stranger left."""
    for _ in range(2):
        try:
            os.mkdir(name, 0o755 if who is None else 0o700)
            return os.open(name, FOLDER)
        except FileExistsError:
            pass
        try:
            folder = os.open(name, FOLDER)
        except NotADirectoryError as error:
            raise PathRefused(f"{path!r} is reached through a link") from error
        if os.getuid() or _taken_over(folder, 0 if who is None else who.uid, 0 if who is None else who.gid):
            return folder
        os.close(folder)
        put_aside(root, name)
    raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), name)


def _taken_over(folder: int, uid: int, gid: int) -> bool:
    """What an earlier attempt has left under a user id of its own becomes the new one's. False: what is there is of
    another user, who may lie in wait there for one with more rights."""
    for name in ("wd", "."):
        try:
            before = os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid
        except FileNotFoundError:
            continue
        if before in (0, uid):
            continue
        if not (is_private(before) and is_private(uid)):
            return False
        give(folder, before, uid, gid)
    return True


def _furnish(folder: int, who: Identity | None, instance: bool) -> None:
    """Makes what belongs into it, and changes into wd."""
    parts = ("wd",) if who is None or not who.private else ("home", "tmp", "wd")
    for part in (*parts, COMMON) if instance else parts:
        inner = make_folder(part, folder, 0o755 if part in ("wd", COMMON) else 0o700)
        try:
            if who is not None and os.fstat(inner).st_uid != who.uid:
                os.fchown(inner, who.uid, who.gid)
            if part == "wd":
                os.fchdir(inner)
        finally:
            os.close(inner)


def open_outputs(folder: int, who: Identity | None) -> tuple[int, int]:
    """Descriptors of stdout.txt and stderr.txt in the folder; empty. Raises OSError."""
    opened: list[int] = []
    try:
        for name in OUTPUTS:
            if who is None:
                try:
                    opened.append(os.open(name, _OUTPUT | os.O_TRUNC, 0o644, dir_fd=folder))
                    continue
                except IsADirectoryError:
                    pass  # an earlier attempt wanted it so
            try:
                opened.append(os.open(name, _OUTPUT | os.O_EXCL, 0o644, dir_fd=folder))
            except FileExistsError:
                clear_name(name, folder)
                opened.append(os.open(name, _OUTPUT | os.O_EXCL, 0o644, dir_fd=folder))
            if who is not None:
                os.fchown(opened[-1], who.uid, who.gid)
    except OSError:
        for fd in opened:
            os.close(fd)
        raise
    return opened[0], opened[1]


def is_disk_full(folder: int, who: Identity | None) -> bool:
    """Has that user no room left on the disk of the folder, or hardly any?"""
    try:
        disk = os.fstatvfs(folder)
    except OSError:
        return False
    uid = os.getuid() if who is None else who.uid
    return (disk.f_bavail if uid else disk.f_bfree) * disk.f_frsize < NO_ROOM


def seal(folder: int) -> None:
    """Nobody but root gets into it any more, however its user has left it: that one is gone, and its number may come
    again one day."""
    os.fchown(folder, 0, 0)
    os.fchmod(folder, 0o700)


def give_to_root(folder: int, who: Identity) -> None:
    """What the start task made belongs to root from now on: all may read it, and none of the pool's tasks write."""
    give(folder, who.uid, 0, 0)
    os.fchown(folder, 0, 0)


def holds_checkpoint(folder: int) -> bool:
    """Is there anything in its folder of checkpoints?"""
    try:
        fd = os.open(CHECKPOINT, FOLDER, dir_fd=folder)
    except OSError:
        return False
    try:
        return bool(os.listdir(fd))
    finally:
        os.close(fd)
