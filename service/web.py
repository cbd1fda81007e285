"""The HTTP side of the controller: what is served to people on this machine, to what runs on nodes, and to the network.

The Batch REST API is behind every path that is not one of ours. Route modules (`storage_routes`, ...) have
`routes(controller) -> list[BaseRoute]`; their endpoints ask `callers.caller(request)` who is asking.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runner import STORAGE

from . import drain_routes, gc_routes, node_routes, openapi, request_routes, storage_routes
from .api.accounts import Accounts
from .api.application import LARGEST_BODY, BatchApplication
from .api.backend import Backend
from .api.gates import AccountGate, Gate, TaskGate, open_gate
from .api.serving import handlers
from .callers import OnlyWithCredential
from .ids import new_request_id
from .web_errors import HANDLERS

if TYPE_CHECKING:
    from .controller import Controller


class Web:
    """What is served, and to whom."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._backend = Backend(controller)
        self._handlers = handlers(self._backend)

    def close(self) -> None:
        self._backend.close()

    def application(self) -> ASGIApp:
        """For the Unix socket: whoever may open it (mode 600) may do everything."""
        modules = (storage_routes, gc_routes, request_routes, node_routes)
        own = [route for module in modules for route in module.routes(self._controller)]
        own += drain_routes.routes(self._controller, open_gate)
        return self._beside(_application([_health(self._controller), *own]), self._batch(open_gate))

    def node_application(self) -> ASGIApp:
        """For connections that nodes forward: anybody on a node can make one.

        The storage routes check signatures of URLs themselves; everything else needs a credential of a task.
        """
        made = _application([_health(self._controller), *storage_routes.routes(self._controller)])
        made.add_middleware(OnlyWithCredential, controller=self._controller, free=("/health", STORAGE))
        return self._beside(made, self._batch(TaskGate(self._controller.access)))

    def network_application(self, accounts: Accounts, largest_body: int) -> ASGIApp:
        """For the network: accounts with their keys. `largest_body`: bytes."""
        gate = AccountGate(accounts.all, self._controller.now)
        health = Route("/healthz", self._healthz, methods=["GET"])
        routes = [health, _description(), *drain_routes.routes(self._controller, gate)]
        return self._beside(_application(routes), self._batch(gate, largest_body))

    def _batch(self, gate: Gate, largest_body: int = LARGEST_BODY) -> BatchApplication:
        return BatchApplication(self._handlers, gate, self._controller.now, new_request_id, largest_body)

    def _beside(self, own: Starlette, batch: BatchApplication) -> ASGIApp:
        """`own` for the paths that it has, and the Batch REST API for all others."""

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            ours = scope["type"] != "http" or any(
                route.matches(scope)[0] is not Match.NONE for route in own.routes
            )
            await (own if ours else batch)(scope, receive, send)

        return choose

    async def _healthz(self, request: Request) -> JSONResponse:
        """For those who watch the server, whoever they are: whether what is asked for can be recorded."""
        engine = self._controller.engine
        status = "stopping" if engine.stopping.is_set() else "ok" if engine.blocked is None else "waiting"
        return JSONResponse({"status": status}, 200 if status == "ok" else 503, {"Cache-Control": "no-store"})


def _application(routes: list[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers=HANDLERS)


def _description() -> Route:
    """Of the API in OpenAPI; it tells nothing of this deployment. In a thread: it is made when first asked for."""

    def describe(request: Request) -> Response:
        return Response(openapi.description(), media_type="application/json")

    return Route(openapi.PATH, describe, methods=["GET"])


def _health(controller: Controller) -> Route:
    async def health(request: Request) -> JSONResponse:
        found: dict[str, object] = {"deployment": controller.deployment.id, "version": version("ebbtide")}
        if "ebbtide.node" in request.scope:
            scope = request.scope.get("ebbtide.scope")
            return JSONResponse(found | ({"jobId": scope.job_id} if scope is not None else {}))
        return JSONResponse(found | {"pid": os.getpid()})

    return Route("/health", health, methods=["GET"])
