"""The folder of an execution: made, entered, owned by its user, and taken back.

All folders above it belong to the agent's user, so that nobody can put another in its place. What lies in it is its
user's, who may exchange anything at any time: there links are never followed, and a file is never opened that was
there before.
"""

from __future__ import annotations

import os

from .confine import PathRefused, directory, parts_of
from .identity import is_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .identity import Identity

_OUTPUT = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OUTPUTS = ("../stdout.txt", "../stderr.txt")
CHECKPOINT = "checkpoint"


def enter(root: str, path: str) -> None:
    """Makes the folder and its wd, and changes into wd. getcwd shows what a link would have hidden."""
    parent, name = _enter_parent(root, path)
    try:
        os.mkdir(name, 0o755)
    except FileExistsError:
        pass
    try:
        os.mkdir(name + "/wd", 0o755)
    except FileExistsError:
        pass
    os.chdir(name + "/wd")
    if os.getcwd() != f"{parent}/{name}/wd":
        raise PathRefused(f"{path!r} is reached through a link")


def enter_as(who: Identity, root: str, path: str, mode: int) -> None:
    """The same for another user, whom the folder and its wd then belong to; `mode`: of the folder."""
    _, name = _enter_parent(root, path)
    try:
        os.mkdir(name, 0o700)
    except FileExistsError:
        pass
    try:
        folder = os.open(name, _FOLDER)
    except NotADirectoryError as error:
        raise PathRefused(f"{path!r} is reached through a link") from error
    try:
        own = ["wd", "home", "tmp"] if who.private else ["wd"]
        _take_over(folder, who)
        for part in own:
            try:
                os.mkdir(part, 0o755 if part == "wd" else 0o700, dir_fd=folder)
            except FileExistsError:
                pass
            inner = os.open(part, _FOLDER, dir_fd=folder)
            if os.fstat(inner).st_uid != who.uid:
                os.fchown(inner, who.uid, who.gid)
            if part == "wd":
                os.fchdir(inner)
            os.close(inner)
        os.fchown(folder, who.uid, who.gid)
        os.fchmod(folder, mode)
    finally:
        os.close(folder)


def _enter_parent(root: str, path: str) -> tuple[str, str]:
    parts = parts_of(path)
    parent = "/".join([root, *parts[:-1]])
    try:
        os.chdir(parent)
    except FileNotFoundError:
        os.close(directory(root, parts[:-1], create=True))
        os.chdir(parent)
    if os.getcwd() != parent:
        raise PathRefused(f"{path!r} is reached through a link")
    return parent, parts[-1]


def _take_over(folder: int, who: Identity) -> None:
    """What an earlier attempt has left under a user id of its own becomes the new one's."""
    try:
        before = os.stat("wd", dir_fd=folder, follow_symlinks=False).st_uid
    except FileNotFoundError:
        return
    if before != who.uid and is_private(before):
        _give(folder, before, who.uid, who.gid)


def _give(folder: int, before: int, uid: int, gid: int) -> None:
    """Everything below that belongs to `before` goes to `uid`. Whatever else is there stays as it is: it may be a hard
    link to somebody's file."""
    for _, folders, files, inside in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
        for name in [*folders, *files]:
            try:
                if os.stat(name, dir_fd=inside, follow_symlinks=False).st_uid == before:
                    os.chown(name, uid, gid, dir_fd=inside, follow_symlinks=False)
            except FileNotFoundError:  # noqa: PERF203 - a daemon of the start task may be at work there
                pass


def open_outputs(who: Identity | None) -> tuple[int, int]:
    """Descriptors of stdout.txt and stderr.txt beside the working directory, which is the current one; empty."""
    opened: list[int] = []
    try:
        for name in OUTPUTS:
            if who is None:
                opened.append(os.open(name, _OUTPUT | os.O_TRUNC, 0o644))
                continue
            try:
                opened.append(os.open(name, _OUTPUT | os.O_EXCL, 0o644))
            except FileExistsError:
                os.unlink(name)
                opened.append(os.open(name, _OUTPUT | os.O_EXCL, 0o644))
            os.fchown(opened[-1], who.uid, who.gid)
    except OSError:
        for fd in opened:
            os.close(fd)
        raise
    return opened[0], opened[1]


def seal(root: str, path: str) -> None:
    """Nobody but root gets into the folder any more: its user is gone, and its number may come again one day."""
    os.chown(f"{root}/{path}", 0, 0, follow_symlinks=False)


def give_to_root(root: str, path: str, who: Identity) -> None:
    """What the start task made belongs to root from now on: all may read it, and none of the pool's tasks write."""
    folder = os.open(f"{root}/{path}", _FOLDER)
    try:
        _give(folder, who.uid, 0, 0)
        os.fchown(folder, 0, 0)
    finally:
        os.close(folder)


def holds_checkpoint(root: str, path: str) -> bool:
    """Is there anything in the folder of checkpoints?"""
    try:
        fd = os.open(f"{root}/{path}/{CHECKPOINT}", _FOLDER)
    except OSError:
        return False
    try:
        return bool(os.listdir(fd))
    finally:
        os.close(fd)
