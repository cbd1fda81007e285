"""POST /schedules/ID/ACTION: run, disable, enable, terminate or delete a job schedule; answers (with nothing) when that
is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from runner import (
    DeleteJobSchedule,
    DisableJobSchedule,
    EnableJobSchedule,
    Event,
    JobError,
    RunJobSchedule,
    TerminateJobSchedule,
)

from .web_errors import WebError

if TYPE_CHECKING:
    from .controller import Controller

ACTIONS: dict[str, Callable[[str], Event]] = {
    "run": RunJobSchedule,
    "disable": DisableJobSchedule,
    "enable": EnableJobSchedule,
    "terminate": TerminateJobSchedule,
    "delete": DeleteJobSchedule,
}
_STATUS = {"JobScheduleNotFound": 404, "ServerBusy": 503}
#: Seconds that the engine may take to record it.
_PATIENCE = 60.0


def routes(controller: Controller) -> list[BaseRoute]:
    async def act(request: Request) -> Response:
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            raise WebError(404, "ResourceNotFound", f"a job schedule can be asked to {', '.join(ACTIONS)}")
        answer = controller.engine.request(action(request.path_params["id"]))
        try:
            await run_in_threadpool(answer.result, _PATIENCE)
        except JobError as exc:
            raise WebError(_STATUS.get(exc.code, 409), exc.code, str(exc)) from None
        except TimeoutError:
            raise WebError(503, "ServerBusy", "it is not recorded yet; look with `ebbtide schedule list`") from None
        return Response(status_code=204)

    return [Route("/schedules/{id}/{action}", act, methods=["POST"])]
