"""POST /gc: what need not be kept any longer goes; answers with what has gone (see retention.Waste)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from .controller import Controller


def routes(controller: Controller) -> list[BaseRoute]:
    async def collect(request: Request) -> Response:
        gone = await run_in_threadpool(controller.housekeeping.collect)
        return Response(msgspec.json.encode(gone), media_type="application/json")

    return [Route("/gc", collect, methods=["POST"])]
