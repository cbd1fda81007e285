"""Paths that stay below the node root, whatever a name or a symbolic link says."""

from __future__ import annotations

import errno
import os

from . import PRIVATE

WORK = "workitems"
_OF_TASK = 4  # parts of the path of a task's folder
_NOWHERE = (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)

class PathRefused(Exception):
    """The path leads out of the node root or into the agent's own folder."""


def parts_of(path: object, private: bool = False) -> list[str]:
    """The components of a relative path.

    Raises PathRefused for an absolute path, `..`, an empty or over-long name, a NUL, and for the agent's own
    folder unless `private`. Any other character is fine, as it is for the file system.
    """
    if not isinstance(path, str) or not path:
        raise PathRefused(f"a path must be a text that is not empty, not {path!r}")
    parts = path.split("/")
    for part in parts:
        if part in ("", ".", ".."):
            raise PathRefused(f"{path!r} is not a plain relative path below the node root")
    if "\0" in path:
        raise PathRefused(f"{path!r} holds a NUL character")
    if parts[0] == PRIVATE and not private:
        raise PathRefused(f"{path!r} belongs to the agent")
    return parts


def directory(root: str, parts: list[str], create: bool = False) -> int:
    """A descriptor of root/parts, reached without following any symbolic link below root (0755 if created).

    Raises PathRefused for a link or a file on the way, FileNotFoundError.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    fd = os.open(root, flags)
    for part in parts:
        try:
            if create:
                try:
                    os.mkdir(part, 0o755, dir_fd=fd)
                except FileExistsError:
                    pass
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=fd)
        except NotADirectoryError as error:  # a file, or a link: O_NOFOLLOW with O_DIRECTORY says ENOTDIR too
            raise PathRefused("{!r} in {!r} is a file or a link".format(part, "/".join(parts))) from error
        finally:
            os.close(fd)
        fd = inner
    return fd


def locate(root: str, path: object, private: bool = False) -> int:
    """An O_PATH descriptor of an existing file or folder. Links are followed as long as they stay in the folder of the
    same task, or for what is in none, in the same one of the node's folders: else the agent, which may read everything,
    would hand out for one task what is another's.

    `root` must be a real path. Raises PathRefused, OSError; FileNotFoundError also for what can be nowhere: below a
    file, or of a name that is too long.
    """
    parts = parts_of(path, private) if path != "" else []
    try:
        fd = os.open("/".join([root, *parts]), os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NOWHERE:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/".join(parts)) from error
        raise
    real = os.readlink(f"/proc/self/fd/{fd}")
    depth = _OF_TASK if parts[:1] == [WORK] else 1  # what lies above is the agent's own
    home = "/".join([root, *parts[: min(depth, len(parts) - 1)]]) if parts else root
    inside = real == home or real.startswith(home + "/")
    if not inside or (not private and (real + "/").startswith(f"{root}/{PRIVATE}/")):
        os.close(fd)
        raise PathRefused(f"{path!r} leads out of {home!r}")
    return fd
