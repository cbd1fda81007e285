"""Reaching a port on a machine that may be starting just now."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable

#: Seconds between two tries, at first; later a fifth of the time that has passed, so that no more than that is lost.
SHORTEST_PAUSE = 0.05
#: Seconds that a new connection may be silent before another is made, at first.
FIRST_PATIENCE = 1.0
_UNDER_WAY = (0, errno.EINPROGRESS)


def dial(address: str, port: int, timeout: float, gone: Callable[[], bool]) -> socket.socket:
    """A connected, blocking socket. Tries for `timeout` seconds, or until `gone()`. Raises OSError.

    A machine that boots drops what comes too early, and TCP would ask again only after 1, 3 and 7 seconds; then its
    port refuses. So new tries are made while the first one, which may have a long way to go, goes on.
    """
    places = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    begun = time.monotonic()
    tries = _Tries()
    try:
        for number in range(1 << 30):
            tries.begin(places[number % len(places)])
            passed = time.monotonic() - begun
            pause = min(max(SHORTEST_PAUSE, passed / 5), timeout - passed)
            connected = tries.wait(pause)
            if connected is not None:
                return connected
            if gone() or time.monotonic() - begun >= timeout:
                break
        raise tries.error
    finally:
        tries.close()


def await_word(sock: socket.socket, timeout: float, gone: Callable[[], bool]) -> bool:
    """True when the other side has said something (an SSH server speaks first), False when it has hung up.

    Raises TimeoutError.
    """
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    until = time.monotonic() + timeout
    while not poll.poll(1000 * min(1.0, max(0.0, until - time.monotonic()))):
        if gone() or time.monotonic() >= until:
            raise TimeoutError("it takes connections, and says nothing")
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except ConnectionError:
        return False


def greeted(
    sock: socket.socket, reach: Callable[[], socket.socket], timeout: float, gone: Callable[[], bool]
) -> socket.socket:
    """The connection over which the other side has spoken: `sock`, or a later one that `reach` makes. Raises OSError.

    What stands before a machine (a forwarded port) may take connections while the machine does not, and lose them: one
    that stays silent is replaced, at ever longer intervals. So is one that is hung up, as by an sshd that begins anew.
    """
    begun = time.monotonic()
    patience = FIRST_PATIENCE
    try:
        while True:
            left = begun + timeout - time.monotonic()
            try:
                if await_word(sock, min(patience, left), gone):
                    return sock
                pause = max(SHORTEST_PAUSE, (time.monotonic() - begun) / 5)
                if gone() or pause >= left:
                    raise ConnectionError("it takes connections, and hangs up")
                time.sleep(pause)
            except TimeoutError:
                if gone() or patience >= left:
                    raise
                patience *= 2
            sock.close()
            sock = reach()
    except BaseException:
        sock.close()
        raise


class _Tries:
    """The oldest and the newest one under way."""

    def __init__(self) -> None:
        self.error: OSError = TimeoutError("timed out")
        self._sockets: list[socket.socket] = []

    def begin(self, place: tuple[int, int, int, str, tuple[object, ...]]) -> None:
        for old in self._sockets[1:]:
            self._drop(old)
        family, kind, protocol, _, where = place
        try:
            sock = socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol)
        except OSError as error:
            self.error = error
            return
        self._sockets.append(sock)
        code = sock.connect_ex(where)
        if code not in _UNDER_WAY:
            self._failed(sock, code)

    def wait(self, seconds: float) -> socket.socket | None:
        """The first that is connected."""
        until = time.monotonic() + seconds
        while True:
            poll = select.poll()
            for sock in self._sockets:
                poll.register(sock, select.POLLOUT)
            ready = {fd for fd, _ in poll.poll(max(0.0, 1000 * (until - time.monotonic())))}
            for sock in [sock for sock in self._sockets if sock.fileno() in ready]:
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    self._sockets.remove(sock)
                    sock.setblocking(True)
                    return sock
                self._failed(sock, code)
            if time.monotonic() >= until:
                return None

    def _failed(self, sock: socket.socket, code: int) -> None:
        self.error = OSError(code, os.strerror(code))
        self._drop(sock)

    def _drop(self, sock: socket.socket) -> None:
        self._sockets.remove(sock)
        sock.close()

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()
