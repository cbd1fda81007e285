"""Lets the nodes of a pool log in to each other over SSH: a key pair that all of them hold, in one user's home.

The host keys of the others are not looked at: nodes come and go, and their addresses with them. The key never leaves
the node when it is used, and what it opens is the nodes of the pool, for the user of the pool's tasks.
"""

from __future__ import annotations

import errno
import os

from . import trees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

KEY = "ebbtide"
MAX_KEPT = 1 << 20  # characters of a file of the user's; nobody's is longer
_CONFIG = """Host *
    IdentityFile {folder}/ebbtide
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
"""
_BEGIN, _END = "# ebbtide: nodes of the pool\n", "# ebbtide: end\n"


def place(home: str, uid: int, gid: int, keys: Message) -> None:
    """Puts the pair (`keys`: {"private", "public"}, as OpenSSH writes them) where ssh and sshd look for it; what else
    is there stays. What the user has put in the place of the folder or of a file that is ours to write, such as a link,
    goes. Raises OSError."""
    folder = _own_folder(home, uid, gid)
    try:
        _write(KEY, folder, keys["private"], uid, gid)
        # options of a first match win, so the own ones stand behind what is there
        config = _CONFIG.format(folder=f"{home}/.ssh")
        for name, text in (("authorized_keys", keys["public"] + "\n"), ("config", config)):
            _write(name, folder, _without(_read(name, folder, uid)) + _BEGIN + text + _END, uid, gid)
    finally:
        os.close(folder)


def let_in(home: str, uid: int, gid: int, key: str | None) -> None:
    """The user logs in with this key (public, in OpenSSH form) and no other; None: with none. Raises OSError."""
    folder = _own_folder(home, uid, gid)
    try:
        _write("authorized_keys", folder, "" if key is None else key + "\n", uid, gid)
    finally:
        os.close(folder)


def _own_folder(home: str, uid: int, gid: int) -> int:
    """A descriptor of the user's `.ssh`. Raises OSError."""
    top = os.open(home, trees.FOLDER)
    try:
        folder = trees.make_folder(".ssh", top, 0o700)
    finally:
        os.close(top)
    try:
        if os.fstat(folder).st_uid != uid:
            if os.listdir(folder):
                raise PermissionError(errno.EPERM, "it belongs to somebody else", f"{home}/.ssh")
            os.fchown(folder, uid, gid)  # it was just made
    except BaseException:
        os.close(folder)
        raise
    return folder


def _read(name: str, folder: int, uid: int) -> str:
    try:
        fd = trees.open_file(name, folder)
    except OSError:  # there is none, or something else
        return ""
    with open(fd, encoding="utf-8", errors="surrogateescape") as file:
        return file.read(MAX_KEPT) if os.fstat(fd).st_uid == uid else ""


def _without(text: str) -> str:
    """Without what was put there before."""
    before, begin, rest = text.partition(_BEGIN)
    if before and not before.endswith("\n"):
        before += "\n"
    return before + (rest.partition(_END)[2] if begin else "")


def _write(name: str, folder: int, text: str, uid: int, gid: int) -> None:
    """In one step, as other tasks may log in meanwhile."""
    fresh = f".{name}.{trees.fresh()}"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    with open(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchown(fd, uid, gid)
        file.write(text)
    for last in (False, True):
        try:
            os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
            return
        except OSError as error:  # noqa: PERF203 - twice at most
            if last or not isinstance(error, IsADirectoryError):
                trees.clear_name(fresh, folder)
                raise
            trees.clear_name(name, folder)
