"""One agent per node root: the newer one ends the older one."""

from __future__ import annotations

import fcntl
import os
import time

from . import PRIVATE, processes

PATIENCE = 10.0


def hold_root(root: str, name: str = "lock") -> int:
    """A descriptor that holds the root's lock. The agent that held it before is killed, which costs nothing. `name`:
    of another lock, for another part of the agent.

    Raises TimeoutError when it cannot be had in 10 seconds.
    """
    fd = os.open(f"{root}/{PRIVATE}/{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            pass
        if time.monotonic() > until:
            raise TimeoutError(f"an older agent keeps {root} locked and cannot be ended")
        pid = int(os.pread(fd, 20, 0).strip() or b"0")
        if pid > 1:
            processes.end([pid])
        time.sleep(0.005)
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return fd


def boot_id() -> str:
    """Changes when the machine starts anew. A machine that is a process says itself when it started; what it says is
    taken out of the environment, and no task finds it there."""
    if own := os.environ.pop("EBBTIDE_BOOT", ""):
        return own
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
