"""HTTP on a connection that a node forwards."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Server
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds from the first moment until the head of a request is there.
HEAD = 20.0
#: In so many seconds at least so many bytes of a body come, or it is not awaited any more.
BODY, LEAST = 60.0, 6000


class NodeProtocol(H11Protocol):
    """Tells the application which node is asking; and a client that has said all it has to say, but still listens,
    gets its answer. One that says nothing, or so slowly that it only keeps others out, is cut off."""

    def __init__(self, server: Server, application: ASGIApp, node_id: str) -> None:
        super().__init__(server.config, server.server_state, {})
        self._timer: asyncio.TimerHandle | None = None
        #: what the timer is for: the cycle whose body comes, or None: the head of the next one
        self._awaited: Any = None
        self._received = 0

        async def marked(scope: Scope, receive: Receive, send: Send) -> None:
            scope["ebbtide.node"] = node_id
            await application(scope, receive, send)

        self.app: Any = marked

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._await(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        cycle: Any = self.cycle  # None before the first request
        if cycle is None or cycle.response_complete:
            if self._timer is None or self._awaited is not None:
                self._await(None)
        elif not cycle.more_body:
            self._cancel()
        elif self._awaited is not cycle:
            self._await(cycle)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio's own signature
        """True: the connection stays open to write. The keep-alive time ends it after the answer."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _await(self, cycle: Any) -> None:
        self._cancel()
        self._awaited, self._received = cycle, 0
        self._timer = self.loop.call_later(HEAD if cycle is None else BODY, self._late)

    def _late(self) -> None:
        self._timer = None
        cycle = self._awaited
        if cycle is not None:
            if cycle.response_complete or not cycle.more_body:
                return
            ours = self.flow.read_paused or self.conn.they_are_waiting_for_100_continue
            if ours or self._received >= LEAST:
                self._await(cycle)
                return
        self.transport.abort()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
