"""The HTTP side of the controller: one application for people on this machine, one for what runs on nodes.

Route modules (`storage_routes`, `file_routes`, ...) have `routes(controller) -> list[BaseRoute]`. Their endpoints ask
`callers.caller(request)` who is asking.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from runner import STORAGE

from . import file_routes, gc_routes, node_routes, request_routes, storage_routes
from .callers import OnlyWithCredential
from .web_errors import HANDLERS

if TYPE_CHECKING:
    from .controller import Controller


def application(controller: Controller) -> Starlette:
    """For the Unix socket: whoever may open it (mode 600) may do everything."""
    modules = (storage_routes, file_routes, gc_routes, request_routes, node_routes)
    return _application([_health(controller), *(route for module in modules for route in module.routes(controller))])


def node_application(controller: Controller) -> Starlette:
    """For connections that nodes forward: anybody on a node can make one.

    The storage routes check signatures of URLs themselves; everything else needs a credential of a task.
    """
    made = _application([_health(controller), *storage_routes.routes(controller)])
    made.add_middleware(OnlyWithCredential, controller=controller, free=("/health", STORAGE))
    return made


def _application(routes: list[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers=HANDLERS)


def _health(controller: Controller) -> Route:
    async def health(request: Request) -> JSONResponse:
        found: dict[str, object] = {"deployment": controller.deployment.id, "version": version("ebbtide")}
        if "ebbtide.node" in request.scope:
            scope = request.scope.get("ebbtide.scope")
            return JSONResponse(found | ({"jobId": scope.job_id} if scope is not None else {}))
        return JSONResponse(found | {"pid": os.getpid()})

    return Route("/health", health, methods=["GET"])
