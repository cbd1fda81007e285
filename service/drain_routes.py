"""POST /drain and GET /left, both with ?pool=POOL or for all pools: what `ebbtide down` asks of a server.

The first answers (with nothing) when the nodes have begun to leave; the second with what is left: {"nodes", "vms",
"silent"}: how many nodes the records have, the names of the VMs that are there, and, if a cloud does not tell, why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pools import NodeDeallocationOption, PoolError
from providers import ProviderError
from runner import Drain

from .request_routes import status_of
from .web_errors import WebError

if TYPE_CHECKING:
    from .controller import Controller

#: Seconds that the engine may take to begin.
_PATIENCE = 60.0


def routes(controller: Controller) -> list[BaseRoute]:
    async def drain(request: Request) -> Response:
        answer = controller.engine.request(Drain(NodeDeallocationOption.REQUEUE, request.query_params.get("pool")))
        try:
            await run_in_threadpool(answer.result, _PATIENCE)
        except PoolError as exc:
            raise WebError(status_of(exc.code), exc.code, str(exc)) from None
        except TimeoutError:
            raise WebError(503, "ServerBusy", "the server was asked, and has not begun yet; ask again") from None
        return Response(status_code=204)

    async def left(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(_left, controller, request.query_params.get("pool")))

    return [Route("/drain", drain, methods=["POST"]), Route("/left", left, methods=["GET"])]


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
