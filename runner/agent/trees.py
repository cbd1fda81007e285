"""Files and folders that lie where somebody else may exchange anything at any time, reached by descriptors.

Links are never followed, no folder is too deep, and only a few descriptors are open at a time. A file may have other
names, by hard links: that nobody makes such of other users' files is seen to by the kernel (fs.protected_hardlinks).
"""

from __future__ import annotations

import errno
import os
import stat
import time

from . import PRIVATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_THING = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
TRASH = "trash"
_TRIES = 3  # a folder that somebody keeps filling is given up after so many


def fresh() -> str:
    """A name that nothing on this machine has."""
    return f"{os.getpid()}-{time.monotonic_ns()}"


def open_file(name: str, place: int) -> int:
    """A descriptor for reading a regular file in the folder `place`. Raises OSError, also if it is anything else."""
    fd = os.open(name, _FILE, dir_fd=place)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file", name)
    return fd


def make_folder(name: str, place: int, mode: int) -> int:
    """A descriptor of the folder `name` in `place`, whose owner may have put anything there. Raises OSError."""
    for _ in range(_TRIES):
        try:
            os.mkdir(name, mode, dir_fd=place)
        except FileExistsError:
            pass
        try:
            return os.open(name, FOLDER, dir_fd=place)
        except NotADirectoryError:  # a file, or a link: O_NOFOLLOW with O_DIRECTORY says so too
            clear_name(name, place)
    raise OSError(errno.EEXIST, "it is put there again and again", name)


def clear_name(name: str, place: int) -> None:
    """Nothing in the folder `place` is called `name` any more: a folder is called otherwise from now on, anything else
    goes. Raises OSError."""
    try:
        os.unlink(name, dir_fd=place)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        os.rename(name, f"{name}.{fresh()}", src_dir_fd=place, dst_dir_fd=place)


def walk(top: int) -> Iterator[tuple[int, list[str], list[str], list[str]]]:
    """Every folder from `top` downwards: its descriptor, which holds until the next one is asked for; the names that
    lead to it; the names of the folders and of all else in it. Folders that the caller takes out of the list are not
    entered, nor are other file systems. Raises OSError, also if a folder is moved meanwhile."""
    trail: list[str] = []
    above: list[tuple[tuple[int, int], list[str]]] = []  # each folder on the way, and what is to be entered in it yet
    here = os.open(".", FOLDER, dir_fd=top)
    try:
        device = _identity(here)[0]
        while True:
            todo, others = _names(here)
            yield here, trail, todo, others
            inner = _next(todo, here, device)
            while inner is None:
                if not above:
                    return
                identity, todo = above.pop()
                trail.pop()
                here = _changed(here, os.open("..", FOLDER, dir_fd=here))
                if _identity(here) != identity:
                    raise OSError(errno.ESTALE, "a folder was moved while it was looked at")
                inner = _next(todo, here, device)
            name, fd = inner
            above.append((_identity(here), todo))
            trail.append(name)
            here = _changed(here, fd)
    finally:
        os.close(here)


def give(top: int, before: int, uid: int, gid: int) -> None:
    """Everything below that belongs to the user `before` goes to `uid`; whatever else is there stays as it is. Raises
    OSError."""
    for place, _, folders, others in walk(top):
        for name in folders + others:
            try:
                thing = os.open(name, _THING, dir_fd=place)
            except FileNotFoundError:  # a daemon of the start task may be at work there
                continue
            try:
                if os.fstat(thing).st_uid == before:
                    os.chown(f"/proc/self/fd/{thing}", uid, gid)
            finally:
                os.close(thing)


def put_aside(root: str, name: str, place: int | None = None) -> None:
    """What is called so in `place` (None: the current folder) is gone from there in one step; it is removed with the
    other trash, at leisure (see removal). Raises OSError."""
    trash = f"{root}/{PRIVATE}/{TRASH}"
    os.makedirs(trash, 0o700, exist_ok=True)
    if place is not None:
        _unlock(name, place)
    os.rename(name, f"{trash}/{fresh()}", src_dir_fd=place)


def remove(name: str, place: int) -> None:
    """Removes what is called `name` in `place`, a folder that nobody else may write to. Raises OSError for the rest.

    The folders in a folder are moved up into `place` before they are emptied, so that their depth does not matter;
    there they are left if this process dies.
    """
    todo = [(name, _TRIES)]
    left: OSError | None = None
    while todo:
        each, tries = todo.pop()
        try:
            if _unlinked(each, place):
                continue
            _unlock(each, place)
            folder = os.open(each, FOLDER, dir_fd=place)
            try:
                todo += [(moved, _TRIES) for moved in _emptied(folder, place)]
            finally:
                os.close(folder)
            os.rmdir(each, dir_fd=place)
        except FileNotFoundError:
            continue  # another one was faster
        except OSError as error:
            if error.errno == errno.ENOTEMPTY and tries > 1:
                todo.append((each, tries - 1))
            else:
                left = error
    if left is not None:
        raise left


def _emptied(folder: int, place: int) -> list[str]:
    """The names that the folders in it have in `place` now. What cannot go stays."""
    moved = []
    folders, others = _names(folder)
    for name in others:
        try:
            os.unlink(name, dir_fd=folder)
        except OSError:  # noqa: PERF203 - the others go all the same, and it is told in the end
            pass
    for name in folders:
        above = fresh()
        try:
            _unlock(name, folder)
            os.rename(name, above, src_dir_fd=folder, dst_dir_fd=place)
            moved.append(above)
        except OSError:
            pass
    return moved


def _unlinked(name: str, place: int) -> bool:
    try:
        os.unlink(name, dir_fd=place)
    except IsADirectoryError:
        return False
    return True


def _unlock(name: str, place: int) -> None:
    """Opens a folder that its owner has locked, if that is us; root is not kept out by any."""
    if not os.getuid():
        return
    try:
        fd = os.open(name, _THING | os.O_DIRECTORY, dir_fd=place)
    except NotADirectoryError:
        return
    try:
        os.chmod(f"/proc/self/fd/{fd}", 0o700)
    except PermissionError:
        pass  # another user's; what follows tells
    finally:
        os.close(fd)


def _next(todo: list[str], here: int, device: int) -> tuple[str, int] | None:
    """Name and descriptor of the next folder of `todo` that is still one, and of this file system."""
    while todo:
        name = todo.pop()
        try:
            fd = os.open(name, FOLDER, dir_fd=here)
        except (FileNotFoundError, NotADirectoryError, PermissionError):  # gone, another thing now, not ours to read
            continue
        if _identity(fd)[0] == device:
            return name, fd
        os.close(fd)
    return None


def _names(folder: int) -> tuple[list[str], list[str]]:
    """Of folders, and of everything else."""
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
    return folders, others


def _changed(old: int, new: int) -> int:
    os.close(old)
    return new


def _identity(fd: int) -> tuple[int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino
