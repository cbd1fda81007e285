"""The process that is a local node: `python -m providers.local.node DIRECTORY`.

It lives until it is killed, told to end (SIGTERM), or no controller has spoken to it for its idle time-out.
Its end is the machine's end: every command holds the reading end of a pipe (its number is in
EBBTIDE_LIFELINE_FD) whose only writing end lives here, and end-of-file on it means that the machine has died.

On standard output it says one line of JSON when it listens or why it cannot, and then closes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .. import clock
from ..processes import MARKER, boot_id, look_up
from ..sweep import end_all
from .record import (
    KEY_FILE,
    LOCK_FILE,
    NODE_FILE,
    REBOOT_FILE,
    VM_FILE,
    NodeRecord,
    RebootRecord,
    VmRecord,
    read,
    write,
)

if TYPE_CHECKING:
    from .session import Session

LIFELINE = "EBBTIDE_LIFELINE_FD"
BOOT = "EBBTIDE_BOOT"

_LOGIN_GRACE = 30.0  # seconds that a client may take to prove who it is
_LOOK = 1.0  # seconds between two looks whether those who log in beside the controller are users still
_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")


class _Ended(Exception):
    """The node is to end, and why."""


def main(arguments: list[str]) -> None:
    path = Path(arguments[0])
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # a background shell ignores some, and commands would inherit that
    signal.signal(signal.SIGTERM, _on_term)
    os.setsid()
    os.umask(0o022)
    try:
        _live(path)
    except OSError as exc:
        _say({"errno": exc.errno, "error": exc.strerror, "file": exc.filename})
        raise


def _live(path: Path) -> None:
    vm, lock = _claim(path)
    if vm is None:
        _say({"listening": False})
        return
    row = look_up(os.getpid())
    assert row is not None
    record = NodeRecord(row.id.pid, row.id.start, boot_id(), _user())
    write(path / NODE_FILE, record)  # early, so that this process can be found and killed from here on
    listener = _listen(path)
    try:
        reason = _serve(path, vm, record, listener)
    except _Ended as end:
        reason = str(end)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    listener.close()
    end_all(vm.name.__eq__)
    record = read(path / NODE_FILE, NodeRecord) or record
    write(path / NODE_FILE, replace(record, ended=reason))
    os.close(lock)
    os._exit(0)  # transport threads would only be waited for


def _listen(path: Path) -> socket.socket:
    """At the port of before, if the VM is rebooted and that can be had."""
    reboot = read(path / REBOOT_FILE, RebootRecord)
    for port in (reboot.port if reboot is not None else None, None):
        try:
            return socket.create_server(("127.0.0.1", port or 0), backlog=128)
        except OSError:
            if port is None:
                raise
    raise AssertionError("the last try either listens or raises")


def _claim(path: Path) -> tuple[VmRecord | None, int]:
    """The VM to be, and its lock; no VM if it was destroyed meanwhile, is being served, or had its life."""
    try:
        lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return None, -1
    if (path / NODE_FILE).exists():
        return None, lock
    return read(path / VM_FILE, VmRecord), lock


def _serve(path: Path, vm: VmRecord, record: NodeRecord, listener: socket.socket) -> str:
    """Serve until nobody has spoken for the idle time-out; returns that as the reason."""
    sys.modules["invoke"] = None  # type: ignore[assignment]  # paramiko's optional import; a third of its start-up time
    from .children import Children
    from .host_key import host_key as own_key
    from .host_key import parse_public
    from .logins import Logins
    from .session import Session

    lifeline, writer = os.pipe()
    del writer  # a plain number: the pipe's writing end stays open until this process is gone, and only here
    children = Children(_environment(path, vm, record, lifeline), str(path / "home"), lifeline)
    host_key, public = own_key(path / KEY_FILE)
    key = parse_public(vm.public_key)
    logins = Logins(path / "root", clock.now)
    write(path / NODE_FILE, replace(record, port=listener.getsockname()[1], host_key=public))
    (path / REBOOT_FILE).unlink(missing_ok=True)
    _say({"listening": True})

    sessions: list[Session] = []
    heard = time.monotonic()
    while True:
        heard = max([heard, *(when for session in sessions if (when := session.heard) is not None)])
        sessions = [session for session in sessions if _keep(session)]
        now = time.monotonic()
        if now >= heard + vm.idle_timeout:
            return f"no controller has spoken to it for {vm.idle_timeout:g} s"
        waits = [heard + vm.idle_timeout, *(s.born + _LOGIN_GRACE for s in sessions if not s.admitted)]
        waits += [now + _LOOK for session in sessions if session.heard is None]
        listener.settimeout(max(min(waits) - now, 0.001))
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        except OSError as exc:  # too many open files: those who are connected may go on
            print(f"cannot accept a connection: {exc}", file=sys.stderr, flush=True)
            time.sleep(0.1)
            continue
        session = Session(connection, host_key, record.user, key, children, logins)
        session.serve()
        sessions.append(session)


def _keep(session: Session) -> bool:
    """False for a connection that is over, or that did not log in in time, or whose user has gone (it is closed)."""
    if not session.is_alive():
        return False
    if not session.stands or (not session.admitted and time.monotonic() >= session.born + _LOGIN_GRACE):
        session.close()
        return False
    return True


def _environment(path: Path, vm: VmRecord, record: NodeRecord, lifeline: int) -> dict[str, str]:
    """A login's environment, as small as sshd's, plus what marks every descendant as this node's."""
    passed = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    user = record.user
    own = {"HOME": str(path / "home"), "USER": user, "LOGNAME": user, "SHELL": "/bin/sh"}
    own |= {MARKER: vm.name, LIFELINE: str(lifeline), BOOT: f"{record.boot_id}-{record.pid}-{record.start}"}
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", **passed, **own}


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user id without an entry, as containers have them
        return f"uid{os.getuid()}"


def _say(message: dict[str, object]) -> None:
    try:
        os.write(1, json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # whoever started this has gone; the files say the same
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _on_term(number: int, frame: object) -> NoReturn:
    raise _Ended("its process was told to end (SIGTERM)")


if __name__ == "__main__":
    main(sys.argv[1:])
