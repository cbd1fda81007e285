"""Refusals, as the Batch REST API words them: a code, a message, and details by name."""

from __future__ import annotations

import msgspec

from pools import PoolError
from runner import JobError

from ..iso8601 import format_instant

#: The statuses of codes that are neither 404 (`...NotFound`) nor 409.
STATUS: dict[str, int] = {
    "AuthenticationFailed": 403,
    "AuthorizationFailure": 403,
    "AutoScaleFormulaTooLong": 400,
    "AutoScalingFormulaSyntaxError": 400,
    "ConditionNotMet": 412,
    "InternalError": 500,
    "InvalidHeaderValue": 400,
    "InvalidPropertyName": 400,
    "InvalidPropertyValue": 400,
    "InvalidQueryParameterValue": 400,
    "InvalidRange": 416,
    "InvalidRequestBody": 400,
    "InvalidUri": 400,
    "MissingRequiredProperty": 400,
    "MissingRequiredQueryParameter": 400,
    "NotModified": 304,
    "OperationNotSupported": 400,
    "OperationTimedOut": 503,
    "OutOfRangeInput": 400,
    "RequestBodyTooLarge": 413,
    "ServerBusy": 503,
    "TaskDependenciesNotSpecifiedOnJob": 400,
    "TaskDependencyListTooLong": 400,
    "TaskDependencyRangesTooLong": 400,
    "UnsupportedHeader": 400,
    "UnsupportedHttpVerb": 405,
    "UnsupportedQueryParameter": 400,
}


class ApiError(Exception):
    """`values`: details by their names. `status` None: what belongs to the code."""

    def __init__(
        self, code: str, message: str, values: tuple[tuple[str, str], ...] = (), status: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.values = values
        self.status = status if status is not None else status_of(code)


def status_of(code: str) -> int:
    return 404 if code.endswith("NotFound") else STATUS.get(code, 409)


def refused(error: PoolError | JobError) -> ApiError:
    """What the core refuses."""
    return ApiError(error.code, str(error))


def body(error: ApiError, base: str, request_id: str, now: float) -> bytes:
    """Flat, not below a member `error`, as the service has it."""
    found: dict[str, object] = {
        "odata.metadata": f"{base}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element",
        "code": error.code,
        "message": message(error.message, request_id, now),
    }
    if error.values:
        found["values"] = [{"key": key, "value": value} for key, value in error.values]
    return msgspec.json.encode(found)


def message(text: str, request_id: str, now: float) -> dict[str, str]:
    return {"lang": "en-US", "value": f"{text}\nRequestId:{request_id}\nTime:{format_instant(now)}"}
