"""What serves on a host of the inventory while a controller is connected to it: a JSON line in, a JSON line out.

It is sent over the connection and leaves nothing installed. Standard library only, Python 3.8 or later.

The lease of an account on a host is one file in its home directory, made by a hard link, which one of several can
make. It comes before everything else that a node leaves on the host and goes after all of it:

    ~/.ebbtide/lease.json     whose VM this is: what was asked for, and where its things are
    ~/.ebbtide/enter          the one command that the deployment's key may start; it marks what it starts
    ~/.ssh/authorized_keys    a line for that key, with the comment `ebbtide:<vm name>`
    <nodeRoot>/<vm name>      the node's files
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shlex
import sys
import time
from contextlib import contextmanager

from ..clock import now
from ..processes import MARKER
from ..sweep import StubbornProcessesError, end_all
from .clean_up import MountedError, end_those_in, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Message = dict[str, Any]

_OURS = re.compile(rb"\sebbtide:\S+\s*$")
_NEW = ".ebbtide.new"
_LOCK_WITHIN = 20.0  # seconds: what another controller does here takes less, or this one is asked again
_SWEEP_WITHIN = 10.0  # seconds

_ENTER = """\
#!/bin/sh
# Whatever comes in by the key of this lease carries its mark, by which it is found and ended.
if [ "${mark}" != {name} ]; then
  {mark}={name}; export {mark}
  exec /bin/sh "$0"
fi
[ -e "$0" ] || exit 75  # the lease has ended since; looked at only now that this process is marked
[ -n "$SSH_ORIGINAL_COMMAND" ] || exec "${{SHELL:-/bin/sh}}" -l
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


class RefusedError(Exception):
    """The host cannot serve; the text says why."""


class BusyError(Exception):
    """Another controller is at work on this account."""


def home() -> str:
    return os.environ.get("HOME") or os.path.expanduser("~")


def _own(name: str = "") -> str:
    return os.path.join(home(), ".ebbtide", name)


def _machine() -> str:
    try:
        with open("/etc/machine-id", encoding="ascii") as file:
            return file.read().strip() or os.uname().nodename
    except (OSError, ValueError):
        return os.uname().nodename


def read_lease() -> Message | None:
    """The lease of this account; `{"damaged": True}` for a file that nobody can read."""
    try:
        with open(_own("lease.json"), encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {"damaged": True}
    return found if isinstance(found, dict) and "name" in found else {"damaged": True}


@contextmanager
def _locked() -> Iterator[None]:
    """One at a time on this account. The kernel gives the lock back, however its holder ends."""
    os.makedirs(_own(), 0o700, exist_ok=True)
    fd = os.open(_own("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _LOCK_WITHIN
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
                if time.monotonic() > until:
                    raise BusyError("another controller is at work on this account") from error
                time.sleep(0.02)
        yield
    finally:
        os.close(fd)


def look(request: Message) -> Message:
    """What this host is and has, and its lease. Changes nothing."""
    root = os.path.join(home(), request["root"])
    there = _nearest(root)
    keys = os.path.realpath(os.path.join(home(), request["keys"]))
    problem = None
    for path in (there, _nearest(_own()), _nearest(os.path.dirname(keys))):
        if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
            problem = f"{path} is no folder in which this user may write"
    disk = os.statvfs(there)
    place = os.stat(home())
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) // 1024
    return {
        "time": now(),
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "cpus": os.cpu_count() or 1,
        "memory": memory,
        "free": disk.f_bavail * disk.f_frsize,
        "machine": _machine(),
        "account": f"{_machine()} {place.st_dev}:{place.st_ino}",  # two that are equal share their lease
        "problem": problem,
        "lease": read_lease(),
    }


def _nearest(path: str) -> str:
    """`path`, or the nearest folder above that exists."""
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    return path


def lease(request: Message) -> Message:
    """Lease this account to the VM of `request`, or finish what was begun for it. Raises RefusedError, OSError."""
    wanted = dict(request["lease"])
    wanted["root"] = os.path.join(home(), request["root"], wanted["name"])
    wanted["keys"] = os.path.realpath(os.path.join(home(), request["keys"]))
    wanted["machine"] = _machine()
    with _locked():
        found = read_lease()
        if found is None:
            _write_new(_own("lease.json"), json.dumps(wanted))
            found = read_lease()
        if not _is(found, wanted):
            return {"taken": found}
        assert found is not None
        try:
            _prepare(found, request["public_key"])
        except OSError as error:
            _forget(found)
            raise RefusedError(f"{error.filename or found['root']}: {os.strerror(error.errno or 0)}") from error
        return {"lease": found}


def _is(found: Message | None, wanted: Message) -> bool:
    return found is not None and all(found.get(key) == wanted[key] for key in ("name", "deployment"))


def _prepare(lease: Message, public_key: str) -> None:
    os.makedirs(lease["root"], 0o755, exist_ok=True)
    text = _ENTER.format(mark=MARKER, name=shlex.quote(lease["name"]))
    _replace(_own("enter"), text.encode(), 0o600)
    command = f"/bin/sh {shlex.quote(_own('enter'))}".replace('"', '\\"')
    # `restrict` forbids forwarding and the like; the first line with a key is the one that counts
    line = f'restrict,pty,command="{command}" {public_key} ebbtide:{lease["name"]}\n'
    _edit_keys(lease["keys"], line.encode())


def release(request: Message) -> Message:
    """End the VM and remove what it left, the lease last. Raises RefusedError; then the lease stays."""
    name = request["name"]
    asked = {"name": name, "deployment": request["deployment"]}
    with _locked():
        found = read_lease()
        mine = _is(found, asked)
        if found is not None and mine:
            asked = found
        else:  # perhaps it was never made; whatever there is by that name goes all the same
            asked["root"] = os.path.join(home(), request["root"], name)
            asked["keys"] = os.path.realpath(os.path.join(home(), request["keys"]))
        ended = _forget(asked, whole=mine or found is None)
    return {"ended": ended}


def _forget(lease: Message, whole: bool = True) -> int:
    """`whole`: nobody else has the lease, so the key and the way in are this VM's too."""
    if whole:
        _remove(_own("enter"))
        for name in os.listdir(_own()):
            if name.endswith(".new"):  # of one who was killed
                _remove(_own(name))
        _edit_keys(lease["keys"], None)
    root = lease["root"]
    if os.path.basename(root) != lease["name"] or not os.path.isabs(root):
        raise RefusedError(f"the lease names {root!r} as the VM's folder, which is not one of ours: look into it")
    try:
        ended = end_all(lease["name"].__eq__, within=_SWEEP_WITHIN)
        ended += end_those_in(root, within=_SWEEP_WITHIN)
        remove_tree(root)
    except (StubbornProcessesError, MountedError) as error:
        raise RefusedError(str(error)) from error
    except OSError as error:
        raise RefusedError(f"{root} cannot be removed: {error}; remove it by hand") from error
    if whole:
        _remove(_own("lease.json"))
    return ended


def _edit_keys(path: str, line: bytes | None) -> None:
    """Take our lines out of authorized_keys, and put `line` before all others."""
    try:
        with open(path, "rb") as file:
            before = file.read()
            mode = os.fstat(file.fileno()).st_mode & 0o777
    except FileNotFoundError:
        before, mode = b"", 0o600
    _remove(path + _NEW)
    kept = [each for each in before.splitlines(True) if not _OURS.search(each)]
    after = b"".join([line, *kept] if line is not None else kept)
    if after != before:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        _replace(path, after, mode)


def _replace(path: str, data: bytes, mode: int) -> None:
    """In one step, and before the machine can lose power."""
    new = path + _NEW
    _remove(new)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, mode)
        file.write(data)
        file.flush()
        os.fsync(fd)
    os.rename(new, path)


def _write_new(path: str, text: str) -> None:
    """The file, whole, unless there is one."""
    new = f"{path}.{os.getpid()}.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(new)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def main() -> None:
    """Answers until the connection ends."""
    calls = {"look": look, "lease": lease, "release": release}
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            answer = calls[request["op"]](request)
        except RefusedError as error:
            answer = {"refused": str(error)}
        except BusyError as error:
            answer = {"busy": str(error)}
        except OSError as error:
            answer = {"refused": str(error)}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
