"""HTTP on a connection that a node forwards."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Server
from uvicorn.protocols.http.h11_impl import H11Protocol


class NodeProtocol(H11Protocol):
    """Tells the application which node is asking; and a client that has said all it has to say, but still listens,
    gets its answer."""

    def __init__(self, server: Server, application: ASGIApp, node_id: str) -> None:
        super().__init__(server.config, server.server_state, {})

        async def marked(scope: Scope, receive: Receive, send: Send) -> None:
            scope["ebbtide.node"] = node_id
            await application(scope, receive, send)

        self.app: Any = marked

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio's own signature
        """True: the connection stays open to write. The keep-alive time ends it after the answer."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete
