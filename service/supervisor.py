"""What systemd is told of a service (sd_notify(3)): nothing, if it was not systemd that started it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def notify(words: str, environment: Mapping[str, str] = os.environ) -> None:
    """`READY=1`, `STOPPING=1`, `STATUS=...`, a line each."""
    path = environment.get("NOTIFY_SOCKET", "")
    if not path.startswith(("/", "@")):
        return
    where = "\0" + path[1:] if path.startswith("@") else path
    # whoever does not listen loses nothing but that
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.sendto(words.encode(), where)


def is_logged(descriptor: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Does what is written there go to the journal, where others may read it?"""
    try:
        stat = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"
