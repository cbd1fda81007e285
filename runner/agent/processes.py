"""Finding and ending processes through /proc."""

from __future__ import annotations

import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36
PR_SET_NAME = 15
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
EXEC_PATIENCE = 1.0  # seconds that an exec may take until it is passed over


def load_ctypes() -> None:
    """Once, before any number of supervisors is forked: each would take some milliseconds for it."""
    try:
        import ctypes

        ctypes.CDLL(None)
    except (ImportError, OSError):
        pass  # see become_subreaper


def become_subreaper(name: str) -> bool:
    """Orphaned descendants become children of this process, so that none escapes by a double fork.

    False where Python has no ctypes: descendants are then found by their environment marker only.
    """
    try:
        import ctypes

        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # rights that other users would inherit
        return bool(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(of: int) -> list[int]:
    """All descendants of a process, zombies too."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        fields = _stat(pid)
        if fields:  # else gone in the meantime
            children.setdefault(int(fields[1]), []).append(pid)
    found: list[int] = []
    todo = [of]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def marked(marker: str) -> list[int]:
    """Processes whose environment at their start held `marker` (`NAME=value`), as far as we may read it."""
    needle = b"\0" + os.fsencode(marker) + b"\0"
    todo = [pid for pid in _pids() if pid != os.getpid()]
    found = []
    until = time.monotonic() + EXEC_PATIENCE
    while True:
        unsettled = []
        for pid in todo:
            environment = _environment(pid)
            if needle in b"\0" + environment + b"\0":
                found.append(pid)
            elif not environment and _in_exec(pid):
                unsettled.append(pid)
        if not unsettled or time.monotonic() > until:
            return found
        time.sleep(0.002)
        todo = unsettled


def _in_exec(pid: int) -> bool:
    """Whether an environment that read empty may yet be there: in the middle of an exec it is not set up.

    Kernel threads and zombies have no memory at all, and one that is empty has its place nevertheless.
    """
    fields = _stat(pid)
    if len(fields) < 49:
        return False
    memory, start, end = int(fields[20]), int(fields[47]), int(fields[48])
    return memory > 0 and (not end or start < end)


def alive(pid: int) -> bool:
    """False for a zombie. A killed process is alive until the kernel has closed its files, ports and locks."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in (b"Z", b"X")


def stopped(pid: int) -> bool:
    """By SIGSTOP or its like; a debugger's is another state."""
    return _stat(pid)[:1] == [b"T"]


def _stat(pid: int) -> list[bytes]:
    """What follows the name in /proc/PID/stat; nothing for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def _environment(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b"-"  # gone, or another user's


def end(pids: list[int], signum: int = signal.SIGKILL) -> None:
    """Signals each; those that are gone or not ours are passed over."""
    for pid in pids:
        try:
            os.kill(pid, signum)
        except (ProcessLookupError, PermissionError):  # noqa: PERF203 - each has to be tried
            pass


def end_group(pid: int, signum: int) -> None:
    """Signals the process group that `pid` leads, if there is one left."""
    try:
        os.killpg(pid, signum)
    except (ProcessLookupError, PermissionError):
        pass


def close_inherited(keep: set[int]) -> None:
    """Closes every descriptor above 2 that is not in `keep`."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd not in keep:
            try:
                os.close(fd)
            except OSError:
                pass  # the one that listdir itself used
