"""Takes connections from the network: as many as may be, and one that keeps others out makes room."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from asyncio import sslproto
from collections.abc import Callable
from contextlib import suppress

from uvicorn import Config
from uvicorn.server import ServerState

from .network_protocol import NetworkProtocol

log = logging.getLogger(__name__)

#: Bytes that asyncio holds ready for what comes over a connection with TLS, for as long as that lives: its own 256 KiB
#: are 250 MB for a thousand clients that say nothing.
_BUFFER = 32 * 1024
#: Seconds that the handshake of TLS may take, and its farewell.
_HANDSHAKE, _FAREWELL = 10.0, 5.0
#: Seconds between two looks at who is overdue, and between two looks for room.
_SWEEP, _PAUSE = 1.0, 0.02
#: Seconds before connections are taken again after the system had no descriptor left.
_STARVED = 1.0


class NetworkDoor:
    """In an event loop. `state`: where connections are kept for the end of the server. `most`: connections at a time.
    `broken` is called when it cannot go on."""

    def __init__(
        self,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        config: Config,
        state: ServerState,
        most: int,
        broken: Callable[[], None],
    ) -> None:
        sslproto.SSLProtocol.max_size = _BUFFER  # nothing else here speaks TLS by asyncio
        self._listener = listener
        self._tls = tls
        self._config = config
        self._state = state
        self._most = most
        self._broken = broken
        self._open: set[NetworkProtocol] = set()
        #: handshakes, the oldest first, with sockets that nobody else closes yet
        self._taking: dict[asyncio.Task[None], socket.socket | None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._starved = False

    async def open(self) -> None:
        self._listener.setblocking(False)
        for work in (self._accept(), self._sweep()):
            task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def close(self, grace: float) -> int:
        """Take nobody any more, and let answers under way end, for so many seconds; how many were cut off."""
        accepting = self._tasks[:1]
        for task in (*accepting, *self._taking):
            task.cancel()
        await asyncio.gather(*accepting, return_exceptions=True)  # it watches the listener
        self._listener.close()
        for connection in list(self._open):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._open or self._taking:
                    await asyncio.sleep(_PAUSE)
        left = list(self._open)
        for connection in left:
            connection.transport.abort()
        for task in self._tasks:
            task.cancel()
        return len(left)

    # -- taking --------------------------------------------------------------------------------------------------

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock = await self._next()
            except OSError as error:
                await self._starve(error)
                continue
            self._starved = False
            try:
                while len(self._open) + len(self._taking) >= self._most and not self._make_room():
                    await asyncio.sleep(_PAUSE)
            except asyncio.CancelledError:
                sock.close()
                raise
            task = loop.create_task(self._take(sock))
            self._taking[task] = sock
            task.add_done_callback(self._taken)

    async def _next(self) -> socket.socket:
        """Who comes next. `loop.sock_accept` would let somebody in, and complain, who comes as it is cancelled. Raises
        OSError."""
        loop = asyncio.get_running_loop()
        while True:
            with suppress(BlockingIOError, InterruptedError):
                return self._listener.accept()[0]
            come = asyncio.Event()
            loop.add_reader(self._listener, come.set)
            try:
                await come.wait()
            finally:
                loop.remove_reader(self._listener)

    async def _starve(self, error: OSError) -> None:
        """No descriptor is left, for one; somebody who waits in vain for a client may leave one."""
        if not self._starved:
            log.warning("connections cannot be taken at present: %s", error)
        self._starved = True
        self._make_room()
        await asyncio.sleep(_STARVED)

    async def _take(self, sock: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._taking[task] = None
        made = NetworkProtocol(self._config, self._state, self._open.add, self._open.discard)
        limits = {} if self._tls is None else {"ssl_handshake_timeout": _HANDSHAKE, "ssl_shutdown_timeout": _FAREWELL}
        try:
            # asyncio does that only for sockets that it has made: without, the body of an answer waits for the client
            # to acknowledge its head, and that takes 40 ms
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: made, sock, ssl=self._tls, **limits)
        except OSError:  # of TLS, too: it speaks something else, or has hung up
            sock.close()

    def _taken(self, task: asyncio.Task[None]) -> None:
        sock = self._taking.pop(task, None)
        if sock is not None:  # it was cut off before it began
            sock.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a connection could not be taken", exc_info=error)

    def _make_room(self) -> bool:
        """Cut off the one that has been waited for longest: first of those that have shown no key, then of those in a
        handshake, and of others last. False: all are at work."""
        waits = [each for each in self._open if each.waiting_since() is not None]
        if strangers := [each for each in waits if not each.known]:
            self._cut_off(strangers)
            return True
        for task in self._taking:
            if not task.cancelling():
                return task.cancel()
        if waits:
            self._cut_off(waits)
        return bool(waits)

    def _cut_off(self, waits: list[NetworkProtocol]) -> None:
        longest = min(waits, key=lambda each: each.waiting_since() or 0.0)
        self._open.discard(longest)
        longest.transport.abort()

    # -- looking after them ----------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP)
            for connection in [each for each in self._open if each.overdue(loop.time())]:
                connection.transport.abort()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("nobody can connect any more", exc_info=task.exception())
            self._broken()
