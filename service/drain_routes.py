"""POST /drain and GET /left, both with ?pool=POOL or for all pools: what `ebbtide down` asks of a server.

The first answers (with nothing) when the nodes have begun to leave; the second with what is left: {"nodes", "vms",
"silent"}: how many nodes the records have, the names of the VMs that are there, and, if a cloud does not tell, why.
Refusals are those of the Batch REST API.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pools import NodeDeallocationOption, PoolError
from providers import ProviderError
from runner import Drain

from .api import errors
from .api.call import base_url
from .api.errors import ApiError
from .api.gates import Gate
from .api.operations import Operation
from .ids import new_request_id

if TYPE_CHECKING:
    from .controller import Controller

#: Seconds that the engine may take to begin.
_PATIENCE = 60.0
#: What somebody must be allowed who asks for either: even to look is to ask clouds, and tidies up there.
_DRAIN = Operation("service.drain", "POST", "/drain", 204)


def routes(controller: Controller, gate: Gate) -> list[BaseRoute]:
    async def drain(request: Request) -> Response:
        answer = controller.engine.request(Drain(NodeDeallocationOption.REQUEUE, request.query_params.get("pool")))
        try:
            await run_in_threadpool(answer.result, _PATIENCE)
        except PoolError as exc:
            raise errors.refused(exc) from None
        except TimeoutError:
            raise ApiError("ServerBusy", "the server was asked, and has not begun yet; ask again") from None
        return Response(status_code=204)

    async def left(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(_left, controller, request.query_params.get("pool")))

    def guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                gate(request.scope, dict(request.headers), _DRAIN, {})
                request.scope["ebbtide.known"] = True  # see network_protocol.KNOWN
                return await handler(request)
            except ApiError as error:
                return _refusal(request, error, controller.now())

        return answer

    return [
        Route("/drain", guarded(drain), methods=["POST"]),
        Route("/left", guarded(left), methods=["GET"]),
    ]


def _refusal(request: Request, error: ApiError, now: float) -> Response:
    base = base_url(request.scope["scheme"], dict(request.headers), request.scope.get("server"))
    content = errors.body(error, base, new_request_id(), now)
    return Response(content, error.status, media_type="application/json;odata=minimalmetadata")


def _left(controller: Controller, pool: str | None) -> dict[str, Any]:
    nodes = controller.journal.nodes()
    ours = [node.vm_name for node in nodes if pool in (None, node.pool_id)]
    others = {node.vm_name for node in nodes} - set(ours)
    silent = None
    if not ours:  # the clouds have the last word
        try:
            ours = [name for name in controller.left_over() if name not in others]
        except ProviderError as exc:
            silent = str(exc)
    return {"nodes": sum(pool in (None, node.pool_id) for node in nodes), "vms": ours, "silent": silent}
