"""Errors of the HTTP side, told as JSON: {"code", "message"}."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

log = logging.getLogger(__name__)


class WebError(Exception):
    """Raise it in a route; the message says what is wrong and what to do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


_CODES = {404: "ResourceNotFound", 405: "UnsupportedHttpVerb"}


def told(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"code": code, "message": message}, status, headers)


async def _web_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WebError)
    return told(error.status, error.code, str(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "InvalidRequest")
    return told(error.status_code, code, f"{request.method} {request.url.path}: {error.detail}", error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    # the path, and never the query: it may hold a signature
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return told(500, "InternalError", f"{type(error).__name__}; the log of the controller says more")


HANDLERS: dict[Any, Callable[[Request, Exception], Any]] = {
    WebError: _web_error,
    HTTPException: _http_error,
    Exception: _unexpected,
}
