"""HTTP on a connection from the network: what a client may take of time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

#: What an application adds to the scope of a request that somebody has signed who may.
KNOWN = "ebbtide.known"
#: Seconds from the first moment, or the first byte, until the head of a request is there; and bytes of it at most.
HEAD, LARGEST_HEAD = 20.0, 64 * 1024
#: In so many seconds at least so many bytes of a body come, or it is not awaited any more.
BODY, LEAST = 60.0, 6000
#: Seconds in which something of an answer must be taken.
STALL = 60.0
#: Seconds in which the rest of a body may come that nobody wants any more: who is cut off sooner misses the answer.
LINGER = 10.0
#: Seconds that a connection may stay between two requests.
KEEP = 60


class NetworkProtocol(HttpToolsProtocol):
    """`opened` and `lost` are told of its beginning and end. Whoever made it asks `overdue` from time to time."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        opened: Callable[[NetworkProtocol], None],
        lost: Callable[[NetworkProtocol], None],
    ) -> None:
        super().__init__(config, state, {})
        self._opened = opened
        self._lost = lost
        #: when the client began to owe the head of a request, or (quiet) when it had its last answer
        self._since = self.loop.time()
        self._quiet = False
        #: of the head that comes: whether one is to come, whether it has begun, and its bytes so far
        self._in_head, self._half, self._head = True, False, 0
        #: whether the end of one was in what came last
        self._head_came = False
        #: of the body that comes: since when its bytes are counted, and how many there were
        self._window, self._received = self._since, 0
        #: of the answer that goes: what was left of it, and since when it has not become less
        self._unsent, self._moved = 0, self._since
        self._refused = False
        #: it has shown a key that is good (the application says so in the scope)
        self.known = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._quiet:
            self._quiet, self._since = False, self.loop.time()
        self._received += len(data)
        before, self._head_came = self._in_head, False
        super().data_received(data)
        # a request may come whole, with its body: then it is in the head of the next one already
        if before and self._in_head and not self._head_came:
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        self._half = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._half, self._head, self._head_came = False, False, 0, True
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self._window, self._received = self.loop.time(), 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head = True
        if self._refused:
            return
        if self.cycle.response_complete:
            # what was still to come of its body has come; uvicorn's own would not note it
            self.cycle.more_body = False
            self._quiet, self._since = True, self.loop.time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.known |= KNOWN in self.cycle.scope
        super().on_response_complete()
        self._quiet, self._since = not self._half, self.loop.time()

    def resume_writing(self) -> None:
        self._moved = self.loop.time()
        super().resume_writing()

    def waiting_since(self) -> float | None:
        """When the client was last heard of, if nothing is done for it at present."""
        return None if self._works else self._since

    def overdue(self, now: float) -> bool:
        """Does the client only keep others out? Ask every second or so."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent < self._unsent:
            self._moved = now
        self._unsent = unsent
        if unsent:
            return now - self._moved > STALL
        if self.transport.is_closing():
            return False
        if not self._works:
            if self._begun and self.cycle.more_body:
                return now - self._since > LINGER
            return not self._quiet and now - self._since > HEAD
        if not self.cycle.more_body or self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._window, self._received = now, 0
        elif now - self._window > BODY:
            slow = self._received < LEAST
            self._window, self._received = now, 0
            return slow
        return False

    @property
    def _works(self) -> bool:
        """A request is being answered, or its body comes."""
        return self._begun and not self.cycle.response_complete

    @property
    def _begun(self) -> bool:
        """There has been a request."""
        cycle: object = self.cycle  # None before, whatever uvicorn calls its type
        return cycle is not None

    def _refuse(self, status: HTTPStatus) -> None:
        self._refused = True
        if self._works:  # an answer is under way, and no other may come between
            self.transport.abort()
            return
        head = f"HTTP/1.1 {status} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()
