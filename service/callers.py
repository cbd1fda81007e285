"""Who asks something of the HTTP side: somebody on this machine, or a task on a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from runner import CredentialError, Scope

from .web_errors import told

if TYPE_CHECKING:
    from .controller import Controller


@dataclass(frozen=True, slots=True)
class Caller:
    """`node_id`: the node that the request was forwarded from; None: somebody who may open the controller's socket.
    `scope`: what the credential shown is good for; None: none was shown (or none is needed)."""

    node_id: str | None
    scope: Scope | None


def caller(request: Request) -> Caller:
    return Caller(request.scope.get("ebbtide.node"), request.scope.get("ebbtide.scope"))


class OnlyWithCredential:
    """Middleware: lets requests through that show a credential of a task which runs on the node they come from.

    Paths that begin with one of `free` need none; a wrong one is refused there too, unless the path checks credentials
    of its own (signed URLs).
    """

    def __init__(self, app: ASGIApp, controller: Controller, free: tuple[str, ...]) -> None:
        self._app = app
        self._controller = controller
        self._free = free

    async def __call__(self, connection: Connection, receive: Receive, send: Send) -> None:
        if connection["type"] == "http":
            request = Request(connection)
            shown = request.headers.get("authorization", "")
            free = any(connection["path"] == path or connection["path"].startswith(path + "/") for path in self._free)
            if shown:
                try:
                    connection["ebbtide.scope"] = self._controller.access.scope(
                        connection["ebbtide.node"],
                        shown,
                        request.method,
                        connection["raw_path"].decode("latin-1"),
                        connection["query_string"].decode("latin-1"),
                        request.headers,
                    )
                except CredentialError as error:
                    await told(403, "AuthenticationFailed", str(error))(connection, receive, send)
                    return
            elif not free:
                answer = told(
                    401,
                    "AuthenticationFailed",
                    "show the token of the task (Authorization: Bearer $AZ_BATCH_AUTHENTICATION_TOKEN) or sign the "
                    "request with $EBBTIDE_ACCOUNT_KEY (SharedKey); only job manager tasks and tasks with "
                    "authenticationTokenSettings have them",
                    {"WWW-Authenticate": "Bearer"},
                )
                await answer(connection, receive, send)
                return
        await self._app(connection, receive, send)
