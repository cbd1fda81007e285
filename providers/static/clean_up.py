"""Removing a node's folder from a host, and ending who works in it. Runs on the host, like `on_host`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

from ..sweep import StubbornProcessesError


class MountedError(Exception):
    """Something is mounted below the folder."""


def end_those_in(root: str, within: float) -> int:
    """Kill this user's processes whose program or working directory lies in `root`, except those that have a
    terminal: somebody may look around there. These are what lost its mark *and* its parents (`env -i`, and then a
    daemon). Returns how many were killed. Raises StubbornProcessesError.
    """
    killed: set[int] = set()
    until = time.monotonic() + within
    while found := [pid for pid in _pids() if _works_in(pid, root)]:
        if time.monotonic() > until:
            pids = ", ".join(str(pid) for pid in sorted(found))
            raise StubbornProcessesError(f"processes {pids} do not end; end them by hand (kill -9)")
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # noqa: PERF203 - each has to be tried
                pass  # gone since, or it has become another user
        killed.update(found)
        time.sleep(0.005)
    return len(killed)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def _works_in(pid: int, root: str) -> bool:
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.geteuid():
            return False
        for link in ("cwd", "exe"):
            where = os.readlink(f"/proc/{pid}/{link}")
            if where == root or where.startswith(root + "/"):
                return not _has_terminal(pid)
    except OSError:  # gone, or a kernel thread, which has no program
        pass
    return False


def _has_terminal(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[4]) != 0


def remove_tree(root: str) -> None:
    """Raises MountedError, OSError."""
    for mounted in _mounts():
        if mounted.startswith(root + "/"):
            raise MountedError(f"{mounted} is mounted in the node's folder: unmount it (its files are left alone)")
    errors = _rm(root)
    if os.path.lexists(root):
        # a task may have made folders that not even their owner may change
        subprocess.run(
            ["chmod", "-R", "u+rwX", "--", root],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        errors = _rm(root)
    if os.path.lexists(root):
        raise OSError(errors or "rm left it")


def _rm(root: str) -> str:
    done = subprocess.run(["rm", "-rf", "--", root], check=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return done.stderr.decode("utf-8", "replace").partition("\n")[0]


def _mounts() -> list[str]:
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        fields = [line.split(" ") for line in file]
    return [re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), field[1]) for field in fields]
