"""A terminal for somebody who has logged in to a local node."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import threading
from collections.abc import Callable

#: Seconds between two looks whether the command has ended: what it left in the background may hold the terminal.
_LOOK = 0.2
#: Seconds to wait for a command that has yet to open its terminal, or has closed it and goes on.
_PAUSE = 0.02
_CHUNK = 1 << 16


class Terminal:
    """As a client has asked for it; it exists from `open` on. Sizes are in characters."""

    def __init__(self, kind: str, width: int, height: int) -> None:
        self.kind = kind
        self._size = (width, height)
        self._master = -1

    def open(self, uid: int | None) -> tuple[str, int]:
        """Its path, and a descriptor of the side of the command, which the caller closes when that runs. `uid`: whose
        it is. Raises OSError."""
        self._master, side = os.openpty()
        os.set_inheritable(self._master, False)
        if uid is not None:
            os.fchown(side, uid, -1)
        self.resize(*self._size)
        return os.ttyname(side), side

    def resize(self, width: int, height: int) -> None:
        self._size = (width, height)
        if self._master >= 0:
            size = struct.pack("HHHH", min(height, 0xFFFF), min(width, 0xFFFF), 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def feed(self, data: bytes) -> None:
        """What the user types. Raises OSError."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._master, view) :]

    def pump(self, send: Callable[[bytes], None], ended: threading.Event) -> None:
        """Pass on what is shown, until the command has ended and all of it is sent. Raises OSError if the client has
        gone."""
        while True:
            over = ended.is_set()
            if select.select([self._master], [], [], 0.0 if over else _LOOK)[0]:
                try:
                    data = os.read(self._master, _CHUNK)
                except OSError:  # nobody holds the other side: not yet, or not any more
                    if over:
                        return
                    ended.wait(_PAUSE)
                    continue
                send(data)
            elif over:
                return

    def close(self) -> None:
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
