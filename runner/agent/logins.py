"""Node users: people who log in to this node over SSH, until their time is over.

They stand in a file below the node root, which holds no password. On a machine that is a node alone each has a real
account (see login_accounts); on a local node the node's own SSH server reads the file and lets them in.
Run as `logins ROOT`, with one request on stdin, {"op": "add" | "update" | "remove", "name", "admin", "expires",
"password", "key", "salt": chance, in hex}, it answers one line: {"ok": true}, or {"ok": false, "code", "message"}.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import hashlib
import json
import os
import pwd
import sys
import time

from . import PRIVATE, clock, processes, trees, users, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator

    from .wire import Message

    Entries = Dict[str, Message]

ROUNDS = 200_000  # of PBKDF2-SHA256: a tenth of a second
_LOOK = 1.0  # seconds between two looks of the process that waits for times to be over
_LENT = (
    "this machine is not a node alone, and gets no accounts: log in to it in the way that its owner gives you, or use "
    "a pool of machines from a cloud"
)
_NO_ADMIN = "an administrator is root, and this node runs as {user}, who is not; leave isAdmin out"


class Refused(Exception):
    """`code`: "exists", "missing", "taken" (the machine has such a user already), "impossible" (on this node), or
    "failed"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def run(root: str, lifeline: int | None) -> None:
    """One request, see above."""
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # a login may have less
    try:
        request = wire.decode(sys.stdin.buffer.readline(1 << 16))
        carry_out(root, lifeline, request)
        answer: Message = {"ok": True}
    except Refused as error:
        answer = {"ok": False, "code": error.code, "message": str(error)}
    except OSError as error:
        answer = {"ok": False, "code": "failed", "message": "{}: {}".format(error.filename or "the node", error)}
    sys.stdout.buffer.write(wire.encode(answer))
    sys.stdout.buffer.flush()
    resume(root, lifeline)


def carry_out(root: str, lifeline: int | None, request: Message) -> None:
    """Raises Refused, OSError."""
    name, op = request["name"], request["op"]
    kind = _kind(root, lifeline, request)
    with _held(root, "logins.lock"):
        entries = load(root)
        _end_all(root, entries, kind, lambda entry: entry["expires"] <= clock.now())
        known = entries.get(name)
        if op == "add":
            if known is not None and known["made"]:
                raise Refused("exists", f"the node has a user {name!r} already")
            if known is not None:  # it was being made, or was going, when that was cut off
                kind.end(name, known)
            elif _exists(name):
                text = f"the machine has a user or group {name!r} that is no node user; take another name"
                raise Refused("taken", text)
            # in the file first: what is cut off here is known to be ours
            entry = {"admin": bool(request["admin"]), "expires": float(request["expires"]), "made": False}
            _put(root, entries, name, entry)
            try:
                entry = {**entry, **kind.make(name, entry, request)}
            except BaseException:
                kind.end(name, entry)
                _put(root, entries, name, None)
                raise
            _put(root, entries, name, {**entry, "made": True})
            return
        if known is None or (op == "update" and not known["made"]):
            raise Refused("missing", f"the node has no user {name!r}")
        if op == "update":
            changed = {**known, "expires": float(request["expires"])}
            _put(root, entries, name, {**changed, **kind.change(name, changed, request)})
        else:
            _end(root, entries, name, kind)


def resume(root: str, lifeline: int | None) -> None:
    """Sees to it that users whose time is over are removed: by a process that waits for that, also while no controller
    is connected. A local node's SSH server minds the time itself."""
    if lifeline is not None or not load(root):
        return
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if not os.fork():
            _wait(root)
    finally:
        os._exit(0)


def _wait(root: str) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.chdir("/")
    processes.close_inherited(set())
    waiter = _open_lock(root, "logins.waiter")
    try:
        fcntl.flock(waiter, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another one waits
    kind = Accounts()
    kind.prepare()
    while True:
        entries = load(root)
        if not entries:
            return
        if any(entry["expires"] <= clock.now() for entry in entries.values()):
            with _held(root, "logins.lock"):
                _end_all(root, load(root), kind, lambda entry: entry["expires"] <= clock.now())
        time.sleep(_LOOK)


def load(root: str) -> Entries:
    """By name: {"admin", "expires", "made": it is complete} and what its kind has added."""
    try:
        with open(f"{root}/{PRIVATE}/{users.LOGINS}", encoding="utf-8") as file:
            found: Entries = json.load(file)
            return found
    except (FileNotFoundError, ValueError):
        return {}


class Accounts:
    """Real accounts, of a machine that is a node alone."""

    def prepare(self) -> None:
        """What it takes is loaded: the agent's file may be another one when it is needed."""
        from . import login_accounts

        login_accounts.end  # noqa: B018

    def make(self, name: str, entry: Message, request: Message) -> Message:
        from . import login_accounts

        return login_accounts.make(name, entry, request)

    def change(self, name: str, entry: Message, request: Message) -> Message:
        from . import login_accounts

        return login_accounts.change(name, entry, request)

    def end(self, name: str, entry: Message) -> None:
        from . import login_accounts

        login_accounts.end(name)


class Entered:
    """Users that are in the file alone: the SSH server of a local node lets them in, as the node's own user. Where that
    is root, those without its rights are who the pool's tasks would be that have a user of their own."""

    def __init__(self, root: str, lifeline: int) -> None:
        self._root = root
        self._lifeline = lifeline

    def make(self, name: str, entry: Message, request: Message) -> Message:
        home, uid = f"{self._root}/home/{name}", None
        if not os.getuid() and not entry["admin"]:
            uid = users.pool_uid(f"{self._root}/{PRIVATE}")
            if users.refusal_of(self._root, self._lifeline) is not None:  # they cannot go there
                home = "/"
        if home != "/":
            os.makedirs(os.path.dirname(home), 0o755, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkdir(home, 0o700)
                os.chown(home, -1 if uid is None else uid, -1 if uid is None else uid)
        # so that a user of the same name that comes later is another one
        return {"uid": uid, "home": home, "serial": trees.fresh(), **self.change(name, entry, request)}

    def change(self, name: str, entry: Message, request: Message) -> Message:
        return {"key": request.get("key"), **_derived(request.get("password"), request["salt"])}

    def end(self, name: str, entry: Message) -> None:
        """Its sessions end when the SSH server sees that; the files of its home go with the node."""


if TYPE_CHECKING:
    from typing import Union

    Kind = Union[Accounts, Entered]


def _kind(root: str, lifeline: int | None, request: Message) -> Kind:
    """How this node has users. Raises Refused."""
    if lifeline is None:
        if os.getuid():
            raise Refused("impossible", users.NOT_ROOT.format(user=users.own_name()))
        if not os.path.exists(users.MACHINE):
            raise Refused("impossible", _LENT)
        return Accounts()
    if request["op"] == "add" and request["admin"] and os.getuid():
        raise Refused("impossible", _NO_ADMIN.format(user=users.own_name()))
    return Entered(root, lifeline)


def _derived(password: str | None, salt: str) -> Message:
    if password is None:
        return {"salt": None, "hash": None, "rounds": 0}
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), ROUNDS)
    return {"salt": salt, "hash": derived.hex(), "rounds": ROUNDS}


def _exists(name: str) -> bool:
    if name in (users.POOL, users.own_name()):
        return True
    for known in (pwd.getpwnam, grp.getgrnam):  # with a group of that name it might get rights
        try:
            known(name)
        except KeyError:
            continue
        return True
    return False


def _end_all(root: str, entries: Entries, kind: Kind, over: Callable[[Message], bool]) -> None:
    for name in [name for name, entry in entries.items() if over(entry)]:
        _end(root, entries, name, kind)


def _end(root: str, entries: Entries, name: str, kind: Kind) -> None:
    _put(root, entries, name, {**entries[name], "made": False})
    kind.end(name, entries[name])
    _put(root, entries, name, None)


def _put(root: str, entries: Entries, name: str, entry: Message | None) -> None:
    """Also on the disk, before anything follows from it."""
    if entry is None:
        entries.pop(name, None)
    else:
        entries[name] = entry
    path = f"{root}/{PRIVATE}/{users.LOGINS}"
    fresh = path + ".new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        json.dump(entries, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(fresh, path)


def _open_lock(root: str, name: str) -> int:
    return os.open(f"{root}/{PRIVATE}/{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def _held(root: str, name: str) -> Iterator[None]:
    fd = _open_lock(root, name)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
