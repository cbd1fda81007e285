"""Who an execution runs as, and becoming that user for the moment in which its process is made.

Where the agent is root, its supervisors are, and change user round `posix_spawn`: real and effective ids to the
user's, back afterwards by the saved ones. `execve` makes the saved ids of the new process its effective ones, so
that it keeps no way back. In that moment processes of the same user may signal the supervisor: those of one pool, who
could end each other's tasks just as well, and the new process itself, which is lost then; but nobody of another task
whose user is its own. Nothing in POSIX hides it: the new process has the real id of the one that spawned it, and who
has that id may signal. One that they end is made anew by the agent; one that they stop is ended by it (see slot_link).
"""

from __future__ import annotations

import fcntl
import os

from . import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .wire import Message

BASE, SPAN = 1_900_000_000, 200_000_000  # user ids of single executions; no distribution gives these to anybody
BLOCK = 4096  # so many are leased at a time
LEASES = "/run/ebbtide-uids"  # number of the block that is leased next, common to all nodes of a machine


class UserUnavailable(Exception):
    """The execution may not run as the user that it asks for; the message says what would help."""


class Identity:
    """`private`: of one execution alone; `name` and `home`: for its environment, if it is an account."""

    __slots__ = ("gid", "home", "name", "private", "uid")

    def __init__(self, uid: int, gid: int, name: str, home: str | None, private: bool = False) -> None:
        self.uid = uid
        self.gid = gid
        self.name = name
        self.home = home
        self.private = private

    def environment(self, folder: str) -> dict[str, str]:
        """`folder`: of the execution, absolute."""
        home = folder + "/home" if self.home is None else self.home
        env = {"HOME": home, "USER": self.name, "LOGNAME": self.name}
        if self.private:
            env["TMPDIR"] = folder + "/tmp"
        return env


class Identities:
    """What the supervisor of one slot can be for an execution. `told`: see `users.survey`."""

    def __init__(self, private: str) -> None:
        """`private`: the agent's own folder."""
        self.told: Message = {}
        self._private = private
        self._next = self._end = 0

    def of(self, user: Message, kind: str) -> Identity | None:
        """For the `user` of a start message: {"scope": "pool" or "task", "admin": bool} or {"name": ..}. None: the
        user that the supervisor is. Raises UserUnavailable."""
        told = self.told
        scope = user.get("scope") or (told.get("scope") if kind == "task" else None)
        name = user.get("name")
        if name is not None:
            account = told.get("named", {}).get(name)
            if account is None:
                raise UserUnavailable(f"the node has no user account {name!r}: the pool's userAccounts must name it")
            return _account(name, account)
        if user.get("admin"):
            if not told.get("root"):
                raise UserUnavailable(told.get("refusal") or "the agent on the node is not root")
            return None
        if scope == "task":
            if told.get("refusal") or not told.get("root"):
                raise UserUnavailable(told.get("refusal") or "the agent on the node is not root")
            uid = self._lease()
            return Identity(uid, uid, f"task{uid - BASE}", None, private=True)
        pool = told.get("pool")
        return _account(pool["name"], pool) if pool is not None else None

    def _lease(self) -> int:
        if self._next >= self._end:
            self._next = lease_block(self._private)
            self._end = self._next + BLOCK
        self._next += 1
        return self._next - 1


def _account(name: str, account: Message) -> Identity:
    if account.get("refusal"):
        raise UserUnavailable(account["refusal"])
    return Identity(account["uid"], account["gid"], name, account["home"])


def lease_block(private: str) -> int:
    """The first of a block of ids that nobody else on this machine was given in the last 48,000 leases."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        fd = os.open(LEASES, flags, 0o600)
    except OSError:  # no /run, or it is full
        fd = os.open(private + "/uids", flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        held = os.pread(fd, 20, 0).strip()
        # after a new start of the machine files of earlier users may be left somewhere: begin anywhere
        number = int(held) if held.isdigit() else int(clock.now() * 1000)
        os.pwrite(fd, b"%-20d" % ((number + 1) % (SPAN // BLOCK)), 0)
    finally:
        os.close(fd)
    return BASE + number % (SPAN // BLOCK) * BLOCK


def is_private(uid: int) -> bool:
    """Is it the user id of a single execution?"""
    return BASE <= uid < BASE + SPAN


def spawned_as(who: Identity | None, spawn: Callable[[], int]) -> int:
    """What `spawn` returns, called as that user."""
    if who is None or not who.uid:
        return spawn()
    os.setresgid(who.gid, who.gid, 0)
    try:
        os.setresuid(who.uid, who.uid, 0)
        return spawn()
    finally:
        _become_root()


def end_all_of(uid: int) -> None:
    """Kills every process of this user at once, so that none can fork away from it."""
    os.setresuid(uid, uid, 0)
    try:
        os.kill(-1, 9)
    except ProcessLookupError:
        pass  # there is none
    finally:
        _become_root()


def _become_root() -> None:
    try:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
    except OSError:
        os._exit(1)  # never on as somebody else; the execution counts as lost
