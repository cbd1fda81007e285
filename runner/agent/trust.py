"""Lets the nodes of a pool log in to each other over SSH: a key pair that all of them hold, in one user's home.

The host keys of the others are not looked at: nodes come and go, and their addresses with them. The key never leaves
the node when it is used, and what it opens is the nodes of the pool, for the user of the pool's tasks.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

KEY = "ebbtide"
_CONFIG = """Host *
    IdentityFile {folder}/ebbtide
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
"""
_BEGIN, _END = "# ebbtide: nodes of the pool\n", "# ebbtide: end\n"


def place(home: str, uid: int, gid: int, keys: Message) -> None:
    """Puts the pair (`keys`: {"private", "public"}, as OpenSSH writes them) where ssh and sshd look for it; what else
    is there stays. Raises OSError."""
    folder = f"{home}/.ssh"
    try:
        os.mkdir(folder, 0o700)
        os.chown(folder, uid, gid)
    except FileExistsError:
        pass
    _write(f"{folder}/{KEY}", keys["private"], uid, gid)
    # options of a first match win, so the own ones stand behind what is there
    for name, text in (("authorized_keys", keys["public"] + "\n"), ("config", _CONFIG.format(folder=folder))):
        path = f"{folder}/{name}"
        _write(path, _without(_read(path)) + _BEGIN + text + _END, uid, gid)


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    with open(fd, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _without(text: str) -> str:
    """Without what was put there before."""
    before, begin, rest = text.partition(_BEGIN)
    if before and not before.endswith("\n"):
        before += "\n"
    return before + (rest.partition(_END)[2] if begin else "")


def _write(path: str, text: str, uid: int, gid: int) -> None:
    """In one step, as other tasks may log in meanwhile."""
    fresh = f"{path}.new"
    try:
        os.unlink(fresh)
    except FileNotFoundError:
        pass
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        os.fchown(fd, uid, gid)
        file.write(text)
    os.rename(fresh, path)
