"""POST /nodes/ID/notice: the controller is to believe that the node's cloud takes the VM back, in so many seconds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from runner import NodeNotice

from .web_errors import WebError

if TYPE_CHECKING:
    from .controller import Controller


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body: `{"seconds": 30}`."""

    seconds: float


def routes(controller: Controller) -> list[BaseRoute]:
    async def announce(request: Request) -> Response:
        try:
            notice = msgspec.json.decode(await request.body(), type=Notice)
        except msgspec.DecodeError as exc:
            raise WebError(400, "InvalidRequestBody", f'the body is to be like {{"seconds": 30}}: {exc}') from None
        if not (math.isfinite(notice.seconds) and notice.seconds >= 0):
            raise WebError(400, "InvalidPropertyValue", "seconds: at least 0")
        node_id = request.path_params["id"]
        node = controller.core.ctx.nodes.get(node_id)
        if node is None:
            known = ", ".join(each.id for each in controller.core.ctx.nodes) or "none"
            raise WebError(404, "NodeNotFound", f"there is no node {node_id!r}; there are {known}")
        if not node.low_priority:
            raise WebError(409, "OperationInvalidForCurrentState", f"{node_id} is dedicated: no cloud takes it back")
        controller.engine.post(NodeNotice(node_id, controller.now() + notice.seconds))
        return Response(status_code=202)

    return [Route("/nodes/{id}/notice", announce, methods=["POST"])]
