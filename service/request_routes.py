"""POST /requests with {"kind", "arguments"}: one of what can be asked of pools, jobs, tasks and job schedules; answers
(with nothing) when that is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pools import PoolError
from runner import (
    DeleteJob,
    DeleteJobSchedule,
    DeletePool,
    DeleteTask,
    DisableAutoScale,
    DisableJob,
    DisableJobSchedule,
    DisableScheduling,
    EnableAutoScale,
    EnableJob,
    EnableJobSchedule,
    EnableScheduling,
    Event,
    JobError,
    ReactivateTask,
    RebootNode,
    ReimageNode,
    RemoveNodes,
    ResizePool,
    ResumePool,
    RunJobSchedule,
    StopResize,
    TerminateJob,
    TerminateJobSchedule,
    TerminateTask,
)

from .web_errors import WebError

if TYPE_CHECKING:
    from .controller import Controller

KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        DeleteJob,
        DeleteJobSchedule,
        DeletePool,
        DeleteTask,
        DisableAutoScale,
        DisableJob,
        DisableJobSchedule,
        DisableScheduling,
        EnableAutoScale,
        EnableJob,
        EnableJobSchedule,
        EnableScheduling,
        ReactivateTask,
        RebootNode,
        ReimageNode,
        RemoveNodes,
        ResizePool,
        ResumePool,
        RunJobSchedule,
        StopResize,
        TerminateJob,
        TerminateJobSchedule,
        TerminateTask,
    )
}
_STATUS = {"InvalidPropertyValue": 400, "InternalError": 500, "ServerBusy": 503}
#: Seconds that the engine may take to record it.
_PATIENCE = 60.0


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`arguments`: the attributes of the event."""

    kind: str
    arguments: dict[str, Any]


def status_of(code: str) -> int:
    """The HTTP status of a refusal."""
    return 404 if code.endswith("NotFound") else _STATUS.get(code, 409)


def routes(controller: Controller) -> list[BaseRoute]:
    async def ask(request: Request) -> Response:
        event = _event(await request.body())
        answer = controller.engine.request(event)
        try:
            await run_in_threadpool(answer.result, _PATIENCE)
        except (JobError, PoolError) as exc:
            raise WebError(status_of(exc.code), exc.code, str(exc)) from None
        except TimeoutError:
            text = "the controller was asked, and has not recorded it yet; look at what is there, then ask again"
            raise WebError(503, "ServerBusy", text) from None
        return Response(status_code=204)

    return [Route("/requests", ask, methods=["POST"])]


def _event(body: bytes) -> Event:
    try:
        read = msgspec.json.decode(body, type=Body)
    except msgspec.DecodeError as exc:
        raise WebError(400, "InvalidRequestBody", f"the body is to be {{kind, arguments}}: {exc}") from None
    kind = KINDS.get(read.kind)
    if kind is None:
        raise WebError(400, "InvalidRequestBody", f"{read.kind!r} is none of {', '.join(sorted(KINDS))}")
    unknown = read.arguments.keys() - set(kind.__struct_fields__)
    try:
        if unknown:
            raise msgspec.ValidationError(f"there is no {', '.join(sorted(unknown))}")
        return msgspec.convert(read.arguments, kind)
    except msgspec.ValidationError as exc:
        raise WebError(400, "InvalidPropertyValue", f"{read.kind}: {exc}") from None
